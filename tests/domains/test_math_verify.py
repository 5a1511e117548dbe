"""The killable pool: a worker that hangs or dies costs one answer, and math-verify reads what we cannot."""

from __future__ import annotations

import sys
import threading

import pytest
from answering import judged

from autotelic.domains.math import MathDomain, Verifier
from autotelic.errors import DomainError
from autotelic.types import Cell, Lineage, Proposal, Task

STUB = """
import json, sys, time
print("ready", flush=True)
for line in sys.stdin:
    answer = json.loads(line)["answer"]
    if answer == "hang":
        time.sleep(1000)
    if answer == "die":
        sys.exit(1)
    print("right" if answer == json.loads(line)["gold"] else "wrong", flush=True)
"""
COMMAND = [sys.executable, "-c", STUB]


def test_a_hanging_or_dying_worker_costs_only_its_own_answer() -> None:
    with Verifier(workers=2, wall_s=0.5, command=COMMAND) as verifier:
        pairs = [("1", "1"), ("1", "hang"), ("1", "2"), ("1", "die"), ("3", "3"), ("4", "4")]
        assert verifier.compare(pairs) == ["right", "timeout", "wrong", "format", "right", "right"]


def test_it_works_off_the_main_thread() -> None:
    seen: list[str] = []
    with Verifier(command=COMMAND) as verifier:
        thread = threading.Thread(target=lambda: seen.extend(verifier.compare([("1", "1")])))
        thread.start()
        thread.join()
    assert seen == ["right"]


def test_a_worker_that_does_not_start_is_an_error_that_says_so() -> None:
    with (
        Verifier(command=[sys.executable, "-c", "raise SystemExit(1)"]) as verifier,
        pytest.raises(DomainError, match="did not start"),
    ):
        verifier.compare([("1", "1")])


def test_math_verify_reads_other_dress_but_is_never_asked_to_calculate() -> None:
    pytest.importorskip("math_verify")
    with Verifier(wall_s=10.0) as verifier:
        domain = MathDomain(style="natural", verifier=verifier)
        (task,) = domain.admit([Proposal(text="1/2+1", cell=Cell(mode="solve", level=3), lineage=Lineage())])
        assert isinstance(task, Task)
        answers = ["\\frac32", "1\\frac{1}{2}", "\\frac12", "\\frac{1}{2}+1", "\\sqrt{9/4}", "1.4999999"]
        passed = [verdict.passed for verdict in judged(domain, [(task, answer) for answer in answers])]
        assert passed == [True, True, False, False, False, False]
