"""The functions domain: statements and loops, and programs that come with tests of their own."""

from __future__ import annotations

import re
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from answering import judged, learned, shown
from hypothesis import given, settings
from hypothesis import strategies as st

from autotelic.domains.functions import FunctionsDomain
from autotelic.domains.functions.answers import assert_text, parse_written
from autotelic.domains.functions.execution import MAX_TURNS, bundled
from autotelic.domains.functions.grammar import draw_function
from autotelic.domains.functions.source import Function, parse_function, vary
from autotelic.domains.programs.execution import Ask, Executor
from autotelic.domains.programs.modes import HELD_BACK, MODES, PROGRAMS, SHOWN
from autotelic.domains.programs.source import ProgramError
from autotelic.errors import DomainError
from autotelic.types import Cell, Lineage, Proposal, Rejection, Task

CELLS = [Cell(mode=mode, level=level) for level in (1, 2, 3, 4, 6, 8) for mode in MODES]
SUM = "def f(x):\n    total = 0\n    for v in x:\n        if v > 3:\n            total += v\n    return total"
FOREVER = "def f(x):\n    while 1 == 1:\n        x = x\n    return x"


@pytest.fixture(scope="module")
def functions(box):
    return FunctionsDomain(box)


@pytest.fixture(scope="module")
def tasks(functions):
    return functions.tasks(np.random.default_rng(3), CELLS)


@pytest.fixture(scope="module")
def executor(box):
    return Executor(box, bundled)


def admitted(functions, text: str, mode: str, level: int = 2) -> Task | Rejection:
    (found,) = functions.admit([Proposal(text=text, cell=Cell(mode=mode, level=level), lineage=Lineage())])
    return found


def reason(functions, task: Task, answer: str) -> str:
    (verdict,) = judged(functions, [(task, functions.answer(task.mode, answer))])
    assert verdict.passed == (verdict.reason == "right") == (verdict.reward == 1.0)
    return verdict.reason


# ── what a function is ───────────────────────────────────────────────────────────────────────────────────────


@given(st.integers(0, 10_000), st.integers(1, 8))
def test_drawn_functions_are_of_their_level_and_read_back(seed: int, level: int) -> None:
    _, function = draw_function(Random(seed), level)
    assert function.level == level
    assert parse_function(str(function)) == function
    assert parse_function(str(vary(Random(seed), function))).level == level


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        ("import os\n    return 1", "Import"),
        ("return open('a')", "call of open"),
        ("return x.__class__", "attribute __class__"),
        ("y.append(1)\n    return x", "name y"),
        ("global q\n    q = 1\n    return q", "Global"),
        ("len = 3\n    return len", "variable len"),
        ("_turned = 0\n    return x", "variable _turned"),
        ("f = 3\n    return f(x)", "variable f"),
        ("x[0] = 1\n    return x", "Assign of this kind"),
        ("a = b = x\n    return a", "Assign of this kind"),
        ("x.sort()\n    return x", "Expr of this kind"),
        ("def g(y):\n        return y\n    return x", "FunctionDef"),
        ("try:\n        return 1\n    finally:\n        return 2", "Try"),
        ("for v in x:\n        n = v\n    else:\n        n = 1\n    return n", "For of this kind"),
        ("with x as y:\n        return y", "With"),
        ("return (lambda: x)()", "call of Lambda"),
        ("x **= 9\n    return x", "AugAssign of this kind"),
        ("z = (v for v in x)\n    return 1", "generator"),
        ("return 'a\\x00'", "backslash"),
        ("pass\n    return x", "Pass"),
    ],
)
def test_what_is_not_on_the_list_is_refused(body: str, refused: str) -> None:
    with pytest.raises(ProgramError, match=re.escape(refused)):
        parse_function(f"def f(x):\n    {body}")


@pytest.mark.parametrize(
    "text",
    [
        "@g\ndef f(x):\n    return x",
        "def f(x, y=1):\n    return x",
        "def g(x):\n    return x",
        "def f(x):\n    return x\nprint(1)",
        "async def f(x):\n    return x",
        "x = 1",
        "",
        "def f(x):\n" + "    x = x\n" * 60 + "    return x",
        "def f(x):\n    return " + "(" * 300 + "x" + ")" * 300,
    ],
)
def test_what_is_no_such_function_is_refused(text: str) -> None:
    with pytest.raises(ProgramError):
        parse_function(text)


def test_its_text_is_what_unparse_prints() -> None:
    written = "def f(x):\n  n=0 # none yet\n  for  v in x :\n     n+=(v)\n  return   n"
    assert (
        str(parse_function(written)) == "def f(x):\n    n = 0\n    for v in x:\n        n += v\n    return n"
    )


