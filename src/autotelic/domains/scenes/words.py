"""What a model reads: pictures, questions and descriptions, in signs (`compact`) or in plain English (`natural`)."""

from __future__ import annotations

from collections.abc import Sequence

from autotelic.domains.scenes.questions import WORDS
from autotelic.domains.scenes.scene import COLOURS, SHAPES, Scene, Thing
from autotelic.types import Cell, Image, Part, Text

MODES = ("describe", "answer", "draw", "spot")
PROPOSE = "<|propose|>"
SPECIAL = (
    *(f"<|{mode}|>" for mode in MODES),
    PROPOSE,
    *(f" {word}" for word in ("small", *COLOURS, *SHAPES)),
)
"""One token each in a tokenizer trained on scenes. Words of their own let a colour be learned apart from a shape."""
_FORM = (
    "Write one line a thing, what is covered first: its row and its column as two digits from 1 to 7, `small` where "
    f"it is small, its colour ({', '.join(COLOURS)}) and its shape ({', '.join(SHAPES)}), such as "
    "`13 small red circle`."
)
_ASKED = {
    "describe": f"Describe the picture. {_FORM} Write nothing else.",
    "answer": f"{_FORM} After these lines write `= ` and the answer to the question: a kind such as `red circle`, a "
    "colour, a shape, a place such as `13`, or a number.",
    "draw": f"Write the program of the picture that is described. {_FORM} Write nothing else.",
    "spot": "What changed from the first picture to the second? Answer with one line such as `13 red circle > 15 red "
    "circle`, `13 red circle > gone` or `new > 13 red circle`. Row and column are digits from 1 to 7.",
}


def prompt(mode: str, style: str, pictures: Sequence[Image], text: str) -> tuple[Part, ...]:
    """The parts of a prompt: what is asked, the pictures, and the question or description."""
    asked = f"<|{mode}|>" if style == "compact" else f"{_ASKED[mode]}\n"
    return (Text(text=asked), *pictures, Text(text=f"{text}\n"))


def question_text(question: str, style: str) -> str:
    """`colour circle?`, or the same as a sentence."""
    kind, _, subject = question.partition(" ")
    return f"{question}?" if style == "compact" else WORDS[kind].format(subject)


def description(scene: Scene, style: str) -> str:
    """The first thing by its place, each later one by its way from the nearest before it; in painting order."""
    lines = []
    for at, thing in enumerate(scene):
        if not at:
            where = f"row {thing.row} column {thing.column}"
            if style != "compact":
                where = f"in row {thing.row}, column {thing.column}"
        else:
            near = min(
                scene[:at],
                key=lambda other: abs(other.row - thing.row) + abs(other.column - thing.column),
            )
            where = _way(near, thing, style)
        lines.append(f"{where}: {thing.kind}" if style == "compact" else f"A {thing.kind} {where}.")
    return "\n".join(lines)


def _way(near: Thing, thing: Thing, style: str) -> str:
    """How far a thing is from another: `down 2 left 4 of red circle`, or the same in words."""
    down, right = thing.row - near.row, thing.column - near.column
    steps = [
        (abs(far), back if far < 0 else ahead)
        for far, back, ahead in ((down, "up", "down"), (right, "left", "right"))
        if far
    ]
    if style == "compact":
        return " ".join(f"{word} {far}" for far, word in steps) + f" of {near.kind}"
    return " and ".join(f"{far} places {word}" for far, word in steps) + f" of the {near.kind}"


def ask(cell: Cell, style: str, shown: Sequence[str]) -> str:
    """What asks for a new task of a cell, after some that are known."""
    if style == "compact":
        return "".join(f"{text}\n" for text in shown) + f"{PROPOSE}{cell.mode} {cell.level}\n"
    more = {
        "answer": " After the program write `? ` and a question such as `? colour circle`.",
        "spot": " After the program write one line with a change, such as `13 red circle > gone`.",
    }.get(cell.mode, "")
    known = "".join(f"Known already:\n{text}" for text in shown)
    return f"{known}Write the program of a new scene of level {cell.level}. {_FORM}{more}\n"
