"""What a program does, whatever its text: keys of its outputs on the fixed probes of its kind of input."""

from __future__ import annotations

import hashlib

from autotelic.domains.literal import canonical
from autotelic.domains.programs.execution import Outcome
from autotelic.domains.programs.inputs import PROBES, kind_of
from autotelic.types import Json


def digest(parts: Json) -> str:
    """A hash of plain data, in hexadecimal."""
    return hashlib.sha256(canonical(parts).encode()).hexdigest()


def behaviour(kind: str, probed: Outcome) -> str:
    """A key of what a program does: its outputs on the probes of its kind of input."""
    outputs: list[Json] = [row if isinstance(row, str) else [row[-1]] for row in probed.rows]
    return digest([kind, outputs])[:32]


def form_of(kind: str, probed: Outcome) -> str:
    """The kinds of input and output, such as `ints>int`: answers to tasks of one form look alike."""
    kinds = {kind_of(output) or type(output).__name__ for _, output in _pairs(kind, probed)}
    return f"{kind}>{'|'.join(sorted(kinds))}"


def cluster(kind: str, probed: Outcome) -> str:
    """A coarse key of behaviour, such as `ints>ints shorter kept`."""
    pairs = _pairs(kind, probed)
    marks = [form_of(kind, probed)]
    if all(isinstance(given, list | str) and isinstance(output, list | str) for given, output in pairs):
        sizes = {(len(output) > len(given)) - (len(output) < len(given)) for given, output in pairs}  # type: ignore[arg-type]
        marks.append("longer" if 1 in sizes else "shorter" if -1 in sizes else "same length")
        kept = all(set(map(str, output)) <= set(map(str, given)) for given, output in pairs)  # type: ignore[arg-type]
        marks.append("kept" if kept else "changed")
    elif marks[0] == f"{kind}>int":
        outputs = [abs(output) for _, output in pairs if isinstance(output, int)]
        marks.append("digit" if max(outputs) < 10 else "hundred" if max(outputs) < 1000 else "large")
        if kind == "ints" and all(isinstance(given, list) and output in given for given, output in pairs):
            marks.append("kept")
    return " ".join(marks)


def _pairs(kind: str, probed: Outcome) -> list[tuple[Json, Json]]:
    """The probes on which the program did not raise, with its outputs."""
    rows = zip(PROBES[kind], probed.rows, strict=True)
    return [(given, row[-1]) for given, row in rows if not isinstance(row, str)]
