"""Repair against fresh samples: the same failures, the same tokens, both counted."""

from __future__ import annotations

import pytest
from schoolroom import Letters, Schoolroom, Scripted, right, task

from autotelic.exam.repair import sit_repair
from autotelic.exam.sealed import Exam
from autotelic.exam.sitting import Examinee

EXAM = Exam(name="sealed", items=tuple(task("double", 1, 1000 + n) for n in range(20)))


def compared(script, exam=EXAM, **settings):
    sampler = Scripted(script)
    examinee = Examinee(sampler=sampler, tokens=Letters(), domain=Schoolroom())
    settings = {"mode": "double", "max_tokens": 20, "seed": 1, **settings}
    return sit_repair(exam, examinee, **settings), sampler.requests


def doubled(prompt: str) -> str:
    """The answer to a task, also from the prompt that asks to mend it."""
    return right(" ".join(prompt.removeprefix("mend ").split()[:3]))


def mends(prompt, request):
    """Wrong at first and afresh; right where it reads a failure."""
    return [doubled(prompt) if prompt.startswith("mend") else "7777"]


def test_what_reading_the_failure_solves():
    report, _ = compared(mends)
    assert (report.items, report.failed, report.unmendable) == (20, 20, 0)
    assert (report.repaired.value, report.resampled.value) == (1.0, 0.0)
    assert (report.comparison.wins, report.comparison.losses, report.comparison.verdict) == (20, 0, "better")
    assert report.gain is None
    assert report.read_tokens > report.repair_tokens == 20 * 5


def test_both_arms_sample_as_many_tokens():
    def never(prompt, request):
        return ["1" * (9 if prompt.startswith("mend") else 4)]

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
        if not prompt.startswith("mend"):
            return ["0001"]
        return [doubled(prompt) if "not 0002" in prompt else "0002"]

    report, requests = compared(third)
    assert report.repaired.value == 1.0
    prompts = [Letters().decode(r.prompt_ids) for r in requests]
    assert sum("not 0002" in prompt for prompt in prompts) == 20
    assert not any("not 0001" in prompt and "not 0002" in prompt for prompt in prompts)
    assert compared(third, turns=2)[0].repaired.value == 0.0


def test_fresh_samples_solve_too_and_the_gain_is_relative():
    def afresh(prompt, request):
        number = int(doubled(prompt))
        if prompt.startswith("mend"):
            return [str(number) if number % 4 == 0 else "7777"]
        lucky = request.temperature > 0 and number % 10 == 0
        return [str(number) if lucky else "7777"]

    report, _ = compared(afresh)
    assert (report.repaired.value, report.resampled.value) == (0.5, 0.2)
    assert report.gain == pytest.approx(1.5)


def test_a_failure_that_no_repair_can_start_from_counts_against_repair():
    report, _ = compared(lambda prompt, request: [""])
    assert (report.failed, report.unmendable) == (20, 20)
    assert (report.repaired.value, report.repair_tokens, report.resample_tokens) == (0.0, 0, 0)


def test_nothing_failed_and_nothing_asked():
    report, _ = compared(lambda prompt, request: [doubled(prompt)])
    assert (report.failed, report.repaired.n, report.repair_tokens) == (0, 0, 0)
    assert compared(mends, mode="induction")[0].items == 0
    with pytest.raises(ValueError, match="2 or more"):
        compared(mends, turns=1)


def test_the_comparison_is_a_function_of_its_seed():
    def moody(prompt, request):
        return [doubled(prompt) if request.seed % 3 == 0 else "7777"]

    assert compared(moody)[0] == compared(moody)[0]
    assert compared(moody)[0] != compared(moody, seed=2)[0]
