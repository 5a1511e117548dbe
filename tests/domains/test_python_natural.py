"""The python domain in plain English: the same tasks as the compact style, read through code fences."""

from __future__ import annotations

import numpy as np
import pytest
from answering import judged, learned, shown

from autotelic.domains.fences import last_block, without_fences
from autotelic.domains.literal import canonical
from autotelic.domains.programs.modes import MODES
from autotelic.domains.python import SPECIAL, PythonDomain
from autotelic.domains.python.shortest import _parts
from autotelic.domains.python.working import backwards, forwards, pairing
from autotelic.errors import DomainError
from autotelic.types import Cell, Lineage, Proposal, Task

CELLS = [Cell(mode=mode, level=level) for level in (1, 2, 4) for mode in MODES]


@pytest.fixture(scope="module")
def natural(box):
    return PythonDomain(box, style="natural")


@pytest.fixture(scope="module")
def tasks(natural):
    return natural.tasks(np.random.default_rng(3), CELLS)


def test_the_tasks_are_those_of_the_compact_style_put_into_words(domain, natural, tasks):
    compact = domain.tasks(np.random.default_rng(3), CELLS)
    assert [t.cell for t in tasks] == CELLS
    for one, other in zip(compact, tasks, strict=True):
        assert (one.signature, one.cluster) == (other.signature, other.cluster)
        assert one.mode == "abduction" or one.secret == other.secret
        assert one.id != other.id
        assert one.prompt != other.prompt


def test_what_the_rules_set_is_solved_by_its_working_and_admitted_as_itself(natural, tasks):
    verdicts = judged(natural, [(t, natural.answer(t.mode, shown(natural, t))) for t in tasks])
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
    for mode in MODES:
        first, *others = [task.prompt for task in tasks if task.mode == mode]
        common = first[: first.index("\n\n")]
        assert len(common) > 100
        assert all(other.startswith(common) for other in others)


def test_an_induction_in_words_tells_the_same(domain, natural, tasks):
    compact = domain.tasks(np.random.default_rng(3), CELLS)
    for one, other in zip(compact, tasks, strict=True):
        said = [learned(natural, task) for task in (one, other)]
        assert said[0] == said[1]
        assert bool(said[0]) == (one.mode in ("induction", "repair"))


def test_a_failed_program_comes_back_with_what_it_printed(natural, tasks):
    induction = next(t for t in tasks if t.mode == "induction" and isinstance(t.secret["pairs"][0][0], list))
    wrong = "def f(x):\n    return [x]"
    (verdict,) = judged(natural, [(induction, natural.answer("induction", f"```python\n{wrong}\n```"))])
    assert not verdict.passed
    repair = natural.repair(induction, wrong, verdict, Lineage())
    assert isinstance(repair, Task)
    assert repair.mode == "repair"
    assert f"This one is wrong:\n\n{wrong}\n\n" in repair.prompt
    assert verdict.feedback.removeprefix("<|repair|>").strip() in repair.prompt
    assert "<|" not in repair.prompt
    assert judged(natural, [(repair, natural.answer("repair", shown(natural, induction)))])[0].passed


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


def test_an_abduction_in_words_asks_for_no_more_than_its_output_needs(natural):
    text = "def f(x):\n    x = [v % 4 for v in x]\n    x = x.count(2)\n    return x\nf([6,2,9,6,1])"
    (task,) = natural.admit([Proposal(text=text, cell=Cell(mode="abduction", level=2), lineage=Lineage())])
    assert task.secret["pairs"] == [[[6, 2, 6], 3]]
    assert task.secret["trace"] == [[2, 2, 2], 3]
    assert shown(natural, task) == "[2,2,2]\n2=6%4,2=2%4,2=6%4\n[6,2,6]"


def test_working_goes_element_by_element_and_is_not_what_is_judged(natural):
    text = (
        "def f(x):\n    x = [v * 3 for v in x]\n    x = [v for v in x if v > 9]\n    x = sum(x)\n    return x"
    )
    cells = [Cell(mode=mode, level=3) for mode in ("deduction", "abduction")]
    deduction, abduction = natural.admit(
        [Proposal(text=f"{text}\nf([4,1,9])", cell=cell, lineage=Lineage()) for cell in cells]
    )
    lines = ["4*3=12,1*3=3,9*3=27", "[12,3,27]", "12 yes,3 no,27 yes", "[12,27]", "12+27=39", "39"]
    assert shown(natural, deduction) == "\n".join(lines)
    assert natural.answer("deduction", shown(natural, deduction)) == "39"
    assert shown(natural, abduction) == "[12,27]\n[12,27]\n12=4*3,27=9*3\n[4,9]"
    (induction,) = natural.admit(
        [Proposal(text=f"{text}\nf([4,1,9])", cell=Cell(mode="induction", level=3), lineage=Lineage())]
    )
    first, second, third = text.split("\n")[1:4]
    above = [
        "def f(x):",
        "# 4:12,1:3,9:27",
        first,
        "# [12,3,27]",
        "# 12 yes,3 no,27 yes",
        second,
        "# [12,27]",
    ]
    assert shown(natural, induction).split("\n") == [*above, third, "# 39", "    return x"]
    wrong = "4*3=11,1*3=3,9*3=27\n39"
    assert judged(natural, [(deduction, natural.answer("deduction", wrong))])[0].passed


@pytest.mark.parametrize(
    ("expression", "before", "after"),
    [
        ("x[::-1]", [1, 2], [2, 1]),
        ("[v + x[0] for v in x]", [1, 2], [2, 3]),
        ("[v + i for i, v in enumerate(x)]", [1, 2], [1, 3]),
        ("[v for v in x]", [1, 2], [1, 2]),
        ("[v * 2 for v in x if v > 1]", [1, 2], [4]),
        ("[v * 2 for v in x]", ["a"], ["aa"]),
        ("x + 1", 3, 4),
    ],
)
def test_what_is_not_reckoned_element_by_element_has_no_working(expression, before, after):
    for working in (forwards, backwards, pairing):
        assert working(expression, before, after) == ""


def test_of_many_elements_one_stretch_is_left_out():
    longer = _parts(list(range(9)))
    assert longer[0] == [8]
    assert [0, 8] in longer
    assert [0, 2, 4, 6, 8] not in longer
    assert _parts("abc") == ["a", "b", "c", "ab", "ac", "bc"]
    assert _parts(7) == []
