"""The loop end to end, on a model small enough for seconds: what it leaves, and that a resume changes nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from autotelic.charter import Charter
from autotelic.cli import main
from autotelic.engine.replay import replay
from autotelic.engine.services import Controls
from autotelic.errors import AutotelicError, DivergedError, RunError
from autotelic.loop import resume, run
from autotelic.machine import Machine
from autotelic.messages import (
    BudgetExtended,
    ChampionSaved,
    Decided,
    Evaluated,
    ExamSet,
    Leased,
    Message,
    Proposed,
    RunResumed,
    RunStarted,
    StageBegan,
    Updated,
)
from autotelic.models import crew as crews
from autotelic.models.digest import digest_of
from autotelic.record import Journal, checkpoint
from autotelic.weights.load import load, manifest_of
from autotelic.weights.store import Store

MACHINE = Machine(threads=1, workers=1)


def small(generations: int = 4, **changes: Any) -> Charter:
    """A charter whose run takes seconds: a toy of a model, but every stage of the loop."""
    charter = Charter.of(
        {
            "domain": {"levels": [1, 2]},
            "model": {"tiny": {"width": 32, "depth": 2, "heads": 2}},
            "roles": {"max_tokens": 24},
            "curriculum": {
                "bootstrap_generations": 1,
                "tasks_per_generation": 48,
                "probe_tasks": 6,
                "group_size": 4,
            },
            "learn": {"batch_tokens": 1024},
            "exam": {"items_per_cell": 2, "levels": [1, 1], "every": 2, "own_items": 4},
            "gate": {"items": 8, "answers": 2, "planned": 2},
            "budget": {"seconds": 0.0, "generations": generations},
        },
        where="test",
    )
    return charter.replace(changes) if changes else charter


def saved(folder: Path) -> dict[str, str]:
    """The digest of every group of tensors in the newest checkpoint, and its state as text."""
    found = checkpoint.load_latest(folder / "checkpoints", Store(folder / "weights"))
    assert found is not None
    state = dict(found.state["state"])
    timed = ("seconds", "train_seconds")
    state["counters"] = {k: v for k, v in state["counters"].items() if k not in timed}
    groups = {
        name: {k: torch.as_tensor(v) for k, v in group.items()} for name, group in found.tensors.items()
    }
    return {name: digest_of(group) for name, group in groups.items()} | {
        "state": json.dumps(state),
        "actor": found.state["actor"],
    }


def interrupt_at(generation: int, stage: str) -> Callable[[Message], None]:
    """A watcher that presses Ctrl-C when a stage of a generation begins."""

    def watch(message: Message) -> None:
        if isinstance(message, StageBegan) and message.generation == generation and message.stage == stage:
            raise KeyboardInterrupt

    return watch


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, drawing: Callable[..., list[Path]]) -> Path:
    """A run of four generations that nothing interrupted."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("autotelic.dashboard.plots.write_plots", drawing)
        run(small(), folder, machine=MACHINE)
    return folder


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    """A copy of it, to be changed."""
    shutil.copytree(whole, tmp_path / "copy")
    return tmp_path / "copy"


# ── what a run leaves ────────────────────────────────────────────────────────────────────────────────────


def test_a_run_leaves_what_it_promises(whole: Path) -> None:
    summary = json.loads((whole / "summary.json").read_text())
    assert summary["generations"] == 4
    assert summary["tokens"] > 0
    assert summary["sealed"]["before"]["pass_at_1"] <= 0.1
    for name in ("report.html", "champion/model.safetensors", "champion/README.md", "plots/curves.png"):
        assert (whole / name).stat().st_size > 0, name


