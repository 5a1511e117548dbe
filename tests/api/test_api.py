"""What a notebook does with `autotelic`: a run message by message, its frames, its champion, its exam."""

from __future__ import annotations

import shutil
import sys
import threading
import types
from pathlib import Path

import numpy as np
import pytest

import autotelic
from autotelic import AutotelicError, Machine, Message
from autotelic.api import notebook
from autotelic.api.handing import handed_over
from autotelic.messages import GenerationBegan, StageBegan
from autotelic.record.folder import RunFolder, holder_of

TOY = {
    "domain": {"levels": [1, 1]},
    "model": {"tiny": {"width": 32, "depth": 2, "heads": 2}},
    "roles": {"max_tokens": 24},
    "curriculum": {
        "bootstrap_generations": 1,
        "tasks_per_generation": 24,
        "probe_tasks": 4,
        "group_size": 2,
    },
    "learn": {"batch_tokens": 1024},
    "exam": {"items_per_cell": 2, "levels": [1, 1], "every": 2, "own_items": 2, "samples": 2},
    "gate": {"items": 8, "answers": 2, "planned": 2},
    "budget": {"seconds": 0.0, "generations": 1},
}
MACHINE = Machine(threads=1, workers=1)


# ── running ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_run_is_iterated_stopped_and_gone_on_with(tmp_path: Path) -> None:
    out = tmp_path / "run"
    stages: list[str] = []
    for message in autotelic.stream(TOY, seed=3, out=out, machine=MACHINE):
        if isinstance(message, StageBegan):
            stages.append(message.stage)
            if message.stage == "judge":
                break
    assert stages[0] == "examine"
    assert stages[-1] == "judge"
    found = autotelic.open_run(out)
    assert found.stopped == "interrupted"
    assert found.charter.seed == 3
    seen: list[Message] = []
    found = autotelic.resume(out, machine=MACHINE, watch=seen.append, progress=False)
    assert found.stopped == "budget"
    assert found.summary["generations"] == 1
    assert any(isinstance(message, GenerationBegan) for message in seen)
    newest = [message.id for message in found.messages()]
    assert [message.id for message in found.follow()] == newest


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"charter": "nowhere.toml"}, "nowhere.toml"),
        ({"charter": 7}, "a charter is no int"),
        ({"charter": {"domian": {}}}, "domian"),
        ({"domain": "pyhton"}, "did you mean 'python'"),
        ({"domain": types.SimpleNamespace(spec=1)}, "give its class"),
        ({"model": "no/such-model"}, "models pull"),
        ({"seconds": -1}, "budget.seconds"),
    ],
)
def test_what_cannot_be_run_is_said_before_anything_is_written(
    tmp_path: Path, arguments: dict[str, object], said: str
) -> None:
    for start in (autotelic.run, autotelic.stream):
        with pytest.raises(AutotelicError, match=said):
            start(out=tmp_path / "run", **arguments)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_a_class_that_no_other_process_can_import_is_refused(tmp_path: Path) -> None:
    class Words:
        pass

    with pytest.raises(AutotelicError, match=r"words\.py"):
        autotelic.run(domain=Words, out=tmp_path / "run")


def test_resume_refuses_what_gives_nothing(real_run: Path) -> None:
    with pytest.raises(AutotelicError, match="gives the run no more"):
        autotelic.resume(real_run, seconds=-5)


def test_what_the_work_raises_comes_out_of_the_loop() -> None:
    def work(watch: object) -> None:
        watch(GenerationBegan(generation=1))  # type: ignore[operator]
        raise ValueError("in the work")

    seen = handed_over(work)
    assert next(seen).generation == 1
    with pytest.raises(ValueError, match="in the work"):
        next(seen)


def test_the_work_waits_for_whoever_reads_and_ends_when_they_leave() -> None:
    told: list[int] = []
    ended = threading.Event()

    def work(watch: object) -> None:
        try:
            for number in range(100):
                told.append(number)
                watch(GenerationBegan(generation=number))  # type: ignore[operator]
        except KeyboardInterrupt:
            watch(GenerationBegan(generation=100))  # type: ignore[operator]
            ended.set()

    messages = handed_over(work)
    assert [next(messages).generation for _ in range(3)] == [0, 1, 2]
    assert len(told) == 3
    messages.close()  # type: ignore[attr-defined]
    assert ended.is_set()


