"""Assert-style tests, in a process that never holds the candidate.

Tests that run beside a candidate can be made to pass by it. Here they run in one sandboxed process and the candidate
in another, for as long as the tests last. The two take turns on a mapping that both have (`inside/crossing.py`).
The tests see of the candidate what Python would show them: values with their types, arguments that were changed in
place, exceptions by name, its helpers, classes and constants. What cannot cross is refused, and so is a comparison
that the candidate itself would decide.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from autotelic.sandbox.pool import Sandbox
from autotelic.sandbox.run import Job, Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What tests said of a candidate: passed only if every statement ran, was judged, and none failed.

    `failed` is a line of the tests and the exception's class for each statement that failed. `unjudged` is a line and
    why there is no verdict, for each statement that needed something which cannot cross. `reason` says why the tests
    could not be run to their end. `calls` is how often they called the candidate.
    """

    passed: bool
    failed: tuple[tuple[int, str], ...] = ()
    unjudged: tuple[tuple[int, str], ...] = ()
    reason: str = ""
    calls: int = 0


def check(box: Sandbox, source: str, *, entry: str, tests: str) -> Report:
    """Run `tests` against the function or class `entry` of `source`, which they may also call `candidate`.

    The limits of `box` are for the candidate and the tests together.

    >>> from autotelic.sandbox import Sandbox
    >>> with Sandbox(workers=1) as box:  # doctest: +SKIP
    ...     check(box, "def f(x): return x + 1", entry="f", tests="assert f(1) == 2").passed
    True
    """
    (report,) = check_all(box, [Job(source=source, entry=entry, tests=tests)])
    return report


def check_all(box: Sandbox, jobs: Iterable[Job]) -> Iterator[Report]:
    """A report for each job, which has `tests`; in order, taken only as fast as consumed."""
    return map(_report, box.map(jobs))


def _report(run: Run) -> Report:
    """The tests' own report, or why there is none. What their process wrote was checked to be JSON, and no more."""
    if not run.ok or run.outputs[0] is None:
        named = run.reason.startswith(("the tests: ", "the candidate: "))
        whose = "" if named else "the candidate: " if run.status == "refused" else "the tests: "
        return Report(passed=False, reason=f"{whose}{run.reason}")
    said = json.loads(run.outputs[0])
    failed, unjudged = (
        tuple((int(at), str(why)) for at, why in said[name]) for name in ("failed", "unjudged")
    )
    passed = not (failed or unjudged or said["reason"])
    return Report(
        passed=passed, failed=failed, unjudged=unjudged, reason=said["reason"], calls=int(said["calls"])
    )