def test_the_champion_loads_as_any_hugging_face_model(whole: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(whole / "champion")
    tokenizer = AutoTokenizer.from_pretrained(whole / "champion")
    with Journal.open(whole) as journal:
        kept = journal.latest(ChampionSaved)
        promoted = [m for m in journal.read() if isinstance(m, Decided) and m.decision.verdict == "promote"]
        first = next(m for m in journal.read() if isinstance(m, Leased))
    assert kept is not None
    assert kept.weights == (promoted[-1].weights if promoted else first.parent)
    assert manifest_of(whole / "champion").ref == kept.folder
    assert digest_of(model) == digest_of(load(whole / "champion").model)
    text = "def f(x):\n    x = [v + 13 for v in x]\n    return x"
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


def test_the_journal_says_who_and_what(whole: Path) -> None:
    with Journal.open(whole) as journal:
        started = journal.latest(RunStarted)
        assert started is not None
        assert started.run == journal.run
    assert started.digest == small().digest
    assert started.version
    assert started.start == manifest_of(whole / "start").ref
    assert started.machine["threads"] == 1


def test_the_sealed_exam_is_committed_to_before_the_first_update(whole: Path) -> None:
    with Journal.open(whole) as journal:
        exam = next(m for m in journal.read() if isinstance(m, ExamSet))
        first = next(m for m in journal.read() if isinstance(m, Updated))
        asked = {task.signature for task in exam.items}
        learned = {
            journal.tasks([entry.ref])[0].signature
            for m in journal.read()
            if isinstance(m, Updated)
            for entry in m.batch
            if entry.kind == "demonstration"
        }
    assert exam.id < first.id
    assert asked
    assert learned
    assert not asked & learned


def test_the_time_of_an_exam_is_what_the_run_had_spent(whole: Path) -> None:
    with Journal.open(whole) as journal:
        seconds = [m.seconds for m in journal.read() if isinstance(m, Evaluated)]
    assert seconds == sorted(seconds)
    assert seconds[-1] > 0.5 * json.loads((whole / "summary.json").read_text())["seconds"]


def test_no_champion_is_compared_with_itself(whole: Path) -> None:
    """A rejection in the last generation was once followed by a promotion of the champion against itself."""
    with Journal.open(whole) as journal:
        decided = [m for m in journal.read() if isinstance(m, Decided)]
    assert decided[-1].generation == 4
    assert len({m.generation for m in decided}) == len(decided)


def test_updates_and_decisions_come_out_the_same_again(whole: Path) -> None:
    with Journal.open(whole) as journal:
        steps = [m.step for m in journal.read() if isinstance(m, Updated)]
    for step in (steps[0], steps[len(steps) // 2], steps[-1]):
        found = replay(whole, step)
        assert found.same, found
    assert main(["audit", str(whole)]) == 0
    with pytest.raises(RunError, match="has no update"):
        replay(whole, 10_000)


# ── resume ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("generation", "stage"), [(2, "propose"), (3, "learn"), (4, "review")])
def test_a_resumed_run_is_bit_equal_to_one_that_never_stopped(
    whole: Path, tmp_path: Path, generation: int, stage: str
) -> None:
    folder = tmp_path / "stopped"
    summary = run(small(), folder, machine=MACHINE, watch=interrupt_at(generation, stage))
    assert summary["stopped"] == "interrupted"
    resume(folder)
    assert saved(folder) == saved(whole)
    with Journal.open(whole) as journal:
        champion = journal.latest(ChampionSaved)
    with Journal.open(folder) as journal:
        kept = journal.latest(ChampionSaved)
        assert kept is not None
        assert champion is not None
        assert (kept.weights, kept.folder) == (champion.weights, champion.folder)
        resumed = journal.latest(RunResumed)
        assert resumed is not None
        assert resumed.superseded["messages"] > 0
        gone = journal.message(resumed.first)
        assert gone is not None
        assert journal.is_superseded(gone.id)
        live = [m.step for m in journal.read() if isinstance(m, Updated)]
    assert live == list(range(len(live)))


def test_a_finished_run_is_not_resumed(whole: Path) -> None:
    with pytest.raises(RunError, match="finished"):
        resume(whole)


def test_a_run_is_extended_as_often_as_one_likes(copy: Path) -> None:
    for more in (1, 2):
        resume(copy, extend=BudgetExtended(generations=1))
        with Journal.open(copy) as journal:
            last = journal.latest(Decided)
        assert last is not None
        assert last.generation == 4 + more
    with pytest.raises(RunError, match="finished"):
        resume(copy)
    resume(copy, extend=BudgetExtended(tokens=1))
    with Journal.open(copy) as journal:
        last = journal.latest(Decided)
    assert last is not None
    assert last.generation == 7, "the limit on generations, which ended the run, binds no more"


def test_an_interrupted_extension_goes_on(copy: Path) -> None:
    with pytest.MonkeyPatch.context():
        resume(copy, extend=BudgetExtended(generations=2), watch=interrupt_at(5, "learn"))
    resume(copy)
    with Journal.open(copy) as journal:
        last = journal.latest(Updated)
    assert last is not None
    assert last.generation == 6


def test_a_charter_that_practises_repair_is_resumed(tmp_path: Path) -> None:
    charter = small(3, **{"domain.modes": ["induction", "repair"]})
    run(charter, tmp_path / "run", machine=MACHINE, watch=interrupt_at(3, "propose"))
    resume(tmp_path / "run")
    with Journal.open(tmp_path / "run") as journal:
        modes = {task.mode for m in journal.read() if isinstance(m, Proposed) for task in m.tasks}
    assert "repair" in modes


def test_an_interrupt_after_a_promotion_keeps_champion_and_journal_of_one_mind(tmp_path: Path) -> None:
    seen: list[Message] = []

    def watch(message: Message) -> None:
        seen.append(message)
        if isinstance(message, Decided):
            raise KeyboardInterrupt

    run(small(2), tmp_path / "run", machine=MACHINE, watch=watch)
    with Journal.open(tmp_path / "run") as journal:
        decided, kept = journal.latest(Decided), journal.latest(ChampionSaved)
    assert decided is not None
    assert kept is not None
    champion = decided.weights if decided.decision.verdict == "promote" else decided.champion
    assert kept.weights == champion
    assert manifest_of(tmp_path / "run" / "champion").ref == kept.folder


def test_a_kill_between_the_end_and_the_champion_is_no_dead_end(copy: Path) -> None:
    shutil.rmtree(copy / "champion")
    resume(copy)
    assert (copy / "champion" / "model.safetensors").is_file()


def test_a_resume_keeps_to_the_threads_it_began_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crews, "shares_here", lambda: 2)
    run(small(1), tmp_path / "run", machine=Machine(workers=1))
    monkeypatch.setattr(crews, "shares_here", lambda: 1)
    resume(tmp_path / "run", extend=BudgetExtended(generations=1))
    with Journal.open(tmp_path / "run") as journal:
        assert {m.threads for m in journal.read() if isinstance(m, Updated)} == {2}


def test_a_busy_machine_changes_no_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --threads as many threads compute as pay at the moment. What comes out is the same."""
    found: list[str] = []
    monkeypatch.setattr(crews, "shares_here", lambda: 2)
    for hands in (1, 2):
        monkeypatch.setattr(crews, "autotune_threads", lambda most, hands=hands: hands)
        run(small(1), tmp_path / f"run-{hands}", machine=Machine(workers=1))
        with Journal.open(tmp_path / f"run-{hands}") as journal:
            found.append(" ".join(m.after for m in journal.read() if isinstance(m, Updated)))
    assert found[0]
    assert found[0] == found[1]


# ── starting from other weights ──────────────────────────────────────────────────────────────────────────


def test_a_run_from_another_knows_its_parent_and_examines_nothing_it_met(whole: Path, tmp_path: Path) -> None:
    run(small(1, seed=5), tmp_path / "child", machine=MACHINE, start_from=whole)
    with Journal.open(whole) as journal:
        met = {str(row["signature"]) for row in journal.each("tasks")}
        parent = journal.run
    with Journal.open(tmp_path / "child") as journal:
        started, exam = journal.latest(RunStarted), journal.latest(ExamSet)
        assert exam is not None
        asked = {task.signature for task in exam.items}
    assert started is not None
    assert started.parent is not None
    assert started.parent.run == parent
    assert started.parent.seals
    assert not asked & met


# ── what lies on disk is not believed ────────────────────────────────────────────────────────────────────


def test_an_edited_charter_is_refused(copy: Path) -> None:
    path = copy / "charter.json"
    path.write_text(path.read_text().replace('"lr_other":0.003', '"lr_other":0.3'))
    with pytest.raises(RunError, match=r"charter\.json was edited"):
        resume(copy, extend=BudgetExtended(generations=1))


@pytest.mark.parametrize("name", ["start/model.safetensors", "start/tokenizer.json"])
def test_changed_start_files_are_noticed(copy: Path, name: str) -> None:
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(bytes(content))
    with pytest.raises(AutotelicError, match="start was changed after it was saved"):
        resume(copy, extend=BudgetExtended(generations=1))


# ── when it goes wrong ───────────────────────────────────────────────────────────────────────────────────


def test_weights_that_are_not_finite_stop_the_run_and_leave_the_champion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from autotelic.learn.learner import PolicyLearner

    step = PolicyLearner.step
    count = 0

    def spoiled(self: PolicyLearner, *given: Any, **named: Any) -> Any:
        nonlocal count
        count += 1
        if count == 2:
            with torch.no_grad():
                next(iter(self.model.parameters())).fill_(float("nan"))
        return step(self, *given, **named)

    monkeypatch.setattr(PolicyLearner, "step", spoiled)
    with pytest.raises(DivergedError, match="not finite"):
        run(small(2), tmp_path / "run", machine=MACHINE)
    with Journal.open(tmp_path / "run") as journal:
        last = journal.latest(Updated)
    assert last is not None
    assert last.report.skipped
    assert torch.isfinite(next(iter(load(tmp_path / "run").model.parameters()))).all()


def test_nothing_is_written_where_a_run_cannot_start(tmp_path: Path) -> None:
    with pytest.raises(AutotelicError):
        run(small(1, **{"domain.name": "pyton"}), tmp_path / "run", machine=MACHINE)
    assert not (tmp_path / "run").exists()


def test_controls_are_recorded_and_kept_by_a_resume(tmp_path: Path) -> None:
    controls = Controls(shuffle=1.0, baseline="siblings")
    run(small(2), tmp_path / "run", machine=MACHINE, controls=controls, watch=interrupt_at(2, "propose"))
    resume(tmp_path / "run")
    with Journal.open(tmp_path / "run") as journal:
        started = journal.latest(RunStarted)
    assert started is not None
    assert started.controls == {"shuffle": 1.0, "baseline": "siblings"}
