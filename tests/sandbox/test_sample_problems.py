"""Solutions pass their tests, and what is no solution does not: the verdict is that of Python in one process."""

import contextlib
import io
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from autotelic.sandbox import Limits, Sandbox
from autotelic.sandbox.asserting import check_all

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).resolve().parents[2])]

from sample_problems import SAMPLE  # noqa: E402

from bench.benchmarks import BenchmarkProblem, mutants, off_by_one, returns_none  # noqa: E402

PROBLEMS = [BenchmarkProblem(name, source, name, tests) for name, (source, tests) in SAMPLE.items()]


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(Limits(wall_s=60.0, cpu_s=2.0), workers=1, require="L0") as box:
        yield box


def passed(box: Sandbox, problems: list[BenchmarkProblem]) -> list[str]:
    reports = check_all(box, (problem.job() for problem in problems))
    return [problem.name for problem, report in zip(problems, reports, strict=True) if report.passed]


def passes_in_one_process(problem: BenchmarkProblem) -> bool:
    scope: dict[str, object] = {"__name__": "__main__"}
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(f"{problem.source}\n{problem.tests}", "both", "exec", dont_inherit=True), scope)
    except BaseException:
        return False
    return True


def test_there_are_enough() -> None:
    assert len(PROBLEMS) >= 30


def test_every_solution_passes(box: Sandbox) -> None:
    assert passed(box, PROBLEMS) == [problem.name for problem in PROBLEMS]


@pytest.mark.parametrize("change", [returns_none, off_by_one])
def test_nothing_else_does(change, box: Sandbox) -> None:
    assert passed(box, [change(problem) for problem in PROBLEMS]) == []


def test_mutants_get_the_verdict_of_python(box: Sandbox) -> None:
    halting = [problem for problem in PROBLEMS if "while" not in problem.source]
    changed = list(mutants(halting, 60))
    assert passed(box, changed) == [problem.name for problem in changed if passes_in_one_process(problem)]
