"""Running programs: many at once through the sandbox, what they did as plain records, and a memory of both.

A program of a few lines runs in microseconds and a process starts in milliseconds, so programs share one, and
with it what they have in common: an operation is compiled once a process, as a function of `x`, and a program
is a list of them. They cannot reach each other: the whitelist leaves them no name but their argument, no
attribute, no statement, and nothing that is still to be evaluated when its line is over. What is shared is
the limits; a bundle that hits one is run again in smaller ones, to tell whose fault it was.
"""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from autotelic.domains.python.program import Program
from autotelic.errors import SandboxError
from autotelic.sandbox import Job, Run, Sandbox
from autotelic.types import Json

BUNDLES = (128, 16, 1)
"""Programs that share a process, at first, and after each time that a limit was hit."""
SUSPICIOUS = 32
"""So many programs that all die, each in a process of its own, are not what is wrong."""
P = TypeVar("P", bound=Hashable)
"""What is run: a `Program` here, anything that a `bundled` of its own makes jobs of elsewhere."""
Key = tuple[Hashable, str, int, bool, bool]
REMEMBERED = 8_000
"""Outcomes kept, of a few KiB each. A generation asks for a few thousand, and siblings often answer alike."""
_LONG_INTEGER = re.compile(r"[0-9]{1000}")
"""Longer than any answer can be; also what keeps the interpreter's limit on digits out of reach."""

DRIVER = """
def run(lines, inputs, probe, traced):
    steps = [OPERATIONS[line] for line in lines]
    runs = [follow(steps, given) for given in inputs]
    trace = runs[0][0][1:] if traced and len(runs[0][0]) > len(steps) else []
    tried = range(len(steps) if probe >= 0 and len(steps) > 1 else 0)
    return [trace, [row for _, row in runs], [i for i in tried if idle(steps, runs[probe:], i)]]

def follow(steps, value):
    values = [value]
    try:
        for step in steps:
            value = step(value)
            values.append(value)
    except Exception as error:
        return values, type(error).__name__
    return values, [value]

def idle(steps, runs, i):
    rest = steps[i + 1:]
    return all(i >= len(values) or follow(rest, values[i])[1] == row for values, row in runs)
"""
"""What calls the programs inside the sandbox. Nothing of a model's is in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask(Generic[P]):
    """A program to run on `inputs`.

    With `traced`, also ask for the values after each line on the first input, all of which must then be plain
    data; with `probe`, which lines can be left out (`Outcome.idle`), judged on the inputs from number `probe`
    on; with `twice`, run under a second hash seed as well.
    """

    program: P
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


class Executor(Generic[P]):
    """Asks answered in batches, in one `box.map` for all that is not remembered. `bundled` makes one job of several
    asks that agree on `twice`; a case's output is [trace, rows, idle], as `Outcome` has them.
    """

    def __init__(self, box: Sandbox, bundled: Callable[[Sequence[Ask[P]]], Job]) -> None:
        self.box = box
        self._bundled = bundled
        self._known: OrderedDict[Key, Outcome] = OrderedDict()

    def run(self, asks: Sequence[Ask[P]]) -> list[Outcome]:
        """One outcome an ask, in order; equal asks are run once."""
        keys = [ask.key for ask in asks]
        found: dict[Key, Outcome] = {}
        fresh: dict[Key, Ask[P]] = {}
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

    def _execute(self, asks: Sequence[Ask[P]]) -> list[Outcome]:
        outcomes: list[Outcome | None] = [None] * len(asks)
        # Neighbours in a bundle must agree on `twice`, which is the job's.
        for twice in (False, True):
            pending = [i for i, ask in enumerate(asks) if ask.twice is twice]
            for size in BUNDLES:
                bundles = [pending[n : n + size] for n in range(0, len(pending), size)]
                runs = list(self.box.map(self._bundled([asks[i] for i in bundle]) for bundle in bundles))
                if size == 1:
                    _check(runs)
                for bundle, run in zip(bundles, runs, strict=True):
                    if run.status in ("ok", "error") or len(bundle) == 1:
                        for n, i in enumerate(bundle):
                            outcomes[i] = _outcome(run, n)
                pending = [i for i in pending if outcomes[i] is None]
        return [outcome for outcome in outcomes if outcome is not None]


def bundled(asks: Sequence[Ask[Program]]) -> Job:
    """One job for all of them: their operations as source, from the checked expressions alone, and a case an
    ask. The asks must agree on `twice`.
    """
    number: dict[str, int] = {}
    cases: list[Json] = []
    for ask in asks:
        lines: list[Json] = [number.setdefault(e, len(number)) for e in ask.program.expressions]
        cases.append([lines, list(ask.inputs), ask.probe, ask.traced])
    operations = "".join(f"    lambda x: {expression},\n" for expression in number)
    return Job(
        source=f"{DRIVER}\nOPERATIONS = [\n{operations}]\n",
        entry="run",
        inputs=tuple(cases),
        twice=asks[0].twice,
    )


def _check(alone: Sequence[Run]) -> None:
    """Raise where the sandbox, and not a program, must be what is broken."""
    if len(alone) >= SUSPICIOUS and all(run.status == "crashed" for run in alone):
        raise SandboxError(
            f"all of {len(alone)} programs died in the sandbox: {alone[0].reason}",
            "run `autotelic doctor` to see what this machine's sandbox can do",
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
