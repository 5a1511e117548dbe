"""Tests see of a candidate what Python would show them: each of these passes in one process, and here in two."""

import contextlib
import io
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from autotelic.sandbox import Job, Limits, Sandbox
from autotelic.sandbox.asserting import check, check_all

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from attacks.harness import ProgramWithTests, load_tested

HONEST = load_tested("honest")
NAMED = pytest.mark.parametrize("program", HONEST, ids=[program.name for program in HONEST])


LIMITS = Limits(wall_s=30.0, cpu_s=10.0)


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(LIMITS, workers=1, require="L0") as box:
        yield box


@NAMED
def test_the_verdict_is_that_of_python(program: ProgramWithTests, box: Sandbox) -> None:
    report = check(box, program.source, entry=program.entry, tests=program.tests)
    assert report.passed, report


@NAMED
def test_an_honest_program_passes_in_one_process_too(program: ProgramWithTests) -> None:
    scope: dict[str, object] = {"__name__": "__main__"}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(program.source, "candidate", "exec", dont_inherit=True), scope)
        scope["candidate"] = scope[program.entry]
        exec(compile(program.tests, "tests", "exec", dont_inherit=True), scope)


@NAMED
def test_a_stub_does_not_pass(program: ProgramWithTests, box: Sandbox) -> None:
    """Tests that anything passes would pass without a look at what crosses."""
    stub = f"class Nothing:\n    pass\n\ndef {program.entry}(*given, **named):\n    return Nothing()\n"
    assert not check(box, stub, entry=program.entry, tests=program.tests).passed


def test_the_verdicts_are_the_same_without_the_core() -> None:
    jobs = [Job(source=p.source, entry=p.entry, tests=p.tests) for p in HONEST]
    with Sandbox(LIMITS, workers=1, require="L0", core=False) as plain:
        reports = zip(HONEST, check_all(plain, jobs), strict=True)
        assert {program.name: report for program, report in reports if not report.passed} == {}


def test_there_are_enough() -> None:
    assert len(HONEST) >= 50
