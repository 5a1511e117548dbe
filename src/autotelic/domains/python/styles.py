"""Two ways of putting the same tasks: `Compact` for a model of a million parameters, `Natural` for language
models.

A task is made in the compact style (tasks.py) and, in the other, put into words afterwards: secret, signature
and cluster are the same in both, so that novelty, exams and judges do not depend on the style.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from autotelic.domains.answers import value_line
from autotelic.domains.fences import program_block
from autotelic.domains.literal import canonical
from autotelic.domains.programs.inputs import input_text
from autotelic.domains.programs.modes import PROGRAMS, SHOWN
from autotelic.domains.programs.source import HEADER
from autotelic.domains.python.forms import FORMS, WORDED
from autotelic.domains.python.program import parse_program
from autotelic.domains.python.tasks import REPAIR, answer_text, ask_text, demonstration_text, proposal_of
from autotelic.domains.python.working import backwards, forwards, pairing
from autotelic.types import Cell, Task, text_of

REFERENCES = 2
"""Known tasks that a proposer is shown at most."""


class Style(Protocol):
    """How tasks are put, and how what a model wrote is read.

    `forms` are the patterns of right completions, by mode; `plainest` says that an abduction asks for the
    least argument that gives the output, cut from the one its maker had in mind.
    """

    forms: Mapping[str, str]
    plainest: bool

    def styled(self, task: Task) -> Task:
        """A task of the compact style in this one."""

    def ask(self, cell: Cell, references: Sequence[Task]) -> str:
        """What the proposer reads."""

    def proposal(self, completion: str) -> str:
        """The proposal within a proposer's completion."""

    def demonstration(self, task: Task) -> str:
        """A solver's completion that is right, with its working."""

    def answer(self, mode: str, completion: str) -> str:
        """The part of a solver's completion that is judged."""


class Compact:
    """Special tokens and no words; see tasks.py."""

    forms: Mapping[str, str] = FORMS
    plainest = False

    def styled(self, task: Task) -> Task:
        return task

    def ask(self, cell: Cell, references: Sequence[Task]) -> str:
        return ask_text(cell, references)

    def proposal(self, completion: str) -> str:
        return completion

    def demonstration(self, task: Task) -> str:
        return demonstration_text(task)

    def answer(self, mode: str, completion: str) -> str:
        return answer_text(mode, completion)


_SHAPE = f"Begin with `{HEADER}`, change x once a line, as in `x = sorted(x)`, and end with `return x`."
_CODE = (
    f"{_SHAPE} Below each line put a comment with what x then is in the first call, and above one that takes each "
    "element by itself what becomes of each. Write only the code."
)
# What a mode's prompts have in common comes first: it is then run once for all of them (models/families.py).
_DEDUCTION = (
    "What does this Python function return? Write what x is after each line that changes it, as JSON, each on a "
    "line of its own, below the working if it needs some. The last line is what is returned.\n\n"
    "{program}\n\nf({given})\n"
)
_ABDUCTION = (
    "For which argument does this Python function return what is shown? Work backwards: write what x must be "
    "before each line that changes it, from the last to the first, as JSON, each on a line of its own, below the "
    "working if it needs some. The last line is the argument.\n\n{program}\n\nf(?)=={output}\n"
)
_INDUCTION = f"Write the Python function of which these are calls. {_CODE}\n\n{{calls}}\n"
_REPAIR = (
    f"A Python function does not do what the calls show. Write the right one. {_CODE}"
    "\n\n{calls}\n\nThis one is wrong:\n\n{failed}\n\nIt does this, where ! is an error:\n\n{printed}\n"
)
_PUZZLES = {
    "deduction": "what it returns has to be worked out",
    "abduction": "its argument has to be found from what it returns",
    "induction": "it has to be written from what it returns",
    "repair": "a wrong version of it has to be repaired",
}


class Natural:
    """Plain English, with the form of the answer stated. Prompts end with a newline; nothing is a special token."""

    forms: Mapping[str, str] = WORDED
    plainest = True

    def styled(self, task: Task) -> Task:
        """The same task with its prompt in words."""
        return replace(task, prompt=_worded(task), id="")

    def ask(self, cell: Cell, references: Sequence[Task]) -> str:
        """What is wanted, after at most two examples of it to depart from."""
        known = "".join(f"\n\n{proposal_of(task)}" for task in references[:REFERENCES])
        lines = f"{cell.level} line{'s' if cell.level > 1 else ''}"
        other = f" Do something else than these examples:{known}" if known else ""
        return (
            f"Write a Python function, and on the line after it a call. {_SHAPE} Write only the code. It is for a "
            f"puzzle in which {_PUZZLES[cell.mode]}. Change x in exactly {lines}. "
            f"{input_text(cell.level)}{other}\n"
        )

    def proposal(self, completion: str) -> str:
        return program_block(completion, call=True)

    def demonstration(self, task: Task) -> str:
        """What x is on the way, and how it comes to be so where each element is worked out by itself."""
        return _reasoned(task) if task.mode in PROGRAMS else _reckoned(task)

    def answer(self, mode: str, completion: str) -> str:
        """A program out of its code fence; else the last line, out of fences and backticks."""
        if mode in PROGRAMS:
            return program_block(completion)
        return value_line(mode, completion)


def _reckoned(task: Task) -> str:
    """The values on the way to the answer, forwards or backwards, each below its working."""
    expressions = parse_program(task.secret["program"]).expressions
    values = [task.secret["pairs"][0][0], *task.secret["trace"]]
    steps = list(zip(expressions, values, values[1:], strict=False))
    if task.mode == "deduction":
        lines = [(forwards(e, before, after), canonical(after)) for e, before, after in steps]
    else:
        lines = [(backwards(e, before, after), canonical(before)) for e, before, after in reversed(steps)]
    return "\n".join(line for pair in lines for line in pair if line)


def _reasoned(task: Task) -> str:
    """The program; above each line that takes each element by itself what becomes of each, below it what x is."""
    expressions = parse_program(task.secret["program"]).expressions
    values = [task.secret["pairs"][0][0], *task.secret["trace"]]
    lines = demonstration_text(task).split("\n")
    for at in reversed(range(len(expressions))):
        found = pairing(expressions[at], values[at], values[at + 1])
        if found:
            lines.insert(1 + 2 * at, f"# {found}")
    return "\n".join(lines)


def _worded(task: Task) -> str:
    pairs = task.secret["pairs"]
    given, output = pairs[0]
    if task.mode == "deduction":
        return _DEDUCTION.format(given=canonical(given), program=task.secret["program"])
    if task.mode == "abduction":
        return _ABDUCTION.format(output=canonical(output), program=task.secret["program"])
    calls = "\n".join(f"f({canonical(a)})=={canonical(b)}" for a, b in pairs[:SHOWN])
    if task.mode == "induction":
        return _INDUCTION.format(calls=calls)
    # The failed turn is in the compact prompt alone: a program, and what it printed.
    body, _, printed = text_of(task.prompt).partition(HEADER)[2].partition(REPAIR)
    failed = (HEADER + body).strip("\n")
    return _REPAIR.format(calls=calls, failed=failed, printed=printed.strip("\n"))
