"""`autotelic exam` and `autotelic export`: whose weights, which exam, and nothing that was changed since."""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from fakes import FakeDomain, Scripted, right, task
from folders import CHARTER, commit_to, started

from autotelic.cli import main
from autotelic.commands.opening import opened
from autotelic.engine.champion import champion_of
from autotelic.errors import ModelError, RecordError, RunError
from autotelic.exam.evaluate import evaluate, exam_seed
from autotelic.exam.sealed import Exam
from autotelic.judge import Critic
from autotelic.machine import Machine
from autotelic.messages import Admitted, Parent
from autotelic.models.digest import digest_of
from autotelic.record import Journal, RunFolder
from autotelic.record import checkpoint as checkpoints
from autotelic.weights.load import load
from autotelic.weights.store import Store

MACHINE = Machine(threads=1, workers=1)


@pytest.fixture
def copy(made, tmp_path) -> RunFolder:
    """The run folder again, to be changed."""
    return RunFolder(Path(shutil.copytree(made[0].path, tmp_path / "b")))


@pytest.fixture
def told(monkeypatch, capsys):
    """What a command prints, as JSON; one thread, whatever the machine has."""
    monkeypatch.setattr(Machine, "load", classmethod(lambda cls, *given: MACHINE))

    def run(*arguments: object) -> dict:
        assert main([*map(str, arguments), "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    return run


# ── whose weights ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_run_stands_for_its_champion_and_its_sealed_exam(made):
    run, exam = made
    with opened(run.path, machine=MACHINE) as found:
        assert found.exam == exam
        assert found.about == "sealed before the run's first update"
        assert found.ranker is None
        assert found.charter == CHARTER
        report, greedy = evaluate(
            found.exam, found.policy, found.domain, samples=2, seed=exam_seed(found.charter.seed, exam)
        )
    assert [*report.outcomes] == [item.id for item in exam.items] == [group.task.id for group in greedy]
    assert report.weights == digest_of(load(run.champion).model)
    assert report.overall.sampled_at_1.n == len(exam.items)


def test_the_base_is_what_the_run_began_from(made):
    run, _ = made
    with opened(run.path, base=True, machine=MACHINE) as found:
        assert found.decoder.sync() == digest_of(load(run.start).model) != digest_of(load(run.champion).model)


@pytest.mark.parametrize("file", ["model.safetensors", "config.json", "tokenizer.json"])
def test_a_champion_whose_bytes_changed_is_noticed(copy, tmp_path, capsys, file):
    change(copy.champion / file, copy.start / file)
    with (
        pytest.raises(
            ModelError, match=r"champion was changed after it was saved: it is sha256:\w+, expected"
        ),
        opened(copy.path, machine=MACHINE),
    ):
        pass
    assert main(["exam", str(copy.path)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "was changed after it was saved" in said
    assert main(["export", str(copy.path), str(tmp_path / "out")]) == 2
    assert "was changed after it was saved" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_a_start_whose_bytes_changed_is_noticed(copy):
    change(copy.start / "model.safetensors", copy.champion / "model.safetensors")
    with (
        pytest.raises(ModelError, match="start was changed after it was saved"),
        opened(copy.path, base=True, machine=MACHINE),
    ):
        pass


def change(path: Path, other: Path) -> None:
    """Put another run's file in its place, or one with other content."""
    if path.read_bytes() != other.read_bytes():
        shutil.copyfile(other, path)
    else:
        values = json.loads(path.read_bytes())
        path.write_text(json.dumps(values | {"changed": True}), encoding="utf-8")


def test_a_run_without_a_champion_says_how_to_get_one(copy):
    shutil.rmtree(copy.champion)
    with pytest.raises(RunError, match=r"no champion yet; .*autotelic resume"):
        champion_of(copy)


def test_a_champion_that_the_run_never_saved_is_none(copy, tmp_path):
    run = RunFolder.create(tmp_path / "new", CHARTER)
    shutil.copytree(copy.champion, run.champion)
    with pytest.raises(RunError, match="no champion yet"):
        champion_of(run)


def test_a_resume_leaves_the_champion_that_was_there(copy):
    before = champion_of(copy)
    with Journal.open(copy.path, "a") as journal:
        journal.rewind(None)
    assert champion_of(copy) == before


# ── which exam ───────────────────────────────────────────────────────────────────────────────────────────────


def test_an_exam_other_than_the_one_committed_to_is_refused(copy):
    """The checkpoint says which exam the run committed to: a journal with another one is not believed."""
    checkpoint(copy, sealed="sha256:another")
    with (
        pytest.raises(RecordError, match="committed to the sealed exam sha256:another"),
        opened(copy.path, machine=MACHINE),
    ):
        pass


def test_the_exam_is_that_of_the_checkpoint_and_its_critic_ranks(copy, made):
    checkpoint(copy, sealed=made[1].digest)
    with opened(copy.path, machine=MACHINE) as found:
        assert found.ranker is not None
        groups = found.policy.attempt(found.exam.items[:2], siblings=3, temperature=1.0, seed=0)
        assert [len(row) for row in found.ranker.predict(groups)] == [3, 3]


def checkpoint(run: RunFolder, sealed: str) -> None:
    """A checkpoint of generation 0, of what evaluating reads."""
    critic = Critic(vocabulary=len(load(run.start).tokenizer), context=512, seed=0)
    tensors, values = critic.state()
    state = {"critic": values, "state": {"sealed": {"digest": sealed}, "own": {"frozen": None}}}
    with Journal.open(run.path, "a") as journal:
        checkpoints.save(
            run.checkpoints, Store(run.weights), 0, {"critic": tensors}, state, journal=journal.mark(0)
        )


def test_the_own_exam_is_asked_where_there_is_one(copy, made):
    with pytest.raises(RunError, match="set no exam of its own"), opened(copy.path, "own", machine=MACHINE):
        pass
    own = Exam(name="own", items=made[1].items[:2])
    with Journal.open(copy.path, "a") as journal:
        commit_to(journal, own)
    with opened(copy.path, "own", machine=MACHINE) as found:
        assert found.exam == own
        assert found.about == "set by the model itself, and kept from its training"
    with pytest.raises(ModelError, match="no run folder"), opened(copy.champion, "own", machine=MACHINE):
        pass


def test_a_fresh_exam_asks_nothing_that_the_run_has_met(copy, made):
    with opened(copy.path, "fresh", 4, machine=MACHINE) as found:
        first = found.exam
    assert first.name == "fresh"
    assert not first.signatures & made[1].signatures
    with Journal.open(copy.path, "a") as journal:
        journal.append(Admitted(tasks=first.items))
    with opened(copy.path, "fresh", 4, machine=MACHINE) as found:
        assert not found.exam.signatures & first.signatures
        assert found.exam.refused["known"] >= 1


def test_a_run_from_weights_of_unknown_training_says_so(copy):
    with Journal.open(copy.path, "a") as journal:
        last = started(journal.run, load(copy.start).ref, Parent(run="model", weights="", seals=False))
        journal.append(last)
    for exam in ("sealed", "fresh"):
        with opened(copy.path, exam, 4, machine=MACHINE) as found:
            assert found.about.endswith("what the run's weights were trained on before the run is not known")


def test_a_bare_model_is_not_said_to_sit_a_sealed_exam(made, tmp_path, told, monkeypatch):
    monkeypatch.setattr(
        "autotelic.commands.opening.Charter", lambda: CHARTER.replace({"exam.items_per_cell": 2})
    )
    folder = shutil.copytree(made[0].champion, tmp_path / "model")
    said = told("exam", folder, "--samples", "1")
    assert said["about"] == (
        "drawn for the built-in charter; whether the model was trained on it is not known"
    )
    assert said["exam"] == "built-in"
    assert said["overall"]["pass_at_1"]["n"] == 8


# ── the commands ─────────────────────────────────────────────────────────────────────────────────────────────


def test_exam_prints_scores_and_what_the_exam_is(made, told, capsys):
    run, exam = made
    said = told("exam", run.path, "--samples", "2")
    assert said["digest"] == exam.digest
    assert said["about"] == "sealed before the run's first update"
    assert set(said["cells"]) == {"solve/1", "solve/2", "model/1", "model/2"}
    assert said["overall"]["pass_at_8"] is None
    assert main(["exam", str(run.path), "--samples", "1"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "sealed exam, sealed before the run's first update"
    assert printed[1].startswith(f"{len(exam.items)} items, weights ")


def test_exam_repair_says_what_each_arm_solved(made, capsys, monkeypatch):
    answers = {
        "again": lambda prompt: [right(" ".join(prompt.split()[1:4]))],
        "first": lambda prompt: ["7777"],
    }

    def able(prompt, request):
        return answers["again" if prompt.startswith("again") else "first"](prompt)

    @contextmanager
    def fake(model, which, items):
        exam = Exam(name=which, items=tuple(task("double", 1, n) for n in range(items)))
        yield SimpleNamespace(
            exam=exam, about="drawn now", policy=Scripted(able), domain=FakeDomain(), charter=CHARTER
        )

    monkeypatch.setattr("autotelic.commands.opening.opened", fake)
    assert main(["exam", str(made[0].path), "--repair", "6"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("repair exam, drawn now\n6 items of double, 6 failed at the first turn\n")
    assert "6 solved by repair alone, 0 by trying afresh alone: repair is better" in printed
    answers["first"] = lambda prompt: [""]
    assert main(["exam", str(made[0].path), "--repair", "6"]) == 0
    assert capsys.readouterr().out.endswith("nothing failed in a way that can be repaired\n")


def test_exam_repair_of_a_domain_that_repairs_nothing_is_one_line(made, capsys):
    assert main(["exam", str(made[0].path), "--repair", "2"]) == 2
    assert "makes no task of a failed answer" in capsys.readouterr().err


def test_export_gives_exactly_what_was_certified(copy, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("autotelic.dashboard.publish.story_of", lambda run: None)
    monkeypatch.setattr("autotelic.dashboard.card.model_card", lambda story, name: f"# {name}\n")
    (copy.champion / "notes.txt").write_text("not of the model", encoding="utf-8")
    target = tmp_path / "out"
    assert main(["export", str(copy.path), str(target)]) == 0
    assert capsys.readouterr().out.strip() == str(target)
    assert load(target).ref == champion_of(copy)[1]
    assert not (target / "notes.txt").exists()
    assert (target / "README.md").read_text(encoding="utf-8") == "# b\n"
    assert main(["export", str(copy.path), str(target)]) == 2
    assert "is there already" in capsys.readouterr().err


def test_what_is_asked_wrongly_is_one_line(made, tmp_path, capsys):
    for arguments in (["exam", tmp_path / "none"], ["exam", made[0].path, "--samples", "0"]):
        assert main([*map(str, arguments)]) == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_a_report_is_the_same_again(made):
    def once():
        with opened(made[0].path, machine=MACHINE) as found:
            report, _ = evaluate(found.exam, found.policy, found.domain, samples=2, seed=1)
            return report

    assert once() == once()
