"""What can change between two pictures of a scene, as one line: `13 red circle > 15 red circle`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from autotelic.domains.scenes.render import draw, visible
from autotelic.domains.scenes.rules import LEVELS, SEEN, draw_scene
from autotelic.domains.scenes.scene import COLOURS, SHAPES, ProgramError, Scene, Thing, thing_of

TRIES = 200
GONE, NEW = "gone", "new"
_KINDS = ("colour", "shape", "place", "gone", "new", "size")


def changed(scene: Scene, line: str) -> Scene:
    """The scene after a change. Raises ProgramError for a line that is none, or that changes what is not there."""
    was, arrow, now = line.strip().partition(" > ")
    if not arrow or (was == NEW and now == GONE):
        raise ProgramError("syntax", f"a change is `13 red circle > 15 red circle`, not {line[:40]!r}")
    after = () if now == GONE else (thing_of(now),)
    if was == NEW:
        return (*scene, *after)
    before = thing_of(was)
    if before not in scene:
        raise ProgramError("absent", f"the first picture has no {before}")
    at = scene.index(before)
    return (*scene[:at], *after, *scene[at + 1 :])


def misfit(level: int, scene: Scene, line: str) -> tuple[str, str]:
    """Why a change is none that a level asks for, as a short word and a sentence; empty where it is one."""
    try:
        after = changed(scene, line)
    except ProgramError as error:
        return error.reason, error.detail
    rules = LEVELS[level]
    if len(after) > rules.most + 1 or len({thing.place for thing in after}) < len(after):
        return "place", "no two things are in one place, and at most one comes"
    if any(thing.row not in rules.places or thing.column not in rules.places for thing in after):
        return "place", f"places of level {level} are {', '.join(map(str, rules.places))}"
    if not rules.small and any(thing.small for thing in after):
        return "size", f"level {level} has no small things"
    if after and min(visible(after)) < SEEN:
        return "covered", f"at least {SEEN:.0%} of each thing must be visible"
    if np.array_equal(draw(scene), draw(after)):
        return "same", "the two pictures are the same"
    return "", ""


def draw_change(level: int, rng: np.random.Generator) -> tuple[Scene, str] | None:
    """A random scene of a level and a change of it; None where none was found."""
    rules = LEVELS[level]
    kinds = _KINDS if rules.small else _KINDS[:-1]
    for _ in range(TRIES):
        scene = draw_scene(level, rng)
        if scene is None:
            continue
        line = _line(scene, kinds[int(rng.integers(len(kinds)))], rules.places, rng)
        if not misfit(level, scene, line)[0]:
            return scene, line
    return None


def _line(scene: Scene, kind: str, places: tuple[int, ...], rng: np.random.Generator) -> str:
    thing = scene[int(rng.integers(len(scene)))]
    row, column = (int(x) for x in rng.choice(places, 2))
    colour, shape = str(rng.choice(COLOURS)), str(rng.choice(SHAPES))
    if kind == GONE:
        return f"{thing} > {GONE}"
    if kind == NEW:
        return f"{NEW} > {Thing(row, column, colour, shape)}"
    after = {
        "colour": replace(thing, colour=colour),
        "shape": replace(thing, shape=shape),
        "place": replace(thing, row=row, column=column),
        "size": replace(thing, small=not thing.small),
    }[kind]
    return f"{thing} > {after}"
