"""The table of answers: what language models write around a value, and what the domain says of it."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from answering import judged

from autotelic.domains.math import MathDomain, Verifier
from autotelic.domains.math.domain import latex
from autotelic.domains.math.passages import find_answer
from autotelic.types import Cell, Lineage, Proposal, Task

TABLE = Path(__file__).with_name("answers.txt")
NATURAL = MathDomain(style="natural")


class Row(NamedTuple):
    """One answer of the table; `code` is why math-verify disagrees, and empty where it agrees."""

    task: str
    verdict: str
    answer: str
    code: str


def rows() -> Iterator[Row]:
    task = ""
    for line in TABLE.read_text(encoding="utf-8").split("\n"):
        if line.startswith("== "):
            task = line[3:].replace("⏎", "\n")
        elif line and not line.startswith("#"):
            verdict, answer, *code = line.split("\t")
            yield Row(task, verdict, answer.replace("⏎", "\n"), *(code or [""]))


@cache
def task_of(said: str) -> Task:
    mode, level, problem = said.split(" ", 2)
    cell = Cell(mode=mode, level=int(level))
    (task,) = NATURAL.admit([Proposal(cell=cell, text=problem, lineage=Lineage())])
    assert isinstance(task, Task), task
    return task


@pytest.mark.parametrize("row", list(rows()), ids=lambda row: f"{row.task[:20]}-{row.answer[:30]!r}")
def test_an_answer_of_the_table_has_its_verdict(row: Row) -> None:
    task = task_of(row.task)
    (verdict,) = judged(NATURAL, [(task, NATURAL.answer(task.mode, row.answer))])
    assert verdict.reason == row.verdict


def test_each_reason_for_disagreement_is_explained_and_used() -> None:
    explained = set(re.findall(r"^# ([a-z]+) +: ", TABLE.read_text(encoding="utf-8"), re.MULTILINE))
    assert explained == {row.code for row in rows()} - {""}


@pytest.mark.slow
def test_a_run_with_math_verify_judges_the_table_as_one_without() -> None:
    pytest.importorskip("math_verify")
    with Verifier(wall_s=20.0) as verifier:
        behind = MathDomain(style="natural", verifier=verifier)
        taken = []
        for row in rows():
            task = task_of(row.task)
            (verdict,) = judged(behind, [(task, behind.answer(task.mode, row.answer))])
            if verdict.passed != (row.verdict == "right"):
                taken.append(row.answer)
    assert taken == []


@pytest.mark.slow
def test_the_table_says_where_math_verify_disagrees(monkeypatch: pytest.MonkeyPatch) -> None:
    math_verify = pytest.importorskip("math_verify")
    monkeypatch.setattr(logging.root.manager, "disable", logging.CRITICAL)  # it logs what it cannot read

    def says_right(gold: str, answer: str) -> bool:
        """Whether it takes the answer for the gold as it is, within dollars, or in a box."""
        expected = math_verify.parse(f"${gold}$", parsing_timeout=None)
        for way in (answer, f"${answer}$", f"\\boxed{{{answer}}}"):
            try:
                found = math_verify.parse(way, parsing_timeout=None)
                if math_verify.verify(expected, found, timeout_seconds=None):
                    return True
            except Exception:  # some of what it parses it cannot compare
                continue
        return False

    solved = [row for row in rows() if row.task.startswith("solve")]
    disagree = [
        row.answer
        for row in solved
        if (row.verdict == "right") != says_right(latex(task_of(row.task).secret), row.answer)
    ]
    assert disagree == [row.answer for row in solved if row.code]


@pytest.mark.parametrize(
    ("end", "answer"),
    [
        ("Therefore, the number of eggs is 7.", "the number of eggs is 7."),
        (
            "Final Answer: The answer is $7$. I hope it is correct.",
            "The answer is $7$. I hope it is correct.",
        ),
        ("So it is 7. Thus we are done.", "it is 7. Thus we are done."),
    ],
)
def test_a_long_line_is_read_from_where_it_concludes(end: str, answer: str) -> None:
    work = "We have P(A) = (1/2) / (3/4) P(A) = (1/2) * (4/3), and so on, with 12 of them. " * 6
    assert find_answer(work + end) == answer
    assert find_answer(end) == end, "a short line is read whole"
