"""Running programs: many at once through the sandbox, what they did as plain records, and a memory of both.

A program of a few lines runs in microseconds and a process starts in milliseconds, so programs share one. How
many programs become one job is a domain's own affair (`bundled`). What they share is the limits: a bundle
that hits one is run again in smaller ones, to tell whose fault it was.
"""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from autotelic.errors import SandboxError
from autotelic.sandbox import Job, Run, Sandbox
from autotelic.types import Json

BUNDLES = (128, 16, 1)
"""Programs that share a process, at first, and after each time that a limit was hit."""
SUSPICIOUS = 32
"""So many programs that all die, each in a process of its own, are not what is wrong."""
P = TypeVar("P", bound=Hashable)
"""What is run: whatever a `bundled` can make jobs of. Equal programs do the same."""
Key = tuple[Hashable, str, int, bool, bool]
REMEMBERED = 8_000
"""Outcomes kept, of a few KiB each. A generation asks for a few thousand, and siblings often answer alike."""
_LONG_INTEGER = re.compile(r"[0-9]{1000}")
"""Longer than any answer can be; also what keeps the interpreter's limit on digits out of reach."""


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
    """Asks answered in batches, in one `box.map` for all that is not remembered. `bundled` makes one job of
    several asks that agree on `twice`; a case's output is [trace, rows, idle], as `Outcome` has them.
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
