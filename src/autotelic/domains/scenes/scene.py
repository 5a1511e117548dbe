"""What a scene is: things of a colour and a shape on a lattice, painted one over another, and its program.

13 red circle            row 1, column 3, counted on a lattice of 7 x 7 places
35 small blue square     painted after it, so it would lie over it
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

COLOURS = ("red", "green", "blue", "yellow", "white", "pink")
SHAPES = ("circle", "square", "triangle", "cross")
LATTICE = 7
"""Places a side. Neighbours are 8 pixels apart; those with odd numbers are the middles of patches of 16."""
MOST = 8
"""Things that a program may paint."""
LONGEST = 400
"""Characters of a program that are read; the longest right one has half as many."""
_THING = re.compile(
    rf"([1-{LATTICE}])([1-{LATTICE}]) (small )?({'|'.join(COLOURS)}) ({'|'.join(SHAPES)})", re.ASCII
)


@dataclass(frozen=True, slots=True, order=True)
class Thing:
    """One thing of a scene; `row` and `column` are from 1 to 7."""

    row: int
    column: int
    colour: str
    shape: str
    small: bool = False

    @property
    def kind(self) -> str:
        """What it is, without where: `small red circle`."""
        return f"{'small ' * self.small}{self.colour} {self.shape}"

    @property
    def place(self) -> str:
        return f"{self.row}{self.column}"

    def __str__(self) -> str:
        return f"{self.place} {self.kind}"

    @property
    def reach(self) -> int:
        """Pixels from its middle to its edge."""
        return 4 if self.small else 7

    def meets(self, other: Thing) -> bool:
        """Whether the squares that hold the two have pixels in common."""
        far = self.reach + other.reach
        return 8 * max(abs(self.row - other.row), abs(self.column - other.column)) <= far


Scene = tuple[Thing, ...]
"""Things in the order in which they are painted."""


class ProgramError(ValueError):
    """A text that is no program; `reason` is a short stable word."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


def thing_of(line: str) -> Thing:
    """The thing of one line. Raises ProgramError for any other line."""
    found = _THING.fullmatch(line)
    if found is None:
        raise ProgramError("syntax", f"a line is `13 red circle` or `13 small red circle`, not {line[:40]!r}")
    return Thing(int(found[1]), int(found[2]), found[4], found[5], found[3] is not None)


def parse(text: str) -> Scene:
    """The scene of a program, a line a thing. Raises ProgramError."""
    lines = text[: LONGEST + 1].strip().split("\n")
    if len(text) > LONGEST or len(lines) > MOST:
        raise ProgramError("long", f"a program has at most {MOST} lines")
    if lines == [""]:
        raise ProgramError("empty", "a program has a line for each thing")
    return tuple(thing_of(line.strip()) for line in lines)


def program(scene: Sequence[Thing]) -> str:
    """The text of a scene, as `parse` reads it."""
    return "".join(f"{thing}\n" for thing in scene)


def in_order(scene: Scene) -> Scene:
    """The same picture in its canonical order: from the top left on, but what is covered before what covers it."""
    left = list(range(len(scene)))
    found: list[Thing] = []
    while left:
        free = [at for at in left if not any(other < at and scene[other].meets(scene[at]) for other in left)]
        first = min(free, key=lambda at: scene[at])
        left.remove(first)
        found.append(scene[first])
    return tuple(found)


def graph_of(scene: Scene) -> str:
    """The scene graph in one line: things in canonical order, and which lies over which."""
    ordered = in_order(scene)
    over = [
        f"{later}>{earlier}"
        for later, thing in enumerate(ordered)
        for earlier in range(later)
        if thing.meets(ordered[earlier])
    ]
    return ";".join(map(str, ordered)) + (f"|{','.join(over)}" if over else "")
