"""What the Python domain can check without its judge, and tasks that a person writes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from autotelic.domains.python import PythonDomain
from autotelic.errors import DomainError
from autotelic.types import Cell, Episode, Task


def wrote(answer: str) -> Episode:
    return Episode(task_id="", steps=(), answer=answer)


def test_a_program_is_checked_on_what_its_task_shows_alone(domain: PythonDomain) -> None:
    shown = [[[n], n] for n in (1, 2, 3, 4)]
    task = Task(
        domain="python",
        mode="induction",
        level=1,
        prompt="",
        secret={"pairs": [*shown, [[5, 1], 6]], "program": "", "kind": "list"},
    )
    first = wrote("def f(x):\n    x = x[0]\n    return x")
    assert [v and v.passed for v in domain.check([(task, first)])] == [True]
    assert not domain.judge([(task, first)])[0].passed
    deduction = replace(task, mode="deduction", id="")
    assert domain.check([(deduction, wrote("1"))]) == [None]


def test_calls_that_a_person_writes_are_a_task(domain: PythonDomain) -> None:
    task = domain.pose("f([1,2]) == 3\nf([4])==4\n")
    assert task.prompt == "<|induction|>f([1,2])==3\nf([4])==4\n"
    answer = wrote("def f(x):\n    x = sum(x)\n    return x")
    assert domain.judge([(task, answer)])[0].passed
    for wrong in ("", "f(x)=3", "hello", "f([1])==1\n" * 5):
        with pytest.raises(DomainError):
            domain.pose(wrong)


def test_an_answer_of_the_right_form_is_that_of_another_task(domain: PythonDomain) -> None:
    cells = [Cell(mode=mode, level=1) for mode in ("induction", "deduction", "abduction") for _ in range(12)]
    tasks = domain.tasks(np.random.default_rng(0), cells)
    answers = domain.answers(tasks, np.random.default_rng(1))
    judged = domain.judge([(task, wrote(text)) for task, text in zip(tasks, answers, strict=True) if text])
    assert sum(text is not None for text in answers) >= 30
    asked = [task for task, text in zip(tasks, answers, strict=True) if text]
    assert not any(  # an argument of another task may be of another kind, and is then no argument of this one
        v.reason in ("format", "whitelist")
        for task, v in zip(asked, judged, strict=True)
        if task.mode != "abduction"
    )
    assert sum(v.passed or False for v in judged) <= 6
    assert domain.answers(tasks[:1], np.random.default_rng(0)) == [None]
