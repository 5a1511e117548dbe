"""Assert-style tests, in a process that never holds the candidate.

Tests that run beside a candidate can be made to pass by it. Here the tests run in one sandboxed process and the
candidate in another, and they meet only as JSON: the tests call a stand-in that knows the outcomes of earlier calls.
At a call that it does not know yet the statement stops; the engine puts the call to the candidate, and the tests are
run again with what it answered. Nothing of either program is ever spliced into the other or into ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autotelic.sandbox.pool import Sandbox
from autotelic.sandbox.run import Run, decode

if TYPE_CHECKING:
    from autotelic.types import Json

MOST_ROUNDS = 64
MOST_CALLS = 1024

# A fixed program of ours: the tests reach it as an input, as text, like any other value.
DRIVER = """
import json

def drive(tests, entry, known):
    wanted, failed, passed = [], [], 0

    class Unknown(BaseException):
        pass

    class CandidateError(Exception):
        pass

    def call(*arguments):
        key = json.dumps(list(arguments), sort_keys=True)
        if key not in known:
            if key not in wanted:
                wanted.append(key)
            raise Unknown
        output, error = known[key]
        if error:
            raise CandidateError(error)
        return json.loads(output)

    scope = {"__name__": "tests", entry: call, "candidate": call}
    tree = compile(tests, "tests", "exec", 0x400)
    for node in tree.body:
        try:
            exec(compile(type(tree)([node], []), "tests", "exec"), scope)
            passed += 1
        except Unknown:
            pass
        except Exception as error:
            failed.append([node.lineno, type(error).__name__])
    return [wanted, failed, passed]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What tests said of a candidate: passed only if every statement ran and none failed.

    `failed` is a line of the tests and the exception's class for each statement that failed; `reason` says why
    the tests could not be run to their end; `calls` is how often they called the candidate.
    """

    passed: bool
    failed: tuple[tuple[int, str], ...] = ()
    reason: str = ""
    calls: int = 0


def check(box: Sandbox, source: str, *, entry: str, tests: str) -> Report:
    """Run `tests` against the function `entry` of `source`, which they may also call `candidate`.

    >>> from autotelic.sandbox import Sandbox
    >>> with Sandbox(workers=1) as box:  # doctest: +SKIP
    ...     check(box, "def f(x): return x + 1", entry="f", tests="assert f(1) == 2").passed
    True
    """
    known: dict[str, list[str]] = {}
    for _ in range(MOST_ROUNDS):
        run = box.run(DRIVER, entry="drive", inputs=[[tests, entry, known]])  # type: ignore[list-item]
        if not run.ok or run.outputs[0] is None:
            return Report(passed=False, reason=f"the tests: {run.status}, {run.reason}", calls=len(known))
        result: Any = decode(run.outputs[0])
        wanted, failed, _ = result
        if not wanted:  # until then a failure may be the doing of a statement before it that had to stop
            lines = tuple((int(line), str(name)) for line, name in failed)
            return Report(passed=not failed, failed=lines, calls=len(known))
        if len(known) + len(wanted) > MOST_CALLS:
            return Report(
                passed=False, reason=f"the tests made more than {MOST_CALLS} calls", calls=len(known)
            )
        answers = box.run(source, entry=entry, inputs=[_arguments(key) for key in wanted])
        if answers.status == "refused":
            return Report(passed=False, reason=f"the candidate: {answers.reason}", calls=len(known))
        known.update(zip(wanted, _outcomes(answers), strict=True))
    return Report(passed=False, reason=f"the tests were not done in {MOST_ROUNDS} rounds", calls=len(known))


def _arguments(key: str) -> Json:
    return decode(key)


def _outcomes(run: Run) -> list[list[str]]:
    return [[output or "", error] for output, error in zip(run.outputs, run.errors, strict=True)]
