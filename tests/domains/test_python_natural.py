"""The python domain in plain English: the same tasks as the compact style, read through code fences."""

from __future__ import annotations

import numpy as np
import pytest

from autotelic.domains.fences import last_block, without_fences
from autotelic.domains.literal import canonical
from autotelic.domains.python import SPECIAL, PythonDomain
from autotelic.errors import DomainError
from autotelic.types import Cell, Lineage, Proposal, Task

CELLS = [Cell(mode=mode, level=level) for level in (1, 2, 4) for mode in PythonDomain.modes]


@pytest.fixture(scope="module")
def natural(box):
    return PythonDomain(box, style="natural")


@pytest.fixture(scope="module")
def tasks(natural):
    return natural.rules(np.random.default_rng(3), CELLS)


def test_the_tasks_are_those_of_the_compact_style_put_into_words(domain, natural, tasks):
    compact = domain.rules(np.random.default_rng(3), CELLS)
    assert [t.cell for t in tasks] == CELLS
    for one, other in zip(compact, tasks, strict=True):
        assert (one.signature, one.cluster, one.secret) == (other.signature, other.cluster, other.secret)
        assert one.id != other.id
        assert one.prompt != other.prompt


def test_what_the_rules_set_is_solved_by_its_working_and_admitted_as_itself(natural, tasks):
    verdicts = natural.judge([(t, natural.answer(t.mode, natural.worked(t))) for t in tasks])
    assert [v.reason for v in verdicts] == ["right"] * len(tasks)
    proposals = [Proposal(text=natural.proposal(t), cell=t.cell, lineage=t.lineage) for t in tasks]
    assert natural.admit(proposals) == tasks


def test_prompts_are_words_that_hide_the_answer_and_end_with_a_newline(natural, tasks):
    asked = [natural.ask(cell, tasks[:n]) for cell in CELLS for n in (0, 1, 3)]
    for text in [*asked, *(task.prompt for task in tasks)]:
        assert text.endswith("\n")
        assert not any(special in text for special in SPECIAL)
    for task in tasks:
        if task.mode in ("induction", "repair"):
            assert task.secret["program"] not in task.prompt
            assert f"f({canonical(task.secret['pairs'][0][0])})==" in task.prompt


def test_a_deduction_and_an_induction_read_so(natural):
    text = "def f(x):\n    x = [v + 3 for v in x]\n    x = sum(x)\n    return x\nf([3,1,4])"
    asked = [Cell(mode=mode, level=2) for mode in ("deduction", "abduction", "induction")]
    deduction, abduction, induction = natural.admit(
        [Proposal(text=text, cell=cell, lineage=Lineage()) for cell in asked]
    )
    program = text.rpartition("\n")[0]
    assert deduction.prompt.endswith(f"\n\n{program}\n\nf([3,1,4])\n")
    assert abduction.prompt.endswith(f"\n\n{program}\n\nf(?)==17\n")
    assert "\nf([3,1,4])==17\n" in induction.prompt
    assert program not in induction.prompt
    assert natural.ask(asked[0], [deduction]).endswith(f" than these examples:\n\n{text}\n")
    assert "exactly 2 lines" in natural.ask(asked[0], [])


def test_prompts_of_a_mode_begin_with_the_same_words(natural, tasks):
    """So that what they have in common is run once (models/families.py): all but the task itself."""
    for mode in PythonDomain.modes:
        first, *others = [task.prompt for task in tasks if task.mode == mode]
        common = first[: first.index("\n\n")]
        assert len(common) > 100
        assert all(other.startswith(common) for other in others)


def test_an_induction_in_words_tells_the_same(domain, natural, tasks):
    compact = domain.rules(np.random.default_rng(3), CELLS)
    for one, other in zip(compact, tasks, strict=True):
        said = [[task.prompt[a:b] for a, b in natural.told(task)] for task in (one, other)]
        assert said[0] == said[1]
        assert bool(said[0]) == (one.mode in ("induction", "repair"))


def test_a_failed_program_comes_back_with_what_it_printed(natural, tasks):
    induction = next(t for t in tasks if t.mode == "induction" and isinstance(t.secret["pairs"][0][0], list))
    wrong = "def f(x):\n    return [x]"
    (verdict,) = natural.judge([(induction, natural.answer("induction", f"```python\n{wrong}\n```"))])
    assert not verdict.passed
    assert "<|" not in natural.retry(induction, verdict)
    repair = natural.repair(induction, wrong, verdict, Lineage())
    assert isinstance(repair, Task)
    assert repair.mode == "repair"
    assert f"This one is wrong:\n\n{wrong}\n\n" in repair.prompt
    assert natural.retry(induction, verdict).strip() in repair.prompt
    assert "<|" not in repair.prompt
    assert natural.judge([(repair, natural.answer("repair", natural.worked(induction)))])[0].passed


@pytest.mark.parametrize(
    ("mode", "completion", "answer"),
    [
        ("deduction", "[6,4]\n10", "10"),
        ("deduction", "```json\n[6,4]\n10\n```\n", "10"),
        ("abduction", "`[3,1]`", "[3,1]"),
        ("deduction", "", ""),
        ("induction", "Here:\n```python\ndef f(x):\n\n    return x\n```\nDone.", "def f(x):\n    return x"),
        ("induction", "```\ndef f(x):\n    return", "def f(x):\n    return"),
        ("repair", "def f(x):\n    return x\n", "def f(x):\n    return x"),
    ],
)
def test_answers_are_read_through_fences(natural, mode, completion, answer):
    assert natural.answer(mode, completion) == answer


def test_the_compact_style_reads_no_fences(domain):
    assert domain.answer("deduction", "```\n10\n```") == "```"
    assert domain.answer("induction", "```\nx\n```") == "```\nx\n```"


def test_a_fenced_proposal_is_the_same_task(natural, tasks):
    task = tasks[0]
    program, _, call = natural.proposal(task).rpartition("\n")
    for text in (f"```python\n{program}\n{call}\n```", f"```python\n{program}\n```\n\n{call}\n"):
        assert natural.admit([Proposal(text=text, cell=task.cell, lineage=task.lineage)]) == [task]


def test_fences():
    assert without_fences("```\na\n\n```\nb") == "a\nb"
    assert last_block("```\na\n```\n```\nb\n```") == "b"
    assert last_block("a\n\nb") == "a\nb"


def test_an_unknown_style_is_refused(box):
    with pytest.raises(DomainError, match="give 'compact' or 'natural'"):
        PythonDomain(box, style="verse")  # type: ignore[arg-type]
