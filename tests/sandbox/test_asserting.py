"""Assert-style tests never share a process with the candidate."""

from collections.abc import Iterator

import pytest

from autotelic.sandbox import Job, Limits, Sandbox
from autotelic.sandbox.asserting import check, check_all

TESTS = """
assert f(1) == 2
assert f(2) == 3

def check(g):
    total = 0
    for x in range(4):
        total += g(x)
    assert total == 10

check(f)
check(candidate)
"""
RIGHT = "def f(x): return x + 1"


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(Limits(wall_s=2.0, cpu_s=2.0), workers=1, require="L0") as box:
        yield box


def test_a_right_candidate_passes(box: Sandbox) -> None:
    report = check(box, RIGHT, entry="f", tests=TESTS)
    assert report.passed
    assert report.calls == 10


def test_a_wrong_candidate_fails_where_it_is_wrong(box: Sandbox) -> None:
    report = check(box, "def f(x): return x + (x < 2)", entry="f", tests=TESTS)
    assert not report.passed
    assert (3, "AssertionError") in report.failed


CHEATS = {
    "always equal": "class E(int):\n def __eq__(self, o): return True\n __hash__ = None\ndef f(x): return E(7)",
    "patched assertion": "import builtins\nbuiltins.AssertionError = ValueError\ndef f(x): return 0",
    "leaves early": "import os\ndef f(x): os._exit(0)",
    "leaves when loaded": "raise SystemExit(0)",
    "says passed": "def f(x):\n print('passed')\n return 'passed'",
    "looks for the tests": "import sys\ndef f(x):\n g = sys._getframe(1)\n g.f_locals['failed'].clear()\n return 0",
    "no function": "g = 1",
}


@pytest.mark.parametrize("name", CHEATS)
def test_a_cheat_does_not_pass(box: Sandbox, name: str) -> None:
    assert not check(box, CHEATS[name], entry="f", tests=TESTS).passed


def test_tests_may_begin_with_a_mark_and_have_any_line_ends(box: Sandbox) -> None:
    for tests in ("\ufeffassert f(1) == 2", "\ufeffif True:\r\n\tassert f(1) == 2\r\n", "assert f(1) == 2\r"):
        assert check(box, "\ufeff" + RIGHT, entry="f", tests=tests).passed


def test_statements_may_lean_on_earlier_ones(box: Sandbox) -> None:
    assert check(box, RIGHT, entry="f", tests="x = f(1)\ny = f(x)\nassert y == 3").passed


def test_a_candidate_may_be_expected_to_raise(box: Sandbox) -> None:
    tests = "try:\n    f(0)\nexcept Exception:\n    pass\nelse:\n    assert False"
    assert check(box, "def f(x): return 1 // x", entry="f", tests=tests).passed
    assert not check(box, "def f(x): return x", entry="f", tests=tests).passed


@pytest.mark.parametrize(
    "tests",
    [
        "assert f(1) == ",
        "while True: pass",
        "import os\nos._exit(0)",
        "",
        "def check(g):\n    assert g(1) == 3",
    ],
)
def test_tests_that_cannot_be_run_pass_nothing(box: Sandbox, tests: str) -> None:
    report = check(box, RIGHT, entry="f", tests=tests)
    assert not report.passed
    assert report.reason


def test_what_cannot_cross_spoils_its_own_statement(box: Sandbox) -> None:
    tests = "assert f(1) == 2\nf(memoryview(b'x'))\nassert f(3) == 4"
    report = check(box, RIGHT, entry="f", tests=tests)
    assert not report.passed
    assert report.failed == ()
    assert [line for line, _ in report.unjudged] == [2]
    assert "memoryview" in report.unjudged[0][1]


def test_what_cannot_cross_back_is_refused(box: Sandbox) -> None:
    report = check(
        box, "def f(x): return memoryview(b'x')", entry="f", tests="try:\n    f(1)\nexcept:\n    pass"
    )
    assert not report.passed
    assert "memoryview" in report.unjudged[0][1]


def test_a_module_that_the_sandbox_has_not_is_no_fault_of_the_candidate(box: Sandbox) -> None:
    report = check(box, RIGHT, entry="f", tests="import pytest\nassert f(1) == 2")
    assert not report.passed
    assert report.failed == ()
    assert report.unjudged == ((1, "the sandbox has no module 'pytest'"),)


def test_infinity_is_an_argument_like_any_other(box: Sandbox) -> None:
    assert check(box, RIGHT, entry="f", tests="assert f(11)\nassert f(float('inf')) == float('inf')").passed


def test_loops_of_thousands_of_calls_are_one_run(box: Sandbox) -> None:
    source = "seen = []\ndef f(x):\n    seen.append(x)\n    return len(seen)"
    tests = "for i in range(3000):\n    assert f(i) == i + 1"
    with Sandbox(Limits(wall_s=60.0, cpu_s=20.0), workers=1, require="L0") as patient:
        report = check(patient, source, entry="f", tests=tests)
    assert report.passed, report
    assert report.calls == 3000


def test_a_comparison_that_the_candidate_would_decide_has_no_verdict(box: Sandbox) -> None:
    source = "class P:\n    def __eq__(self, other): return other == 2\ndef f(x): return P()"
    report = check(box, source, entry="f", tests="assert f(1) == 2\nassert f(1) is not None")
    assert [line for line, _ in report.unjudged] == [1]
    assert report.failed == ()


def test_what_the_tests_made_themselves_may_decide(box: Sandbox) -> None:
    source = (
        "class P:\n    def __init__(self, x): self.x = x\n    def __eq__(self, other): return other == self.x"
    )
    assert check(box, source, entry="P", tests="assert P(2) == 2\nassert not P(2) == 3").passed


def test_whose_time_was_over_is_said() -> None:
    with Sandbox(Limits(wall_s=0.5, cpu_s=0.5), workers=1, require="L0") as box:
        slow = check(box, "def f(x):\n    while True: pass", entry="f", tests="f(1)")
        idle = check(box, RIGHT, entry="f", tests="f(1)\nwhile True: pass")
    assert slow.reason.startswith("the candidate: took more than 0.5 s")
    assert idle.reason.startswith("the tests: took more than 0.5 s")


def test_a_program_that_cannot_be_loaded_is_named(box: Sandbox) -> None:
    assert check(box, "def f(x:", entry="f", tests="f(1)").reason.startswith("the candidate: SyntaxError")
    assert check(box, "1 / 0", entry="f", tests="f(1)").reason.startswith("the candidate: ZeroDivisionError")
    assert "no function" in check(box, "g = 1", entry="f", tests="f(1)").reason


def test_many_programs_are_judged_in_a_stream(box: Sandbox) -> None:
    jobs = [Job(source=f"def f(x): return x + {n}", entry="f", tests="assert f(1) == 2") for n in range(6)]
    assert [report.passed for report in check_all(box, jobs)] == [n == 1 for n in range(6)]
