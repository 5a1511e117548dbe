"""Assert-style tests never share a process with the candidate."""

from collections.abc import Iterator

import pytest

from autotelic.sandbox import Limits, Sandbox
from autotelic.sandbox.asserting import check

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
    assert report.calls == 4


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


def test_statements_may_lean_on_earlier_ones(box: Sandbox) -> None:
    assert check(box, RIGHT, entry="f", tests="x = f(1)\ny = f(x)\nassert y == 3").passed


def test_a_candidate_may_be_expected_to_raise(box: Sandbox) -> None:
    tests = "try:\n    f(0)\nexcept Exception:\n    pass\nelse:\n    assert False"
    assert check(box, "def f(x): return 1 // x", entry="f", tests=tests).passed
    assert not check(box, "def f(x): return x", entry="f", tests=tests).passed


@pytest.mark.parametrize("tests", ["assert f(1) == ", "while True: pass", "import os\nos._exit(0)"])
def test_tests_that_cannot_be_run_pass_nothing(box: Sandbox, tests: str) -> None:
    report = check(box, RIGHT, entry="f", tests=tests)
    assert not report.passed
    assert report.reason
