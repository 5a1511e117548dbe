"""Repair against fresh samples: the same failures, the same tokens, both counted."""

from __future__ import annotations

import pytest
from fakes import FakeDomain, Scripted, Throws, prompt_of, right, task

from autotelic.errors import DomainError
from autotelic.exam.repair import evaluate_repair
from autotelic.exam.sealed import Exam

EXAM = Exam(name="sealed", items=tuple(task("double", 1, 1000 + n) for n in range(20)))


def compared(script, exam=EXAM, domain=None, **settings):
    policy = Scripted(script)
    settings = {"seed": 1, "temperature": 0.7, **settings}
    return evaluate_repair(exam, policy, domain or FakeDomain(), **settings), policy.requests


def doubled(prompt: str) -> str:
    """The answer to a task, also from the prompt that asks to repair one."""
    return right(" ".join(prompt.removeprefix("again ").split()[:3]))


def repairs(prompt, request):
    """Wrong at first and afresh; right where it reads a failure."""
    return [doubled(prompt) if prompt.startswith("again") else "7777"]


def test_what_reading_the_failure_solves():
    report, _ = compared(repairs)
    assert (report.modes, report.items, report.failed, report.unrepairable) == (("double",), 20, 20, 0)
    assert (report.repaired.value, report.resampled.value) == (1.0, 0.0)
    assert (report.comparison.wins, report.comparison.losses, report.comparison.verdict) == (20, 0, "better")
    assert report.gain is None
    assert report.read_tokens > report.repair_tokens == 20 * 5


def test_both_arms_sample_as_many_tokens():
    def never(prompt, request):
        return ["1" * (9 if prompt.startswith("again") else 4)]

    report, _ = compared(never)
    assert report.repair_tokens == 20 * 2 * 10
    assert report.repair_tokens <= report.resample_tokens < report.repair_tokens + 5
    assert (report.repaired.n, report.resampled.n, report.gain) == (20, 20, None)


def test_items_passed_at_the_first_turn_are_left_out():
    def half(prompt, request):
        return [doubled(prompt) if int(doubled(prompt)) % 4 == 0 else "7"]

    report, requests = compared(half)
    assert (report.items, report.failed) == (20, 10)
    assert requests[0].temperature == 0.0
    assert {r.temperature for r in requests[20:]} == {0.7}


def test_a_later_turn_reads_only_the_latest_failure():
    def third(prompt, request):
        if not prompt.startswith("again"):
            return ["0001"]
        return [doubled(prompt) if "not 0002" in prompt else "0002"]

    report, requests = compared(third)
    assert report.repaired.value == 1.0
    prompts = [prompt_of(request) for request in requests]
    assert sum("not 0002" in prompt for prompt in prompts) == 20
    assert not any("not 0001" in prompt and "not 0002" in prompt for prompt in prompts)
    assert compared(third, turns=2)[0].repaired.value == 0.0


def test_fresh_samples_solve_too_and_the_gain_is_relative():
    def afresh(prompt, request):
        number = int(doubled(prompt))
        if prompt.startswith("again"):
            return [str(number) if number % 4 == 0 else "7777"]
        lucky = request.temperature > 0 and number % 10 == 0
        return [str(number) if lucky else "7777"]

    report, _ = compared(afresh)
    assert (report.repaired.value, report.resampled.value) == (0.5, 0.2)
    assert report.gain == pytest.approx(1.5)


def test_a_failure_that_no_repair_can_start_from_counts_against_repair():
    report, _ = compared(lambda prompt, request: ["7777" if doubled(prompt)[-1] in "02" else ""])
    assert (report.failed, report.unrepairable, report.repaired.n) == (20, 12, 20)


def test_modes_whose_failures_cannot_be_repaired_are_left_out():
    mixed = Exam(name="sealed", items=(*EXAM.items, *(task("coin", 1, n) for n in range(5))))
    report, _ = compared(lambda prompt, request: ["7777"], mixed)
    assert (report.modes, report.items, report.failed) == (("double",), 20, 20)
    nothing, _ = compared(lambda prompt, request: [""], mixed)
    assert (nothing.modes, nothing.items, nothing.failed, nothing.repaired.n) == ((), 0, 0, 0)


def test_an_item_without_room_is_no_failure_to_learn_from():
    def short(prompt, request):
        return [] if prompt.endswith("1003\n") else repairs(prompt, request)

    assert compared(short)[0].failed == 19
    at_repair, _ = compared(lambda prompt, request: [] if prompt.startswith("again") else ["7777"])
    assert (at_repair.failed, at_repair.repaired.value, at_repair.repair_tokens) == (20, 0.0, 0)


def test_nothing_failed_and_nothing_to_repair():
    report, _ = compared(lambda prompt, request: [doubled(prompt)])
    assert (report.failed, report.repaired.n, report.repair_tokens) == (0, 0, 0)
    with pytest.raises(ValueError, match="2 or more"):
        compared(repairs, turns=1)
    throws = Throws()
    with pytest.raises(DomainError, match="throws domain makes no task of a failed answer"):
        compared(repairs, Exam(name="x", items=(throws.target(1),)), throws)


def test_the_comparison_is_a_function_of_its_seed():
    def moody(prompt, request):
        return [doubled(prompt) if request.seed % 3 == 0 else "7777"]

    assert compared(moody)[0] == compared(moody)[0]
    assert compared(moody)[0] != compared(moody, seed=2)[0]
