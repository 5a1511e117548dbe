"""The python domain as its callers see it: tasks, texts, admission, verdicts, feedback."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from answering import judged, learned, shown
from hypothesis import given, settings
from hypothesis import strategies as st

from autotelic.domains.literal import canonical
from autotelic.domains.programs.execution import BUNDLES
from autotelic.domains.programs.modes import MODES, SHOWN
from autotelic.domains.python import SPECIAL, PythonDomain
from autotelic.domains.python.domain import describe
from autotelic.domains.python.operations import OPERATIONS
from autotelic.errors import DomainError
from autotelic.types import Cell, Lineage, Proposal, Rejection, Task

EVERY_CELL = [Cell(mode=mode, level=level) for level in range(1, 9) for mode in MODES]
TINY = "def f(x):\n    x = [v + 3 for v in x]\n    x = x[::-1]\n    x = {last}\n    return x"


def program(last: str = "sum([v * i for i, v in enumerate(x)])") -> str:
    return TINY.format(last=last)


def propose(text: str, mode: str = "deduction", level: int = 3) -> Proposal:
    return Proposal(
        text=text, cell=Cell(mode=mode, level=level), lineage=Lineage(author="w" * 8, generation=4)
    )


def admitted(domain: PythonDomain, text: str, mode: str = "deduction", level: int = 3) -> Task:
    (task,) = domain.admit([propose(text, mode, level)])
    assert isinstance(task, Task), task
    return task


def reasons(domain: PythonDomain, *proposals: Proposal) -> list[str]:
    return [r.reason if isinstance(r, Rejection) else "admitted" for r in domain.admit(proposals)]


@pytest.fixture(scope="module")
def tasks(domain: PythonDomain) -> list[Task]:
    return domain.tasks(np.random.default_rng(3), EVERY_CELL)


def test_rules_give_a_task_for_every_cell(tasks):
    assert [task.cell for task in tasks] == EVERY_CELL
    assert len({task.id for task in tasks}) == len(tasks)
    json.dumps([dict(task.secret) for task in tasks])


def test_rules_are_a_function_of_the_stream(domain, tasks, box):
    assert PythonDomain(box).tasks(np.random.default_rng(3), EVERY_CELL) == tasks
    assert domain.tasks(np.random.default_rng(4), EVERY_CELL) != tasks


def test_worked_completions_are_right(domain, tasks):
    verdicts = judged(domain, [(task, domain.answer(task.mode, shown(domain, task))) for task in tasks])
    assert [(v.passed, v.reward, v.reason) for v in verdicts] == [(True, 1.0, "right")] * len(tasks)


def test_proposals_of_rule_tasks_are_admitted_as_the_same_tasks(domain, tasks):
    proposals = [Proposal(text=domain.proposal(t), cell=t.cell, lineage=t.lineage) for t in tasks]
    assert domain.admit(proposals) == tasks


def test_prompts_begin_with_their_token_and_hide_the_answer(domain, tasks):
    for task in tasks:
        token = "induction" if task.mode == "repair" else task.mode
        assert task.prompt.startswith(f"<|{token}|>")
        assert task.prompt.endswith("\n")
        if task.mode in ("induction", "repair"):
            assert task.secret["program"] not in task.prompt
            assert len(task.secret["pairs"]) == 8


def test_texts_are_those_of_the_specification(domain):
    text = program() + "\nf([3,1,4])"
    deduction = admitted(domain, text)
    assert deduction.prompt == f"<|deduction|>{program()}\nf([3,1,4])\n"
    assert shown(domain, deduction) == "[6,4,7]\n[7,4,6]\n16"
    assert domain.proposal(deduction) == text

    abduction = admitted(domain, text, "abduction")
    assert abduction.prompt == f"<|abduction|>{program()}\nf(?)==16\n"
    assert shown(domain, abduction) == "[7,4,6]\n[6,4,7]\n[3,1,4]"

    induction = admitted(domain, text, "induction")
    lines = induction.prompt.removeprefix("<|induction|>").splitlines()
    assert lines[0] == "f([3,1,4])==16"
    assert len(lines) == 4
    assert shown(domain, induction) == (
        "def f(x):\n    x = [v + 3 for v in x]\n# [6,4,7]\n    x = x[::-1]\n# [7,4,6]\n"
        "    x = sum([v * i for i, v in enumerate(x)])\n# 16\n    return x"
    )
    assert domain.ask(Cell(mode="abduction", level=2), [deduction, induction, abduction]) == (
        f"<|propose|>abduction 2\n{program()}\n{program()}\n<|task|>"
    )
    assert domain.ask(Cell(mode="repair", level=8), []) == "<|propose|>repair 8\n<|task|>"


def test_a_proposal_is_the_same_task_however_it_is_written(domain):
    text = program() + "\nf([3,1,4])"
    short = text.replace("x = sum", "return sum").replace("    return x\n", "")
    spaced = text.replace("v + 3", "v+3").replace("\nf(", " # 16\nf(")
    working = text.replace("    return x", "# 16\n    return x")
    for mode in MODES:
        task = admitted(domain, text, mode)
        assert task.secret["program"] == program()
        assert domain.proposal(task) == text
        assert [admitted(domain, other, mode) for other in (short, spaced, working)] == [task] * 3


def test_a_repair_shows_a_program_that_fails_and_what_it_printed(domain, tasks):
    for task in (t for t in tasks if t.mode == "repair"):
        induction, _, rest = task.prompt.partition("def f(x):")
        failed, _, printed = rest.partition("<|repair|>")
        (verdict,) = judged(domain, [(task, "def f(x):" + failed)])
        assert not verdict.passed
        assert verdict.feedback == "<|repair|>" + printed
        assert [line.partition("==")[0] for line in printed.splitlines()] == [
            line.partition("==")[0] for line in induction.removeprefix("<|induction|>").splitlines()
        ]


def test_every_line_of_a_rules_deduction_does_something_to_its_input(tasks):
    for task in (t for t in tasks if t.mode in ("deduction", "abduction")):
        values = [task.secret["pairs"][0][0], *task.secret["trace"]]
        assert all(before != after for before, after in pairwise(values))


def test_the_signature_is_of_behaviour_and_shared_by_induction_and_repair(domain):
    one = "def f(x):\n    x = x[::-1]\n    return [v + 3 for v in x]\nf([3,1,4])"
    two = "def f(x):\n    x = [v + 3 for v in x]\n    return x[::-1]\nf([3,1,4])"
    other = "def f(x):\n    x = [v + 3 for v in x]\n    return x[::-1]\nf([3,1,5])"
    induction = admitted(domain, one, "induction", 2).signature
    assert admitted(domain, two, "induction", 2).signature == induction
    assert admitted(domain, other, "induction", 2).signature == induction
    assert admitted(domain, two, "repair", 2).signature == induction
    deduction = admitted(domain, one, "deduction", 2).signature
    assert deduction != induction
    assert admitted(domain, two, "deduction", 2).signature == deduction
    assert admitted(domain, other, "deduction", 2).signature != deduction
    assert len(induction) == 32


def test_admission_refuses_with_a_reason(domain):
    def two(body: str, given: str = "[3,1,4]") -> Proposal:
        return propose(f"def f(x):\n    x = x[::-1]\n    return {body}\nf({given})", level=2)

    def one(body: str, given: str = "[3,1,4]") -> Proposal:
        return propose(f"def f(x):\n    return {body}\nf({given})", level=1)

    cases = {
        "syntax": [
            propose(""), propose("def f(x):"), propose("f(1)"), one("x["),
            propose("def f(x):\n    return x[0]\ng([1])", level=1),
            propose("def f(x):\n    return x[0]", level=1),
        ],
        "whitelist": [one("x.__class__"), one("open(x)"), one("x.pop()")],
        "level": [propose(one("x[0]").text, level=2), propose(two("x[0]").text, level=3)],
        "input": [
            one("x[0]", given)
            for given in (
                "[3,1", "(1,2)", "[1,2,3,4,5,6,7]", "[10]", "[]", '"ab"', "true", "1.0", "[[1]]", "[" * 999,
                "null", "100", "9" * 999, "0) or (1", "[1]) + f([1]",
            )
        ],
        "error": [one("x[5]"), one("x + 1"), one("v"), one("x.index(8)")],
        "constant": [one("len(x) * 0"), one("[1]")],
        "identity": [one("x[:]"), one("[v for v in x]")],
        "degenerate": [two("sorted(x)"), two("sum(x)")],
        "output": [
            one(body) for body in ("set(x)", "zip(x, x)", "x * 20", "[v * 999 * 999 for v in x]", "[x]")
        ],
    }  # fmt: skip
    for reason, proposals in cases.items():
        assert reasons(domain, *proposals) == [reason] * len(proposals)


def test_programs_that_hash_strings_are_not_deterministic(domain):
    text = (
        'def f(x):\n    x = x.upper()\n    x = x.lower()\n    x = list(set(x))\n    return x[0]\nf("abcdef")'
    )
    assert reasons(domain, propose(text, level=4)) == ["nondeterministic"]


def test_programs_that_do_not_halt_in_time_hurt_nobody_else(domain):
    slow = "def f(x):\n    return sum([v for v in range(x * 999 * 999 * 999 * 999)])\nf(9)"
    good = "def f(x):\n    return x[::-1]\nf([1,2])"
    found = reasons(domain, propose(good, level=1), propose(slow, level=1), propose(good, "abduction", 1))
    assert found[0] == found[2] == "admitted"
    assert found[1] in ("timeout", "memory")


def test_more_proposals_than_a_bundle_keep_their_order(domain):
    texts = [
        f"def f(x):\n    x = [v + {c} for v in x]\n    return x\nf([1,2])" for c in range(1, 3 * BUNDLES[0])
    ]
    found = domain.admit([propose(text, level=1) for text in texts])
    assert [domain.proposal(task) for task in found if isinstance(task, Task)] == texts


def test_a_deduction_is_right_only_with_exact_types(domain):
    task = admitted(domain, "def f(x):\n    return x[0] > 2\nf([3,1])", level=1)
    answers = [
        "true",
        " true ",
        "1",
        "True",
        "1.0",
        '"true"',
        "false",
        "",
        "true\n",
        "[true]",
        "tru",
        "true)",
    ]
    found = judged(domain, [(task, answer) for answer in answers])
    assert [v.reason for v in found] == [
        "right", "right", "wrong", "format", "wrong", "wrong", "wrong", "format", "right", "wrong", "format",
        "format",
    ]  # fmt: skip


def test_an_abduction_takes_any_input_of_its_kind_that_gives_the_output(domain):
    task = admitted(domain, "def f(x):\n    return sum(x)\nf([3,1,4])", "abduction", 1)
    answers = {
        "[3,1,4]": "right", "[8]": "right", "[ 4, 4 ]": "right", "[-1,9]": "right", "[7]": "wrong",
        "[]": "wrong",
        "8": "format", "[8.0]": "format", "[true,7]": "format", '"8"': "format", "[[8]]": "format",
        "{}": "format", "[8": "format", "sum([8])": "format", "[" + "1," * 40 + "1]": "format",
        "[99999999999999999999]": "format", "9" * 9000: "format",
    }  # fmt: skip
    found = judged(domain, [(task, answer) for answer in answers])
    assert [v.reason for v in found] == list(answers.values())


def test_an_induction_is_decided_by_the_pairs_held_back(domain):
    text = "def f(x):\n    return max(x)\nf([3,1,4])"
    task = admitted(domain, text, "induction", 1)
    shown = task.secret["pairs"][:4]
    table = "".join(f"{out} if x == {into} else " for into, out in shown).replace(", ", ",")
    cheat = f"def f(x):\n    return {table}0"
    equivalent = "def f(x):\n    x = sorted(x)\n    return x[-1]"
    lazy = "def f(x):\n    x = reversed(sorted(x))\n    return list(x)[0]"
    answers = {
        equivalent: "right", lazy: "right", cheat: "wrong", "def f(x):\n    return x[0]": "wrong",
        "def f(x):\n    return x[9]": "error", "def f(x):\n    return x.pop()": "whitelist",
        "def f(x):\n    return set(x)": "output", "4": "format", "": "format",
        "def f(x):\n    return 0) or (1": "format",
    }  # fmt: skip
    found = judged(domain, [(task, answer) for answer in answers])
    assert [v.reason for v in found] == list(answers.values())
    assert [v.reward for v in found] == [float(r == "right") for r in answers.values()]


def test_feedback_is_what_the_tests_printed(domain):
    task = admitted(domain, "def f(x):\n    return max(x)\nf([3,1,4])", "induction", 1)
    calls = [line.partition("==")[0] for line in task.prompt.removeprefix("<|induction|>").splitlines()]
    expected = {
        "def f(x):\n    return len(x) > 9": "false",
        "def f(x):\n    return x[9]": "!IndexError",
        "def f(x):\n    return x[": "!syntax",
        "def f(x):\n    return eval(x)": "!whitelist",
        "def f(x):\n    return 'a' * 61": "!long",
    }
    for answer, printed in expected.items():
        (verdict,) = judged(domain, [(task, answer)])
        assert verdict.feedback == "<|repair|>" + "".join(f"{call}=={printed}\n" for call in calls)
    deduction = admitted(domain, "def f(x):\n    return max(x)\nf([3,1,4])", "deduction", 1)
    (verdict,) = judged(domain, [(deduction, "9")])
    assert verdict.feedback == ""


def test_a_failed_attempt_becomes_a_repair_that_starts_from_it(domain):
    task = admitted(domain, "def f(x):\n    x = max(x)\n    return x\nf([3,1,4])", "induction", 1)
    lineage = Lineage(author="w" * 8, generation=5, references=(task.id,))
    failed = "def f(x):\n    x = x[-1]\n# 3\n    return x"
    (verdict,) = judged(domain, [(task, failed)])
    repair = domain.repair(task, failed + "\n", verdict, lineage)
    assert repair.prompt == task.prompt + failed + verdict.feedback
    assert (repair.mode, repair.level, repair.lineage) == ("repair", 1, lineage)
    assert repair.is_repair
    assert (repair.secret, repair.signature, repair.cluster) == (task.secret, task.signature, task.cluster)
    assert repair.id not in (task.id, domain.repair(task, failed.replace("3", "4"), verdict, lineage).id)
    (right,) = judged(domain, [(repair, shown(domain, repair))])
    assert right.passed

    worse = failed.replace("[-1]", "[0]")
    (verdict,) = judged(domain, [(repair, worse)])
    again = domain.repair(repair, worse, verdict, lineage)
    assert again.prompt == task.prompt + worse + verdict.feedback
    assert again.lineage.references == (repair.id,)


def test_no_repair_starts_from_what_is_right_or_no_program(domain, tasks):
    for task in tasks:
        lineage = Lineage(references=(task.id,))
        answers = [domain.answer(task.mode, shown(domain, task)), "", "?", "def f(x):\n    return open(x)"]
        answers.append("def f(x):\n# <|task|>\n    return 0")
        for answer, verdict in zip(answers, judged(domain, [(task, a) for a in answers]), strict=True):
            assert domain.repair(task, answer, verdict, lineage) is None


def test_answers_are_the_last_line_or_the_whole_program(domain):
    assert domain.answer("deduction", "[6]\n[7]\n17") == "17"
    assert domain.answer("abduction", "[3]") == "[3]"
    assert domain.answer("induction", "a\nb") == domain.answer("repair", "a\nb") == "a\nb"


@given(text=st.text(max_size=60), mode=st.sampled_from(MODES), form=st.sampled_from(range(4)))
@settings(max_examples=60)
def test_any_text_is_a_task_or_a_refusal_and_any_answer_has_a_verdict(domain, tasks, text, mode, form):
    proposal = [
        text,
        f"def f(x):\n    return {text}\nf([1,2])",
        f"def f(x):\n    return x[::-1]\nf({text})",
        f"{text}\nf(1)",
    ][form]  # fmt: skip
    (found,) = domain.admit([propose(proposal, mode, 1)])
    assert isinstance(found, Task) or found.reason
    task = next(t for t in tasks if t.mode == mode)
    answer = text if form % 2 else f"def f(x):\n    return {text}"
    (verdict,) = judged(domain, [(task, domain.answer(mode, answer))])
    assert verdict.passed == (verdict.reason == "right")


def test_a_mixed_batch_is_judged_in_order(domain, tasks):
    right = [(task, domain.answer(task.mode, shown(domain, task))) for task in tasks]
    wrong = [(task, "?") for task in tasks]
    mixed = [pair for both in zip(right, wrong, right, strict=True) for pair in both]
    assert [v.passed for v in judged(domain, mixed)] == [True, False, True] * len(tasks)


def test_the_corpus_has_every_mode_level_and_role(domain):
    texts = domain.corpus(np.random.default_rng(0), 150)
    assert len(texts) == 150
    joined = "\n".join(texts)
    assert all(token in joined for token in SPECIAL)
    assert all(f"<|propose|>{cell.mode} {cell.level}\n" in joined for cell in EVERY_CELL)


def test_tasks_that_differ_in_the_secret_alone_have_ids_of_their_own(domain):
    """They read alike and have other solutions, so one must never stand for the other."""
    text = "def f(x):\n    x = x.count(2)\n    return x\nf({given})"
    one, other = (admitted(domain, text.format(given=g), "abduction", 1) for g in ("[2,2,5]", "[2,9,2]"))
    assert one.prompt == other.prompt
    assert one.secret != other.secret
    assert one.id != other.id


def test_equal_tasks_have_one_id(domain, tasks, box):
    again = PythonDomain(box).tasks(np.random.default_rng(3), EVERY_CELL)
    assert [task.id for task in again] == [task.id for task in tasks]
    posed = [Proposal(text=domain.proposal(t), cell=t.cell, lineage=Lineage(author="w1")) for t in tasks]
    assert not {t.id for t in domain.admit(posed)} & {t.id for t in tasks}  # by another author


def test_a_repair_of_the_rules_is_no_repair_of_a_failed_answer(tasks):
    assert not any(task.is_repair for task in tasks)


def test_the_form_says_what_kinds_of_value_go_in_and_out(domain):
    text = "def f(x):\n    x = sum(x)\n    return x\nf([3,1,4])"
    assert admitted(domain, text, level=1).form == "ints>int"


def test_equal_answers_are_spelled_alike_and_unreadable_ones_have_no_vote(domain):
    assert domain.same("deduction", "[1, 2]") == domain.same("abduction", "[1,2]") == "[1,2]"
    assert domain.same("deduction", "1") != domain.same("deduction", "true")
    commented = "def f(x):\n    x = x[0]\n# 3\n    return x"
    assert domain.same("induction", commented) == domain.same("repair", "def f(x):\n    return x[0]") != ""
    assert domain.same("induction", "[1,2]") == domain.same("deduction", "x") == ""


def test_modes_are_those_practised_and_repairs_can_be_written_all_the_same(box):
    domain = PythonDomain(box, levels=(1,))
    assert domain.spec.modes == ("deduction", "abduction", "induction")
    assert PythonDomain(box, modes=("repair",)).spec.modes == ("repair",)
    assert domain.ask(Cell(mode="repair", level=1), []).startswith("<|propose|>repair 1")
    with pytest.raises(DomainError, match=r"modes=.*poetry.*give some of deduction"):
        PythonDomain(box, modes=("poetry",))


def test_levels_and_modes_that_do_not_exist_are_named(box):
    domain = PythonDomain(box, levels=(1, 2))
    with pytest.raises(DomainError, match="no level 3"):
        domain.tasks(np.random.default_rng(0), [Cell(mode="induction", level=3)])
    with pytest.raises(DomainError, match="no mode 'poetry'"):
        domain.ask(Cell(mode="poetry", level=1), [])
    with pytest.raises(DomainError, match="levels"):
        PythonDomain(box, levels=(0, 1))


def test_the_guide_shows_every_operation():
    assert len(describe().splitlines()) == len(OPERATIONS)
    assert describe() in (Path(__file__).parents[2] / "docs" / "domains.md").read_text()


def test_single_operations_are_sealed_by_their_pairs_and_compositions_by_behaviour(
    domain: PythonDomain,
) -> None:
    """Sealing one of the hundred single behaviours must not take an operation out of practice; sealing one of
    the many compositions must keep it off every pair."""

    def signatures(program: str, level: int) -> set[str]:
        cell = Cell(mode="induction", level=level)
        texts = [f"def f(x):\n{program}    return x\nf({x})" for x in ("[3,1,4,1]", "[9,2,6]", "[5,8,0,7,4]")]
        tasks = domain.admit([Proposal(text=text, cell=cell, lineage=Lineage()) for text in texts])
        assert all(isinstance(task, Task) for task in tasks), tasks
        return {task.signature for task in tasks if isinstance(task, Task)}

    assert len(signatures("    x = sorted(x)\n", 1)) == 3
    assert (
        len(signatures("    x = [v + 2 for v in x]\n    x = [v + 3 for v in x]\n", 2)) == 3
    )  # behaves as one does
    assert len(signatures("    x = sorted(x)\n    x = [v + 3 for v in x]\n", 2)) == 1


def test_an_induction_tells_its_outputs_but_the_first(domain):
    tasks = domain.tasks(np.random.default_rng(5), [Cell(mode=mode, level=2) for mode in MODES])
    for task in tasks:
        told = learned(domain, task)
        shown = [f"{canonical(output)}\n" for _, output in task.secret["pairs"][1:SHOWN]]
        assert told == (shown if task.mode in ("induction", "repair") else [])
