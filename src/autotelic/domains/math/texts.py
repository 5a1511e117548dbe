r"""The texts: what a solver and a proposer are shown, and what they write when they are right.

`Compact` is for a model of a million parameters: special tokens, no words, every line earning its place.
`Natural` is for language models: an instruction, sentences, and answers in `\boxed{}`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from autotelic.domains.fences import without_fences
from autotelic.domains.math.forms import form
from autotelic.domains.math.passages import find_answer, last_line
from autotelic.domains.math.problem import TOPICS, Kind
from autotelic.types import Cell

MODES = ("solve", "invert", "model")
SPECIAL = ("<|solve|>", "<|invert|>", "<|model|>", "<|propose|>", "<|task|>")
"""Tokens of their own in a tokenizer trained for this domain."""
MAX_REFERENCES = 2


class Texts(Protocol):
    """One way of putting tasks into words."""

    def prompt(self, mode: str, kind: Kind, shown: str, answer: str) -> str:
        """What the solver reads: `shown` is the problem, the problem with a hole, or the word problem."""

    def demonstration(self, lines: Sequence[str]) -> str:
        """A completion, from its lines; the last is the answer."""

    def ask(self, cell: Cell, references: Sequence[str]) -> str:
        """What the proposer reads."""

    def proposed(self, completion: str) -> str:
        """The proposal within a proposer's completion."""

    def answer(self, completion: str) -> str:
        """The part of a solver's completion that is judged."""

    def form(self, mode: str) -> str:
        """The pattern that right completions match as a whole."""


class Compact:
    """Prompts end with a newline, completions end where their answer ends."""

    def prompt(self, mode: str, kind: Kind, shown: str, answer: str) -> str:
        return f"<|{mode}|>{shown}->{answer}\n" if mode == "invert" else f"<|{mode}|>{shown}\n"

    def demonstration(self, lines: Sequence[str]) -> str:
        return "\n".join(lines)

    def ask(self, cell: Cell, references: Sequence[str]) -> str:
        shown = "".join(f"{reference}\n" for reference in references[:MAX_REFERENCES])
        return f"<|propose|>{cell.mode} {cell.level}\n{shown}<|task|>"

    def proposed(self, completion: str) -> str:
        return completion

    def answer(self, completion: str) -> str:
        return last_line(completion)

    def form(self, mode: str) -> str:
        return form(mode, boxed=False)


_QUESTIONS: dict[Kind, str] = {
    "number": "Work out {}",
    "equation": "Solve for x: {}",
    "system": "Solve for x and y: {}",
    "expand": "Expand and simplify: {}",
    "derive": "Find the derivative with respect to x: {}",
    "at": "What is {1} at x = {0}?",
}
_INSTRUCTIONS = {
    "solve": (
        "You work out mathematics exactly. Do one operation a line, writing the whole expression or equation "
        "again each time. End with the answer alone in \\boxed{}: a whole number or a fraction in lowest "
        "terms, several values with commas between them, or a polynomial multiplied out."
    ),
    "invert": (
        "You find the number that was hidden behind a question mark. Undo one operation a line, writing the "
        "equation again each time. End with the whole number alone in \\boxed{}."
    ),
    "model": (
        "You turn stories into mathematics. Write one expression, one equation in x, or two equations in x "
        "and y with a semicolon between. Use the numbers of the story as they are and work nothing out. Write "
        "C(n,k) for the ways to choose k of n, P(n,k) for the ways to line up k of n, n! for those to line up "
        "n, and a%b for the remainder of a divided by b. x is what the story asks for; of two persons or "
        "things, x is the first and y the second. Put it alone in \\boxed{}."
    ),
}
_WANTED = {
    "solve": "one problem",
    "invert": "one problem in which a question mark stands before the one number to hide, as in (?3+4)*6-5,",
    "model": "one story in sentences like those of the examples, and on the line after it what it comes to,",
}
_NOTATION = (
    ("%", "a%b is the remainder of a divided by b"),
    ("C(", "C(n,k) is the number of ways to choose k of n"),
    ("P(", "P(n,k) is the number of ways to line up k of n"),
)
"""What a question says of its signs, where they are not those of every school."""


class Natural:
    """Sentences, each prompt whole: the instruction first, and a newline at its end. Fences are read through."""

    def prompt(self, mode: str, kind: Kind, shown: str, answer: str) -> str:
        return f"{_INSTRUCTIONS[mode]}\n\n{_question(mode, kind, shown, answer)}\n"

    def demonstration(self, lines: Sequence[str]) -> str:
        return "\n".join([*lines[:-1], f"\\boxed{{{lines[-1]}}}"])

    def ask(self, cell: Cell, references: Sequence[str]) -> str:
        shown = "\n\n".join(references[:MAX_REFERENCES])
        like = f"Examples of the notation:\n\n{shown}\n\n" if shown else ""
        return (
            f"{like}Write {_WANTED[cell.mode]} about: {TOPICS[cell.level]}. It must have exactly one answer "
            "and differ from the examples. Write it alone, in their notation.\n"
        )

    def proposed(self, completion: str) -> str:
        """The completion without code fences and quotes."""
        completion = without_fences(completion)
        kept = [line.strip().strip("`$") for line in completion.strip().splitlines()]
        kept = [line for line in kept if line]
        if "\\boxed{" in completion:
            return last_line(completion)
        return "\n".join(kept)

    def answer(self, completion: str) -> str:
        return find_answer(completion)

    def form(self, mode: str) -> str:
        return form(mode, boxed=True)


def _question(mode: str, kind: Kind, shown: str, answer: str) -> str:
    said = [meaning for sign, meaning in _NOTATION if sign in shown]
    note = f" ({'; '.join(said)})" if said else ""
    if mode == "model":
        return f"{shown} Write what it comes to, without working it out."
    if mode == "invert":
        given = shown.replace(";", " and ")
        values = answer.replace(",", " and ") if kind in ("equation", "system") else answer
        return f"Which whole number at the ? gives {given} the answer {values}?{note}"
    word, _, rest = shown.partition(" ")
    parts = rest.split(" ", 1) if word == "at" else [rest] if rest else [shown.replace(";", " and ")]
    return _QUESTIONS[kind].format(*parts) + note