# ── reading ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_frames_have_what_the_journal_has(real_run: Path) -> None:
    found = autotelic.open_run(real_run)
    tasks, attempts, exams = found.tasks(), found.attempts(), found.exams()
    assert set(attempts["task"]) <= set(tasks["id"])
    first = attempts[attempts["passed"] == True].iloc[0]  # noqa: E712
    stored = found.attempt(int(first["id"]))
    assert stored.episode.answer == first["answer"]
    assert stored.verdicts[-1].reward == first["reward"]
    last = exams[(exams["exam"] == "sealed") & (exams["cell"] == "all")].iloc[-1]
    assert last["pass_at_1"] == found.summary["sealed"]["after"]["pass_at_1"]
    assert tasks["prompt"].str.len().min() > 0


def test_nouns_of_a_message_are_read_after_the_loop(real_run: Path) -> None:
    (message, *_) = list(autotelic.open_run(real_run).messages(kinds=["evaluated"]))
    assert message.groups[0].task.prompt  # type: ignore[attr-defined]


def test_frames_without_pandas_say_what_to_install(real_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(AutotelicError, match="pip install pandas"):
        autotelic.open_run(real_run).exams()


def test_no_run_is_said(tmp_path: Path) -> None:
    with pytest.raises(AutotelicError, match="not a run folder"):
        autotelic.open_run(tmp_path)


def test_asking_who_holds_a_run_does_not_lose_its_lock(real_run: Path, tmp_path: Path) -> None:
    folder = RunFolder(shutil.copytree(real_run, tmp_path / "copy"))
    assert holder_of(folder.path / "lock") == 0
    with folder.lock():
        assert holder_of(folder.path / "lock") > 0
        autotelic.open_run(folder.path)
        code = f"import sys; from autotelic.record.folder import holder_of; from pathlib import Path; \
sys.exit(0 if holder_of(Path({str(folder.path / 'lock')!r})) else 1)"
        import subprocess

        subprocess.run([sys.executable, "-c", code], check=True)
    assert holder_of(folder.path / "lock") == 0


# ── a champion ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_champion_solves_answers_and_is_examined(real_run: Path) -> None:
    found = autotelic.open_run(real_run)
    with found.champion() as champion:
        words = champion.solve("f([1,2])==[2,3]\nf([3])==[4]", budget=16)
        assert words.samples <= 16
        assert (words.passed is True) == words.answer.startswith("def f")
        (task,) = champion.domain.tasks(np.random.default_rng(0), champion.domain.spec.cells[:1])
        assert champion.ask(str(task.prompt)) == champion.ask(str(task.prompt).rstrip("\n"))
        assert len(champion.solve_all([task, task], budget=2)) == 2
        with pytest.raises(AutotelicError, match="samples nothing"):
            champion.solve(task, budget=0)
        with pytest.raises(AutotelicError, match="shorten"):
            champion.ask("x = 1\n" * 2000)
    examined = found.exam(samples=1)
    assert examined.pass_at_1 == found.summary["sealed"]["after"]["pass_at_1"]
    assert "sealed before" in examined.about
    with pytest.raises(AutotelicError, match="no exam 'seald'"):
        found.exam("seald")


# ── a notebook ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_progress_says_how_far_a_run_is(real_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = autotelic.open_run(real_run)
    with notebook.showing(True, None) as watch:
        for message in found.messages():
            watch(message)
    line = capsys.readouterr().err.splitlines()[-1]
    assert "generation 6" in line
    assert "stopped budget" in line


def test_a_display_that_fails_does_not_end_the_run(monkeypatch: pytest.MonkeyPatch, real_run: Path) -> None:
    view = notebook.Progress()
    monkeypatch.setattr(view, "_show", lambda last: 1 / 0)
    for message in autotelic.open_run(real_run).messages():
        view(message)
    assert "division" in view.lost


def test_the_table_of_a_run_is_text(real_run: Path) -> None:
    table = notebook.table_of("<script>", autotelic.open_run(real_run).summary)
    assert "<script>" not in table
    assert "&lt;script&gt;" in table
    assert "generation" in autotelic.open_run(real_run)._repr_html_()
