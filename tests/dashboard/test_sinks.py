"""Sinks: what they are handed, and that one which fails costs the run nothing. Each library is tried where it is."""

from __future__ import annotations

import importlib.util
import json
import os
import sqlite3
import subprocess
import sys
import types
import warnings
from collections.abc import Mapping
from pathlib import Path

import pytest

from autotelic.cli import main
from autotelic.dashboard import sinks
from autotelic.dashboard.sinks import Sinks, numbers_of
from autotelic.errors import AutotelicError
from autotelic.messages import Evaluated, Message, Updated
from autotelic.record import Journal

pytestmark = pytest.mark.timeout(900)
"""MLflow takes minutes to make its tables on a busy machine."""
LIBRARIES = ("tensorboard", "wandb", "mlflow", "trackio")
REQUIRED = os.environ.get("AUTOTELIC_SINKS") == "required"
MISSING = [name for name in LIBRARIES if importlib.util.find_spec(name) is None]
if MISSING and not REQUIRED:
    warnings.warn(
        f"NO TESTS WITH {', '.join(MISSING)}: pip install -e '.[sinks]', in an environment of its own",
        stacklevel=1,
    )


@pytest.fixture(scope="module")
def messages(real_run: Path) -> list[Message]:
    with Journal.open(real_run) as journal:
        return journal.read(
            kinds=("updated", "evaluated", "generation.ended", "critic.updated", "run.stopped")
        )


class Recorder:
    """A sink that keeps what it is handed, and fails where it is told to."""

    def __init__(self, fail_at: int = -1) -> None:
        self.seen: list[tuple[Mapping[str, float], int]] = []
        self.closed = False
        self._fail_at = fail_at

    def log(self, numbers: Mapping[str, float], step: int) -> None:
        if len(self.seen) == self._fail_at:
            raise OSError(28, "No space left on device")
        self.seen.append((numbers, step))

    def close(self) -> None:
        self.closed = True


def opened(monkeypatch: pytest.MonkeyPatch, **found: Recorder) -> None:
    """Put recorders in the place of libraries."""

    def module(name: str) -> types.SimpleNamespace:
        return types.SimpleNamespace(open_sink=lambda folder: found[name])

    monkeypatch.setattr(sinks, "_module", module)


def test_a_sink_gets_the_numbers_of_a_run(
    monkeypatch: pytest.MonkeyPatch, messages: list[Message], tmp_path: Path
) -> None:
    sink = Recorder()
    opened(monkeypatch, wandb=sink)
    lost: list[str] = []
    hand = Sinks(["wandb", "wandb"], tmp_path, lost.append)
    for message in messages:
        hand(message)
    assert not lost
    assert sink.closed
    updates = [m for m in messages if isinstance(m, Updated)]
    losses = [(numbers["update/loss"], step) for numbers, step in sink.seen if "update/loss" in numbers]
    assert losses == [(m.report.loss, m.step) for m in updates]
    last = [m for m in messages if isinstance(m, Evaluated) and m.report.exam == "sealed"][-1]
    scores = [
        numbers["exam/sealed/pass_at_1"] for numbers, _ in sink.seen if "exam/sealed/pass_at_1" in numbers
    ]
    assert scores[-1] == last.report.overall.pass_at_1.value
    assert all(value == value for numbers, _ in sink.seen for value in numbers.values()), "nan"


def test_a_full_disk_loses_one_sink_and_says_so_once(
    monkeypatch: pytest.MonkeyPatch, messages: list[Message], tmp_path: Path
) -> None:
    whole, broken = Recorder(), Recorder(fail_at=3)
    opened(monkeypatch, wandb=broken, mlflow=whole)
    lost: list[str] = []
    hand = Sinks(["wandb", "mlflow"], tmp_path, lost.append)
    for message in messages:
        hand(message)
    assert len(lost) == 1
    assert "wandb is lost" in lost[0]
    assert "No space left" in lost[0]
    assert len(broken.seen) == 3
    assert len(whole.seen) == sum(bool(numbers_of(message)[0]) for message in messages)


@pytest.mark.parametrize("name", sinks.NAMES)
def test_a_library_that_is_missing_is_named_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch, name: str, tmp_path: Path, messages: list[Message]
) -> None:
    for module in LIBRARIES:
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delitem(sys.modules, f"autotelic.dashboard.sinks.to_{name}", raising=False)
    lost: list[str] = []
    hand = Sinks([name], tmp_path, lost.append)
    for message in messages[:5]:
        hand(message)
    assert len(lost) == 1
    assert f"pip install {sinks.PACKAGES.get(name, name)}" in lost[0]


def test_a_sink_that_does_not_exist_is_refused_before_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "--out", str(tmp_path / "run"), "--sink", "tensorbord"]) == 2
    assert "did you mean 'tensorboard'" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
    with pytest.raises(AutotelicError, match="there is no sink"):
        Sinks(["x"], tmp_path, print)


# ── with the libraries, offline ────────────────────────────────────────────────────────────────────────────────────


def written(name: str, messages: list[Message], folder: Path) -> Path:
    """Write through the library, in a process of its own that no host can be reached from."""
    if name in MISSING and not REQUIRED:
        pytest.skip(f"{name} is not installed: pip install -e '.[sinks]'")
    code = (
        "import sys, socket\n"
        "from pathlib import Path\n"
        "real = socket.socket.connect\n"
        "def local(self, place):\n"
        "    if isinstance(place, tuple) and place[0] not in ('127.0.0.1', '::1', 'localhost'):\n"
        "        raise OSError(f'asked {place}')\n"
        "    return real(self, place)\n"
        "socket.socket.connect = local\n"
        "from autotelic.dashboard.sinks import Sinks\n"
        "from autotelic.record import Journal\n"
        "run, folder, name = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]\n"
        "lost = []\n"
        "hand = Sinks([name], folder, lost.append)\n"
        "for message in Journal.open(run).each_message(): hand(message)\n"
        "hand.close()\n"
        "sys.exit('; '.join(lost) if lost else 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder / "source"), str(folder), name],
        capture_output=True,
        text=True,
        timeout=600,
        env={
            **os.environ,
            "WANDB_MODE": "offline",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "DO_NOT_TRACK": "true",
        },
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return folder / "sinks" / name


@pytest.fixture
def folder(real_run: Path, tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "source").symlink_to(real_run)
    return tmp_path / "run"


def test_tensorboard(messages: list[Message], folder: Path) -> None:
    place = written("tensorboard", messages, folder)
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(place))
    events.Reload()
    updates = [m for m in messages if isinstance(m, Updated)]
    assert [e.step for e in events.Scalars("update/loss")] == [m.step for m in updates]


def test_wandb(messages: list[Message], folder: Path) -> None:
    place = written("wandb", messages, folder)
    (file,) = place.glob("wandb/offline-run-*/*.wandb")
    assert b"exam/sealed/pass_at_1" in file.read_bytes()


def test_mlflow(messages: list[Message], folder: Path) -> None:
    place = written("mlflow", messages, folder)
    with sqlite3.connect(place / "mlflow.db") as store:
        (count,) = store.execute("SELECT count(*) FROM metrics WHERE key = 'update/loss'").fetchone()
    assert count == sum(isinstance(m, Updated) for m in messages)


def test_trackio(messages: list[Message], folder: Path) -> None:
    place = written("trackio", messages, folder)
    (store,) = place.glob("*.db")
    with sqlite3.connect(store) as database:
        rows = [json.loads(row[0]) for row in database.execute("SELECT metrics FROM metrics")]
    assert any("exam/sealed/pass_at_1" in row for row in rows)