# ── running ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_calls_are_traced_counted_and_apart(executor) -> None:
    grows = parse_function("def f(x):\n    x.append(1)\n    return len(x)")
    counts = parse_function(
        f"def f(x):\n    n = 0\n    for i in range({MAX_TURNS - 1}):\n        n += 1\n    return n"
    )
    asks = [
        Ask(program=parse_function(SUM), inputs=([5, 1, 4], [2], 3), traced=True),
        Ask(program=parse_function(FOREVER), inputs=(1, 2)),
        Ask(program=grows, inputs=([1], [1], [1])),
        Ask(program=counts, inputs=(0, 0)),
    ]
    ran, halts, grown, counted = executor.run(asks)
    assert ran.rows == ([9], [0], "TypeError")
    assert ran.trace == (["total", 0], ["total", 5], ["total", 9])
    assert halts.rows == ("Turns", "Turns")
    assert grown.rows == ([2], [2], [2])  # no input is another's
    assert counted.rows == ([MAX_TURNS - 1], [MAX_TURNS - 1])  # every call counts from nought


def test_one_that_hits_a_limit_costs_its_neighbours_nothing(executor) -> None:
    huge = parse_function("def f(x):\n    y = [x]\n    while len(y) > 0:\n        y = y + y\n    return 1")
    asks = [Ask(program=parse_function(SUM.replace("3", str(n))), inputs=([5, 9],)) for n in range(1, 6)]
    *others, stopped = executor.run([*asks, Ask(program=huge, inputs=(1,))])
    assert stopped.stop in ("memory", "timeout") or stopped.rows == ("MemoryError",)
    assert [outcome.rows for outcome in others] == [([14],)] * 4 + [([9],)]


# ── tasks ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_the_rules_set_is_solved_by_its_working_and_admitted_as_itself(functions, tasks) -> None:
    assert [task.cell for task in tasks] == CELLS
    assert [reason(functions, task, shown(functions, task)) for task in tasks] == ["right"] * len(tasks)
    proposals = [Proposal(text=functions.proposal(t), cell=t.cell, lineage=t.lineage) for t in tasks]
    assert functions.admit(proposals) == tasks
    for task in tasks:
        assert re.fullmatch(functions.form(task.mode), shown(functions, task))


def test_prompts_hide_the_answer_and_what_decides(tasks) -> None:
    for task in tasks:
        assert task.prompt.endswith("\n")
        if task.mode in PROGRAMS:
            pairs = task.secret["pairs"]
            assert len(pairs) == SHOWN + HELD_BACK
            assert task.secret["function"] not in task.prompt
            shown = [assert_text((a, b)) in task.prompt for a, b in pairs]
            assert shown == [True] * SHOWN + [False] * HELD_BACK


def test_prompts_of_a_mode_begin_with_the_same_words(tasks) -> None:
    for mode in MODES:
        prompts = [task.prompt for task in tasks if task.mode == mode]
        assert len({prompt.partition("\n\n")[0] for prompt in prompts}) == 1


def test_a_deduction_is_worked_by_the_changes_of_its_variables(functions) -> None:
    task = admitted(functions, f"{SUM}\nf([5,1,4])", "deduction")
    assert isinstance(task, Task)
    assert shown(functions, task) == "total = 0\ntotal = 5\ntotal = 9\n9"
    assert reason(functions, task, "total = 9\n9") == "right"
    assert reason(functions, task, "10") == "wrong"
    assert reason(functions, task, "nine") == "format"


def test_any_argument_that_gives_the_output_solves_an_abduction(functions) -> None:
    task = admitted(functions, f"{SUM}\nf([5,1,4])", "abduction")
    assert isinstance(task, Task)
    assert [reason(functions, task, a) for a in ("[9]", "[4,5,3]", "[1]", "9", "[[9]]")] == [
        "right",
        "right",
        "wrong",
        "format",
        "format",
    ]


@pytest.mark.parametrize(
    ("text", "level", "refused"),
    [
        (f"{SUM}\nf([5,1,4])", 1, "level"),
        (SUM, 2, "syntax"),
        (f"{SUM}\nf('a')", 2, "input"),
        (f"{SUM}\nf(__import__('os'))", 2, "input"),
        (f"{FOREVER}\nf([1])", 1, "error"),
        ("def f(x):\n    for v in x:\n        x = 3\n    return 3\nf([1])", 1, "constant"),
        ("def f(x):\n    if len(x) > 99:\n        return 1\n    return x\nf([1])", 1, "identity"),
        (f"{SUM}\nassert f([5,1,4]) == 8", 2, "tests"),
        (f"{SUM}\nassert f([5,1,4]) == f([9])", 2, "tests"),
        ("def f(x):\n    y = 0\n    for v in range(x):\n        y += v\n    return y\nf(90)", 1, "long"),
    ],
)
def test_what_is_no_task_is_refused_with_a_reason(functions, text: str, level: int, refused: str) -> None:
    found = admitted(functions, text, "deduction", level)
    assert isinstance(found, Rejection)
    assert found.reason == refused


def test_what_depends_on_the_hash_seed_is_refused(functions) -> None:
    text = "def f(x):\n    y = ''\n    for c in set(x):\n        y = y + c\n    return y\nf(\"abcdef\")"
    # Level 4 has texts; one loop is level 1, so three more that do nothing to the order.
    more = "".join(f"    if len(y) > {n}:\n        y = y + 'a'\n" for n in range(3))
    found = admitted(functions, text.replace("    return y", f"{more}    return y"), "deduction", 4)
    assert isinstance(found, Rejection)
    assert found.reason == "nondeterministic"


