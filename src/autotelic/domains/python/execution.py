"""Running programs: many at once through the sandbox, what they did as plain records, and a memory of both."""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from autotelic.domains.literal import canonical
from autotelic.domains.python.program import Program, traced_source
from autotelic.sandbox import Job, Run, Sandbox
from autotelic.types import Json

REMEMBERED = 50_000
"""Outcomes kept. A generation asks for a few thousand, and siblings often answer alike."""
_LONG_INTEGER = re.compile(r"[0-9]{1000}")
"""Longer than any answer can be; also what keeps the interpreter's limit on digits out of reach."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A program to run on `inputs`. With `probe`, also ask which lines can be left out (`Outcome.idle`),
    judged on the inputs from number `probe` on; with `twice`, run under a second hash seed as well.
    """

    program: Program
    inputs: tuple[Json, ...]
    probe: int = -1
    twice: bool = False

    @property
    def key(self) -> tuple[Program, str, int, bool]:
        return self.program, canonical(list(self.inputs)), self.probe, self.twice


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a program did. `stop` is empty, or the reason why it as a whole gave nothing (`timeout`, ...).

    `rows[i]` holds the values after each line on input i, or the name of the exception it raised. `idle` are
    the lines without which every probed output stays the same.
    """

    stop: str = ""
    rows: tuple[list[Json] | str, ...] = ()
    idle: tuple[int, ...] = ()

    def output(self, i: int) -> Json:
        """The value returned for input i; only where `rows[i]` is a list."""
        return self.rows[i][-1]


class Executor:
    """Asks answered in batches: one `box.map` for all that is not remembered, and one more for the few whose
    inputs must be run singly because some of them raised.
    """

    def __init__(self, box: Sandbox) -> None:
        self.box = box
        self._known: OrderedDict[tuple[Program, str, int, bool], Outcome] = OrderedDict()

    def run(self, asks: Sequence[Ask]) -> list[Outcome]:
        """One outcome an ask, in order; equal asks are run once."""
        keys = [ask.key for ask in asks]
        found: dict[tuple[Program, str, int, bool], Outcome] = {}
        fresh: dict[tuple[Program, str, int, bool], Ask] = {}
        for key, ask in zip(keys, asks, strict=True):
            if key in self._known:
                self._known.move_to_end(key)
                found[key] = self._known[key]
            else:
                fresh[key] = ask
        for key, outcome in zip(fresh, self._execute(list(fresh.values())), strict=True):
            found[key] = outcome
            # A timeout may be the machine's fault rather than the program's, so it is not remembered.
            if outcome.stop not in ("timeout", "crashed"):
                self._known[key] = outcome
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return [found[key] for key in keys]

    def _execute(self, asks: Sequence[Ask]) -> list[Outcome]:
        outcomes: list[Outcome | None] = [
            _together(ask, run)
            for ask, run in zip(asks, self.box.map(map(_job_together, asks)), strict=True)
        ]
        rest = [i for i, outcome in enumerate(outcomes) if outcome is None]
        for i, run in zip(rest, self.box.map(_job_singly(asks[i]) for i in rest), strict=True):
            outcomes[i] = _singly(asks[i], run)
        return [outcome for outcome in outcomes if outcome is not None]


def _skips(ask: Ask) -> range:
    """The lines to try leaving out: all but where one is all there is."""
    return range(ask.program.level if ask.probe >= 0 and ask.program.level > 1 else 0)


def _job_together(ask: Ask) -> Job:
    probes = list(ask.inputs[ask.probe :])
    cases: list[Json] = [[list(ask.inputs), -1, 1]]
    cases += [[probes, skip, -1] for skip in _skips(ask)]
    return Job(source=traced_source(ask.program), entry="f", inputs=tuple(cases), twice=ask.twice)


def _together(ask: Ask, run: Run) -> Outcome | None:
    """The outcome, or None where the inputs have to be run singly to know which of them raised."""
    if run.status not in ("ok", "error"):
        return Outcome(stop=_stopped(run))
    text = run.outputs[0]
    if text is None:
        return None
    if _LONG_INTEGER.search(text):
        return Outcome(stop="output")
    rows: list[list[Json]] = json.loads(text)
    if not _skips(ask):
        return Outcome(rows=tuple(rows))
    expected = canonical([[row[-1]] for row in rows[ask.probe :]])
    return Outcome(rows=tuple(rows), idle=tuple(i for i in _skips(ask) if run.outputs[1 + i] == expected))


def _job_singly(ask: Ask) -> Job:
    cases: list[Json] = [[[given], -1, 1] for given in ask.inputs]
    cases += [[[given], skip, -1] for skip in _skips(ask) for given in ask.inputs[ask.probe :]]
    return Job(source=traced_source(ask.program), entry="f", inputs=tuple(cases), twice=ask.twice)


def _singly(ask: Ask, run: Run) -> Outcome:
    if run.status not in ("ok", "error"):
        return Outcome(stop=_stopped(run))
    count = len(ask.inputs)
    rows: list[list[Json] | str] = []
    for text, error in zip(run.outputs[:count], run.errors[:count], strict=True):
        if text is not None and _LONG_INTEGER.search(text):
            return Outcome(stop="output")
        if text is None:
            name = error.partition(":")[0]
            if "JSON" in error:
                return Outcome(stop="output")
            rows.append(name)
        else:
            rows.append(json.loads(text)[0])
    probed = rows[ask.probe :] if ask.probe >= 0 else []
    expected = [None if isinstance(row, str) else canonical([[row[-1]]]) for row in probed]
    left_out = [run.outputs[count + i * len(probed) : count + (i + 1) * len(probed)] for i in _skips(ask)]
    return Outcome(rows=tuple(rows), idle=tuple(i for i, got in enumerate(left_out) if list(got) == expected))


def _stopped(run: Run) -> str:
    return run.reason if run.reason == "nondeterministic" else run.status
