"""The forms that constrained decoding holds answers to: every right completion has the form of its mode."""

from __future__ import annotations

import pytest
import regex
from answering import shown

from autotelic.domains.math import MathDomain
from autotelic.domains.python import PythonDomain
from autotelic.streams import stream
from autotelic.types import Cell


@pytest.fixture(params=["math compact", "math natural", "python compact", "python natural"])
def domain(request, box):
    name, style = request.param.split()
    return MathDomain(style=style) if name == "math" else PythonDomain(box, style=style)


def test_every_right_completion_and_every_beginning_of_it_has_its_form(domain):
    cells = [Cell(mode=mode, level=level) for mode in domain.spec.modes for level in domain.spec.levels]
    tasks = domain.tasks(stream(0, "forms"), cells * 3)
    assert {task.mode for task in tasks} == set(domain.spec.modes)
    for task in tasks:
        form, worked = regex.compile(domain.form(task.mode)), shown(domain, task)
        assert form.fullmatch(worked), (str(task.cell), worked)
        assert all(form.fullmatch(worked[:at], partial=True) for at in range(len(worked)))
        # Nothing goes on after an answer but another answer, and no word comes before one.
        assert not form.fullmatch(worked + "\n")
        assert not form.fullmatch(f"The answer is {worked}", partial=True)


@pytest.mark.parametrize(
    ("mode", "text"),
    [
        ("deduction", "[1, 2]\n[]"),
        ("deduction", '"abc"\n[["a"],[1,2]]\ntrue'),
        ("induction", "def f(x):\n    x = x[::-1]\n    x = [v for v in x if v > 2]\n    return x"),
    ],
)
def test_what_the_judge_reads_has_the_form(box, mode, text):
    assert regex.fullmatch(PythonDomain(box).form(mode), text)


@pytest.mark.parametrize(
    ("mode", "text"),
    [
        ("deduction", "[1,2"),
        ("deduction", "01"),
        ("abduction", "x = [1]"),
        ("induction", "def g(x):\n    x = x + 1\n    return x"),
        ("induction", "def f(x):\n    return x"),
        ("induction", "def f(x):\n    print(x)\n    return x"),
    ],
)
def test_what_it_does_not_read_has_not(box, mode, text):
    assert not regex.fullmatch(PythonDomain(box).form(mode), text)


@pytest.mark.parametrize(
    ("mode", "text", "has"),
    [
        ("solve", "7*6-5\n42-5\n\\boxed{37}", True),
        ("solve", "\\boxed{-2,3/4}", True),
        ("solve", "\\boxed{x^2-4x+3}", True),
        ("solve", "37", False),
        ("solve", "\\boxed{}", False),
        ("solve", "\\boxed{The answer}", False),
        ("invert", "\\boxed{4/2}", False),
        ("model", "\\boxed{2x+3y=5;x-y=1}", True),
        ("model", "7+5\n\\boxed{7+5}", False),
    ],
)
def test_the_forms_of_mathematics(mode, text, has):
    assert bool(regex.fullmatch(MathDomain(style="natural").form(mode), text)) == has
