"""What goes in and what comes out: `Limits`, `Job`, `Usage`, `Run`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from autotelic.errors import SandboxError
from autotelic.sandbox import encoding
from autotelic.sandbox.inside import wire
from autotelic.sandbox.inside.encode import long_int

if TYPE_CHECKING:  # autotelic.types imports torch, which a program that only runs programs need not wait for
    from autotelic.types import Json

Status = Literal["ok", "error", "timeout", "memory", "output", "refused", "crashed"]

MAX_SOURCE_BYTES = 1 << 20
"""A program longer than this is refused unread: no honest one is, and a parser's time grows with it."""
MAX_CASES = 10_000
MAX_TEXT = 1 << 30
WHOSE = {1: "the tests: ", 2: "the candidate: "}
"""Whose turn it was when the time of a pair was over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one program may use, for all of its cases together.

    `wall_s` and `cpu_s` in seconds, `memory_mb` in MiB above what the bare interpreter needs, `output_kb` in
    KiB for the results and, separately, for what it printed (printing more is cut off, returning more fails).
    """

    wall_s: float = 1.0
    cpu_s: float = 1.0
    memory_mb: int = 256
    output_kb: int = 64

    def __post_init__(self) -> None:
        most = 3600
        bounds = (
            ("wall_s", 0.01, most),
            ("cpu_s", 0.01, most),
            ("memory_mb", 8, 1 << 16),
            ("output_kb", 1, 1 << 16),
        )
        for name, low, high in bounds:
            value = getattr(self, name)
            whole = name in ("memory_mb", "output_kb")
            if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
                kind = "a whole number" if whole else "a number"
                raise SandboxError(f"Limits.{name} is {value!r}", f"give {kind} between {low} and {high}")
            if not low <= value <= high:
                raise SandboxError(f"Limits.{name} is {value!r}", f"give a value between {low} and {high}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One program and the cases to call it with.

    `inputs[i]` is the list of arguments of case i: `[[3, 1]]` calls `entry([3, 1])`. `twice` also runs the
    program in a process whose hash seed differs, and refuses it as `nondeterministic` if any output differs.
    `tests`, in place of inputs, is Python that calls the entry from a process of its own; the output of such a job
    is the report of `autotelic.sandbox.asserting`.

    >>> Job(source="def f(a, b): return a + b", entry="f", inputs=([1, 2], [3, 4])).entry
    'f'
    """

    source: str
    entry: str
    inputs: tuple[Json, ...] = ()
    twice: bool = False
    tests: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a run cost: CPU and wall seconds of its process, and its peak resident memory in KiB."""

    cpu_s: float = 0.0
    wall_s: float = 0.0
    peak_kb: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a program did.

    `outputs[i]` is canonical JSON text (no spaces, sorted keys, ASCII; `1`, `1.0` and `true` stay different),
    or None where case i failed; `errors[i]` is `""` or `TypeName: message`. Compare outputs as text; `decode`
    turns one into a value. `status`:

    - `ok`: every case returned a JSON value
    - `error`: some case raised, or returned something that is no JSON value
    - `timeout`, `memory`, `output`: a limit ended it (cases that finished before keep their output)
    - `refused`: never judged by running: a syntax error, no such entry, bad input, or `nondeterministic`
    - `crashed`: the process died or left by itself
    """

    status: Status
    outputs: tuple[str | None, ...]
    errors: tuple[str, ...]
    reason: str = ""
    stdout: str = ""
    usage: Usage = Usage()

    @property
    def ok(self) -> bool:
        return self.status == "ok"


def refusal(cases: int, reason: str) -> Run:
    """A `refused` run: no case has an output, and every case says why."""
    return failure("refused", cases, reason)


def failure(status: Status, cases: int, reason: str, usage: Usage = Usage(), stdout: str = "") -> Run:
    """A run without a single output, and the same reason for every case."""
    nothing, errors = (None,) * cases, (reason,) * cases
    return Run(status=status, outputs=nothing, errors=errors, reason=reason, usage=usage, stdout=stdout)


def read_outcome(
    head: Sequence[int], results: bytearray, printed: bytearray, cases: int, limits: Limits, *, checked: bool
) -> Run:
    """A zygote's frame as a `Run`: `head` is what `wire.OUTCOME` unpacks, then its two bodies.

    `checked` says that the zygote has made sure that the results are lines as a candidate's report has them; a
    zygote in Python leaves that to this side, so that it keeps no copy for a later program to find.
    """
    _, state, detail, cpu_us, wall_us, peak_kb, _, _ = head
    if not checked and not wire.well_formed(results):
        state, results = wire.GARBLED, bytearray()
    usage = Usage(cpu_s=cpu_us / 1e6, wall_s=wall_us / 1e6, peak_kb=peak_kb)
    stdout = printed.decode("utf-8", "replace") if printed else ""
    lines = results.decode("ascii", "replace").split("\n")
    lines.pop()
    if state != wire.DONE:
        return _ended(state, detail, lines, cases, limits, usage, stdout)
    if len(lines) == cases and all([line[0] == wire.OUTPUT for line in lines]):  # noqa: C419 - faster
        outputs = tuple([line[1:] for line in lines])
        return Run(status="ok", outputs=outputs, errors=("",) * cases, stdout=stdout, usage=usage)
    first = lines[0] if lines else ""
    if first[:1] == wire.ABSENT:
        return failure("refused", cases, "the program defines no function of that name", usage, stdout)
    if first[:1] == wire.BROKEN:
        status: Status = "memory" if first.startswith("*MemoryError") else "error"
        return failure(status, cases, first[1:], usage, stdout)
    if len(lines) != cases:
        return failure("crashed", cases, "what it reported makes no sense", usage, stdout)
    return _mixed(lines, usage, stdout)


def _mixed(lines: list[str], usage: Usage, stdout: str) -> Run:
    """A finished run in which some case has no output."""
    outputs = tuple(line[1:] if line[0] == wire.OUTPUT else None for line in lines)
    errors = tuple("" if line[0] == wire.OUTPUT else _explain(line) for line in lines)
    status: Status = "error"
    if any(line[0] == wire.OVERSIZED for line in lines):
        status = "output"
    elif any(line.startswith("!MemoryError") for line in lines):
        status = "memory"
    reason = next(error for error in errors if error)
    return Run(status=status, outputs=outputs, errors=errors, reason=reason, stdout=stdout, usage=usage)


def _explain(line: str) -> str:
    kind = {wire.OVERSIZED: "OutputLimit: ", wire.UNENCODABLE: "NotJson: "}.get(line[0], "")
    return kind + line[1:]


def _ended(
    state: int, detail: int, lines: list[str], cases: int, limits: Limits, usage: Usage, stdout: str
) -> Run:
    """A run that did not finish; the cases before its end keep what they had."""
    status: Status = "crashed"
    if state in (wire.WALL, wire.CPU):
        whose = WHOSE.get(detail, "")
        limit = f"{limits.wall_s:g} s" if state == wire.WALL else f"{limits.cpu_s:g} s of CPU time"
        status, reason = "timeout", f"{whose}took more than {limit}"
    elif state == wire.SIGNALLED and detail == 9:
        status, reason = "memory", "the kernel killed it: out of memory"
    elif state == wire.SIGNALLED:
        reason = f"died of signal {detail}"
    elif state == wire.EXITED:
        reason = f"ended its own process with exit code {detail}"
    else:
        reason = "what it reported makes no sense"
    kept = [
        line for line in lines if line[:1] in (wire.OUTPUT, wire.RAISED, wire.OVERSIZED, wire.UNENCODABLE)
    ]
    # Only a deadline leaves results that can be believed: a process that died may have written anything.
    kept = kept[:cases] if status == "timeout" else []
    rest = cases - len(kept)
    outputs = tuple(line[1:] if line[0] == wire.OUTPUT else None for line in kept) + (None,) * rest
    errors = tuple("" if line[0] == wire.OUTPUT else _explain(line) for line in kept) + (reason,) * rest
    return Run(status=status, outputs=outputs, errors=errors, reason=reason, stdout=stdout, usage=usage)


def encode(value: Json) -> str:
    """Canonical JSON text of a trusted value; what a run's outputs are compared with.

    Raises `NotJsonError`, a TypeError, where a program that returned the value would have been told the same.

    >>> encode({"b": 1.0, "a": [True, 1]})
    '{"a":[true,1],"b":1.0}'
    """
    return encoding.encode(value, MAX_TEXT)


def decode(text: str) -> Json:
    """The value of an output. Unlike `json.loads`, takes integers of any length.

    >>> decode('[1,2.5]')
    [1, 2.5]
    """
    value: Json = json.loads(text, parse_int=long_int)
    return value
