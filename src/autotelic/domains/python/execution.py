"""Running programs: many at once through the sandbox, what they did as plain records, and a memory of both.

A program of a few lines runs in microseconds and a process starts in milliseconds, so `BUNDLE` programs share
one. They cannot reach each other: the whitelist leaves them no name but their argument, no attribute and no
statement. What is shared is the limits; a bundle that hits one is run again, one program a process, to tell
whose fault it was.
"""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from autotelic.domains.python.program import Program, traced
from autotelic.errors import SandboxError
from autotelic.sandbox import Job, Run, Sandbox
from autotelic.types import Json

BUNDLE = 32
"""Programs that share a process."""
Key = tuple[Program, str, int, bool, bool]
REMEMBERED = 8_000
"""Outcomes kept, of a few KiB each. A generation asks for a few thousand, and siblings often answer alike."""
_LONG_INTEGER = re.compile(r"[0-9]{1000}")
"""Longer than any answer can be; also what keeps the interpreter's limit on digits out of reach."""

DRIVER = """
def run(which, inputs, probe, traced):
    program, lines = PROGRAMS[which]
    outputs, trace = [], []
    for given in inputs:
        try:
            values = program(given, -1)
        except Exception as error:
            outputs.append(type(error).__name__)
        else:
            if traced and not outputs:
                trace = values
            outputs.append([values[-1]])
    tried = range(lines if probe >= 0 and lines > 1 else 0)
    return [trace, outputs, [i for i in tried if idle(program, inputs[probe:], outputs[probe:], i)]]

def idle(program, inputs, outputs, skip):
    for given, output in zip(inputs, outputs):
        try:
            without = [program(given, skip)[-1]]
        except Exception as error:
            without = type(error).__name__
        if without != output:
            return False
    return True
"""
"""What calls the programs inside the sandbox. Nothing of a model's is in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A program to run on `inputs`.

    With `traced`, also ask for the values after each line on the first input, all of which must then be plain
    data; with `probe`, which lines can be left out (`Outcome.idle`), judged on the inputs from number `probe`
    on; with `twice`, run under a second hash seed as well.
    """

    program: Program
    inputs: tuple[Json, ...]
    probe: int = -1
    traced: bool = False
    twice: bool = False

    @property
    def key(self) -> Key:
        # The repr of plain data tells types apart as its JSON does, and is quicker to make.
        return self.program, repr(self.inputs), self.probe, self.traced, self.twice


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a program did. `stop` is empty, or the reason why it as a whole gave nothing (`timeout`, ...).

    `rows[i]` is the output for input i as a list of one, or the name of the exception that was raised.
    `trace` are the values after each line on the first input, empty where that raised or nobody asked. `idle`
    are the lines without which every probed output stays the same.
    """

    stop: str = ""
    rows: tuple[list[Json] | str, ...] = ()
    trace: tuple[Json, ...] = ()
    idle: tuple[int, ...] = ()


class Executor:
    """Asks answered in batches, in one `box.map` for all that is not remembered."""

    def __init__(self, box: Sandbox) -> None:
        self.box = box
        self._known: OrderedDict[Key, Outcome] = OrderedDict()

    def run(self, asks: Sequence[Ask]) -> list[Outcome]:
        """One outcome an ask, in order; equal asks are run once."""
        keys = [ask.key for ask in asks]
        found: dict[Key, Outcome] = {}
        fresh: dict[Key, Ask] = {}
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
        outcomes: list[Outcome | None] = [None] * len(asks)
        # Neighbours in a bundle must agree on `twice`, which is the job's.
        for twice in (False, True):
            chosen = [i for i, ask in enumerate(asks) if ask.twice is twice]
            bundles = [chosen[n : n + BUNDLE] for n in range(0, len(chosen), BUNDLE)]
            for bundle, run in zip(bundles, self._map(asks, bundles), strict=True):
                if run.status in ("ok", "error") or len(bundle) == 1:
                    for n, i in enumerate(bundle):
                        outcomes[i] = _outcome(run, n)
            rest = [[i] for i in chosen if outcomes[i] is None]
            alone = self._map(asks, rest)
            if len(alone) >= BUNDLE and all(run.status == "crashed" for run in alone):
                raise SandboxError(
                    f"all of {len(alone)} programs died in the sandbox: {alone[0].reason}",
                    "run `autotelic doctor` to see what this machine's sandbox can do",
                )
            for (i,), run in zip(rest, alone, strict=True):
                outcomes[i] = _outcome(run, 0)
        return [outcome for outcome in outcomes if outcome is not None]

    def _map(self, asks: Sequence[Ask], bundles: Sequence[Sequence[int]]) -> list[Run]:
        jobs = (_job([asks[i] for i in bundle]) for bundle in bundles)
        return list(self.box.map(jobs))


def _job(asks: Sequence[Ask]) -> Job:
    programs = "".join(f"    ({traced(ask.program)}, {ask.program.level}),\n" for ask in asks)
    cases: list[Json] = [[n, list(ask.inputs), ask.probe, ask.traced] for n, ask in enumerate(asks)]
    return Job(
        source=f"{DRIVER}\nPROGRAMS = [\n{programs}]\n", entry="run", inputs=tuple(cases), twice=asks[0].twice
    )


def _outcome(run: Run, n: int) -> Outcome:
    if run.status not in ("ok", "error"):
        return Outcome(stop="nondeterministic" if run.reason == "nondeterministic" else run.status)
    text = run.outputs[n]
    # The driver catches what a program raises; what is left is a value that is no JSON, or too much of it.
    if text is None or _LONG_INTEGER.search(text):
        return Outcome(stop="output")
    trace, rows, idle = json.loads(text)
    return Outcome(rows=tuple(rows), trace=tuple(trace), idle=tuple(idle))
