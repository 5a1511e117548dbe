"""The texts: what a solver and a proposer are shown, and what they write when they are right.

In words, for language models; what the prompts of a mode have in common comes first, and is run once for all
of them (models/families.py).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from autotelic.domains.functions.answers import Pair, Written, assert_text, parse_written, report
from autotelic.domains.functions.source import Function, parse_function
from autotelic.domains.literal import canonical
from autotelic.domains.programs.admission import Evidence, proposal_text
from autotelic.domains.programs.behaviour import behaviour, cluster, digest, form_of
from autotelic.domains.programs.execution import Outcome
from autotelic.domains.programs.modes import HELD_BACK, PROGRAMS, SHOWN
from autotelic.domains.programs.source import ProgramError
from autotelic.types import Cell, Json, Lineage, Task, Verdict, text_of

NAME = "functions"
OWN = 2
"""Tests that a demonstration adds to those that the prompt gives."""

_EXPECTED = re.compile(r"^assert f\(.*\) == (.*?)(?:  #.*)?$", re.MULTILINE)
"""What a test expects, as prompts show it."""
_FORM = (
    "Begin with `def f(x):` and use assignments, if, for, while, append and return, one a line, with short names of "
    "variables. Write only the code."
)
_TESTS = (
    "Below it write a test or two of your own, for other inputs, as in `assert f([3,1]) == 4`: they are run together "
    "with those given."
)
_ASKED = {
    "deduction": (
        "What does this Python function return? Write each variable that changes with its new value, as in `n = 3`, "
        "each on a line of its own. The last line is what is returned, as JSON, alone.\n\n"
    ),
    "abduction": (
        "For which argument does this Python function return what is shown? Write it alone, as JSON.\n\n"
    ),
    "induction": f"Write the Python function that passes these tests. {_FORM} {_TESTS}\n\n",
    "repair": (
        "A Python function was written to pass the tests below it, and fails. A test that holds says `ok`, others "
        f"say what came instead; ! is an error. Write the right one. {_FORM} {_TESTS}\n\n"
    ),
}
_PUZZLES = {
    "deduction": "what it returns has to be worked out",
    "abduction": "its argument has to be found from what it returns",
    "induction": "it has to be written from what it returns",
    "repair": "a wrong version of it has to be repaired",
}


def prompt_of(mode: str, function: str, pairs: Sequence[Pair], failed: str = "") -> str:
    """What a solver reads. `failed` is what a repair starts from: a function, its tests, and what these printed."""
    given, output = pairs[0]
    if mode == "deduction":
        shown = f"{function}\n\nf({canonical(given)})"
    elif mode == "abduction":
        shown = f"{function}\n\nf(?) == {canonical(output)}"
    elif mode == "induction":
        shown = "\n".join(map(assert_text, pairs[:SHOWN]))
    else:
        shown = failed
    return f"{_ASKED[mode]}{shown}\n"


def make_task(evidence: Evidence[Function], failed: str = "") -> Task:
    """The task of a draft that passed; `failed` is what a repair starts from."""
    d, cell = evidence.draft, evidence.cell
    pairs, own = evidence.pairs[: SHOWN + HELD_BACK], evidence.pairs[SHOWN + HELD_BACK :][:OWN]
    about: list[Json] = [pairs[0][cell.mode == "abduction"]] if cell.mode not in PROGRAMS else []
    # What is asked, by behaviour: a sealed induction is never practised, on no pairs and not as a repair.
    asks = "induction" if cell.mode in PROGRAMS else cell.mode
    return Task(
        domain=NAME,
        mode=cell.mode,
        level=cell.level,
        prompt=prompt_of(cell.mode, str(d.program), pairs, failed),
        secret={
            "function": str(d.program),
            "kind": d.kind,
            "pairs": [[a, b] for a, b in pairs],
            "own": [[a, b] for a, b in own],
            "trace": [[name, value] for name, value in zip(evidence.names, evidence.trace, strict=True)],
        },
        signature=digest([NAME, asks, behaviour(d.kind, evidence.probed), about])[:32],
        cluster=cluster(d.kind, evidence.probed),
        form=form_of(d.kind, evidence.probed),
        lineage=d.lineage,
    )


def demonstration_text(task: Task) -> str:
    """A right completion, with its working: the changes of variables, or tests on inputs that the prompt has not."""
    secret: dict[str, Any] = dict(task.secret)
    pairs = secret["pairs"]
    if task.mode == "deduction":
        steps = [f"{name} = {canonical(value)}" for name, value in secret["trace"]]
        return "\n".join([*steps, canonical(pairs[0][1])])
    if task.mode == "abduction":
        return canonical(pairs[0][0])
    return str(Written(parse_function(secret["function"]), tuple((a, b) for a, b in secret["own"])))


def learned_spans(task: Task) -> tuple[tuple[int, int], ...]:
    """What the given tests expect, from the second on, in characters of the prompt: it follows from the
    solution, and is learned beside it.
    """
    if task.mode not in PROGRAMS:
        return ()
    return tuple(match.span(1) for match in list(_EXPECTED.finditer(text_of(task.prompt)))[1:SHOWN])


def answer_text(mode: str, completion: str) -> str:
    """The part of a completion that is judged: its last line, or all of it where it is a function."""
    return completion if mode in PROGRAMS else completion.rpartition("\n")[2].strip(" `")


def feedback_text(task: Task, written: Written | None, outcome: Outcome) -> str:
    """What the tests printed: those the prompt gave, then its own. Nothing of the pairs held back, which
    stand between them in the outcome.
    """
    pairs = task.secret["pairs"]
    shown = [(a, b) for a, b in pairs[:SHOWN]]
    own = list(written.tests) if written else []
    if outcome.stop:
        return report([*shown, *own], outcome)
    rows = outcome.rows[:SHOWN] + outcome.rows[len(pairs) :]
    return report([*shown, *own], replace(outcome, rows=rows))


def repair_of(task: Task, answer: str, verdict: Verdict, lineage: Lineage) -> Task | None:
    """The repair that starts from a failed answer: the function as it was written, and what all its tests
    printed.

    It keeps the secret and the signature. None where no repair can start: the answer was right, belongs to
    another mode, or is no function.
    """
    if task.mode not in PROGRAMS or verdict.passed or not verdict.feedback or "<|" in answer:
        return None
    try:
        written = parse_written(answer)
    except ProgramError:
        return None
    failed = f"{written.function}\n\n{verdict.feedback}".rstrip("\n")
    prompt = prompt_of("repair", "", [(a, b) for a, b in task.secret["pairs"]], failed)
    whence = replace(lineage, references=(task.id,))
    return replace(task, mode="repair", prompt=prompt, is_repair=True, lineage=whence, id="")


def ask_text(cell: Cell, inputs: str, references: Sequence[Task]) -> str:
    """What a proposer reads: what is wanted, `inputs` it may be called with, and examples to depart from."""
    known = "".join(f"\n\n{proposal_of(task)}" for task in references)
    other = f" Do something else than these examples:{known}" if known else ""
    many = f"{cell.level} if, for or while{'' if cell.level == 1 else ' statements together'}"
    return (
        f"Write a Python function, and on the line after it a call. {_FORM} It is for a puzzle in which "
        f"{_PUZZLES[cell.mode]}. Use exactly {many}. {inputs}{other}\n"
    )


def proposal_of(task: Task) -> str:
    """The text that would have proposed this task: the function, and a call."""
    return proposal_text(task.secret["function"], task.secret["pairs"][0][0])