def test_a_proposer_may_write_tests_instead_of_a_call(functions) -> None:
    with_test = admitted(functions, f"{SUM}\nassert f([5,1,4]) == 9", "induction")
    assert isinstance(with_test, Task)
    assert with_test == admitted(functions, f"{SUM}\nf([5,1,4])", "induction")


# ── programs with tests of their own ─────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def induction(functions) -> Task:
    task = admitted(functions, f"{SUM}\nf([5,1,4])", "induction")
    assert isinstance(task, Task)
    return task


def test_a_program_needs_a_test_of_its_own_that_holds(functions, induction) -> None:
    known = tuple(induction.secret["pairs"][0])
    assert reason(functions, induction, f"{SUM}\nassert f([7,7]) == 14") == "right"
    assert reason(functions, induction, SUM) == "tests"
    given_one = f"{SUM}\n{assert_text(known)}"
    assert reason(functions, induction, given_one) == "tests"  # it was given that
    assert reason(functions, induction, f"{SUM}\nassert f([7,7]) == 13") == "tests"
    assert reason(functions, induction, f"{SUM}\nassert f([7,7]) == [14]") == "tests"
    assert reason(functions, induction, f"{SUM}\nassert f([7,7]) == True") == "tests"
    assert reason(functions, induction, f"{SUM}\nassert f(eval('1')) == 1") == "tests"
    assert reason(functions, induction, "```python\n" + f"{SUM}\nassert f([7,7]) == 14\n```") == "right"


def test_pairs_held_back_decide(functions, induction) -> None:
    """A program that knows the shown pairs by heart is wrong."""
    lines = "".join(
        f"    if x == {given}:\n        return {output}\n"
        for given, output in induction.secret["pairs"][:SHOWN]
    )
    assert reason(functions, induction, f"def f(x):\n{lines}    return 0\nassert f([1]) == 0") == "wrong"


def test_a_failure_is_read_in_what_all_its_tests_printed(functions, induction) -> None:
    wrong = SUM.replace("v > 3", "v > 4") + "\nassert f([5]) == 6\nassert f([2]) == 0"
    (verdict,) = judged(functions, [(induction, wrong)])
    assert verdict.reason == "wrong"
    assert "assert f([5]) == 6  # 5\nassert f([2]) == 0  # ok\n" in verdict.feedback
    assert verdict.feedback.count("assert ") == SHOWN + 2
    repair = functions.repair(induction, wrong, verdict, Lineage())
    assert isinstance(repair, Task)
    assert (repair.mode, repair.signature, repair.is_repair) == ("repair", induction.signature, True)
    assert repair.lineage.references == (induction.id,)
    assert verdict.feedback in repair.prompt
    assert "v > 4" in repair.prompt
    assert not any(assert_text((a, b)) in repair.prompt for a, b in induction.secret["pairs"][SHOWN:])
    assert reason(functions, repair, shown(functions, induction)) == "right"
    (right,) = judged(functions, [(induction, shown(functions, induction))])
    assert functions.repair(induction, shown(functions, induction), right, Lineage()) is None
    assert functions.repair(induction, "no function", verdict, Lineage()) is None


def test_given_tests_tell_what_they_expect(functions, tasks) -> None:
    for task in tasks:
        told = learned(functions, task)
        expected = [assert_text((a, b)).partition(" == ")[2] for a, b in task.secret["pairs"][1:SHOWN]]
        assert told == (expected if task.mode in PROGRAMS else [])


@settings(max_examples=60)
@given(st.text(max_size=60))
def test_any_answer_is_judged(functions, tasks, text: str) -> None:
    verdicts = judged(functions, [(task, functions.answer(task.mode, text)) for task in tasks[:8]])
    assert all(verdict.reason for verdict in verdicts)


def test_equal_answers_are_spelled_alike(functions) -> None:
    assert functions.same("deduction", "[1, 2]") == functions.same("deduction", "[1,2]") != ""
    assert functions.same("deduction", "nine") == ""
    tested = f"{SUM}\nassert f([7,7]) == 14"
    assert functions.same("induction", tested) == functions.same("induction", SUM) == SUM
    assert functions.same("induction", "def f(x):") == ""


def test_tests_are_read_as_data() -> None:
    written = parse_written(f"{SUM}\n\nassert f([5, 1]) == 5\n# done\nassert f([])==0")
    assert written.function == Function(SUM)
    assert written.tests == (([5, 1], 5), ([], 0))
    with pytest.raises(ProgramError, match="at most"):
        parse_written(SUM + "\nassert f([1]) == 1" * 7)


def test_its_tasks_are_in_words(box) -> None:
    with pytest.raises(DomainError, match="natural"):
        FunctionsDomain(box, style="compact")
    with pytest.raises(DomainError, match="levels"):
        FunctionsDomain(box, levels=(0,))


def test_a_task_is_one_whatever_its_author(functions, tasks) -> None:
    texts = [functions.ask(task.cell, [replace(task, lineage=Lineage(author="w1"))]) for task in tasks]
    assert texts == [functions.ask(task.cell, [task]) for task in tasks]
