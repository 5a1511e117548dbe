"""Copies of a run's numbers for other tools, while it goes. Each tool is imported in the one file of its name.

A sink never costs a run: one that cannot be opened, or that fails, is dropped, and what is lost is told once.
"""

from __future__ import annotations

import difflib
import importlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Protocol, cast

from autotelic.errors import AutotelicError
from autotelic.messages import CriticUpdated, Evaluated, GenerationEnded, Message, RunStopped, Updated

NAMES = ("tensorboard", "wandb", "mlflow", "trackio")
"""Each is a module here, with a function `open_sink(folder)`."""
Numbers = Mapping[str, float]


class Sink(Protocol):
    """One tool, open."""

    def log(self, numbers: Numbers, step: int) -> None:
        """Write the numbers of one step: an update for `update/...`, a generation for all others."""

    def close(self) -> None:
        """Write what is left."""


class Sinks:
    """The sinks of a run: called with each message. `tell` gets one line for each sink that is lost.

    They are opened at the first message, when there is a run folder, and closed after the last. Raises
    AutotelicError for a name that is none, before a run begins.
    """

    def __init__(self, names: Sequence[str], folder: Path, tell: Callable[[str], None]) -> None:
        for name in names:
            if name not in NAMES:
                near = difflib.get_close_matches(name, NAMES, n=1)
                fix = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(NAMES)}"
                raise AutotelicError(f"there is no sink {name!r}", fix)
        self._folder, self._tell = folder, tell
        self._waiting = list(dict.fromkeys(names))
        self._open: dict[str, Sink] = {}

    def __call__(self, message: Message) -> None:
        while self._waiting:
            name = self._waiting.pop(0)
            self._safely(name, partial(self._begin, name))
        numbers, step = numbers_of(message)
        if numbers:
            for name, sink in list(self._open.items()):
                self._safely(name, partial(sink.log, numbers, step))
        if isinstance(message, RunStopped):
            self.close()

    def close(self) -> None:
        """Let every sink write what is left."""
        while self._open:
            name, sink = self._open.popitem()
            self._safely(name, sink.close)

    def _begin(self, name: str) -> None:
        place = self._folder / "sinks" / name
        place.mkdir(parents=True, exist_ok=True)
        self._open[name] = _opened(name, place)

    def _safely(self, name: str, work: Callable[[], None]) -> None:
        """Do it. Whatever a foreign library raises loses the sink, and nothing else."""
        try:
            work()
        except Exception as error:
            self._open.pop(name, None)
            why = " ".join((str(error).splitlines() or [""])[0].split()) or type(error).__name__
            self._tell(f"the sink {name} is lost ({why}); the run goes on, and its journal has every number")


def _module(name: str) -> _Module:
    return cast("_Module", importlib.import_module(f"autotelic.dashboard.sinks.to_{name}"))


def _opened(name: str, place: Path) -> Sink:
    """The tool, writing below a folder. Raises AutotelicError where its library, or a part of it, is missing."""
    try:
        return _module(name).open_sink(place)
    except ImportError as error:
        raise AutotelicError(
            f"{error.name or name} is not installed", f"`pip install {PACKAGES.get(name, name)}`"
        ) from error


class _Module(Protocol):
    """What each of the files is."""

    def open_sink(self, folder: Path) -> Sink:
        """The tool, writing below a folder that is there."""


PACKAGES = {"mlflow": "mlflow-skinny sqlalchemy alembic"}
"""What to install for a sink, where it is not its name."""


def numbers_of(message: Message) -> tuple[Numbers, int]:
    """The numbers of a message that a curve can be drawn of, by name, and their step. Empty for most messages."""
    found: dict[str, float | None] = {}
    step = message.generation
    if isinstance(message, Updated):
        step = message.step
        found = {
            f"update/{name}": value for name, value in asdict(message.report).items() if name != "skipped"
        }
    elif isinstance(message, Evaluated):
        overall = message.report.overall
        for name in ("pass_at_1", "sampled_at_1", "pass_at_8", "best_of_8"):
            score = getattr(overall, name)
            found[f"exam/{message.report.exam}/{name}"] = None if score is None else score.value
        for cell, scores in message.report.cells.items():
            found[f"exam/{message.report.exam}/{cell}"] = scores.pass_at_1.value
    elif isinstance(message, GenerationEnded):
        found = {
            "generation/seconds": message.total_seconds,
            "generation/tokens": message.total_tokens,
            "generation/flops": message.total_flops,
        }
        for cell, state in message.cells.items():
            found |= {f"curriculum/{cell}/p": state.p, f"curriculum/{cell}/share": state.share}
    elif isinstance(message, CriticUpdated):
        calibration = message.calibration
        found = {
            "critic/ece": calibration.ece,
            "critic/auroc": calibration.auroc,
            "critic/brier": calibration.brier,
        }
    return {
        name: float(value) for name, value in found.items() if value is not None and math.isfinite(value)
    }, step
