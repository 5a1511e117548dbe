"""Questions about a scene, each with one right answer or none: places, counts, relations, covers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from autotelic.domains.scenes.rules import Share, draw_scene
from autotelic.domains.scenes.scene import COLOURS, SHAPES, Scene, Thing

TRIES = 200
COUNTED = 4
"""A count is from 0 to 3, each as often, so that a guess at one is right one time in four."""
LEVELS: Mapping[int, tuple[str, ...]] = {
    1: ("colour", "shape", "place", "at"),
    2: ("place", "at", "count", "right", "below"),
    3: ("place", "count", "right", "below", "over", "under"),
}
"""The kinds of question of each level."""
WORDS: Mapping[str, str] = {
    "colour": "What colour is the {0}?",
    "shape": "What shape is the {0} thing?",
    "place": "Where is the {0}?",
    "at": "What is at {0}?",
    "count": "How many things are {0}?",
    "right": "Which thing is next to the right of the {0}, in whatever row?",
    "below": "Which thing is next below the {0}, in whatever column?",
    "over": "Which thing lies over the {0}?",
    "under": "Which thing lies under the {0}?",
}


def answer_of(scene: Scene, question: str) -> str | None:
    """The one right answer to a question such as `colour circle`; None where there is none, or more than one."""
    kind, _, subject = question.partition(" ")
    if kind not in _ANSWERS:
        return None
    return _ANSWERS[kind](scene, subject)


def _only(found: Sequence[str]) -> str | None:
    return found[0] if len(found) == 1 else None


def _named(scene: Scene, kind: str) -> Thing | None:
    found = [thing for thing in scene if thing.kind == kind]
    return found[0] if len(found) == 1 else None


def _next(scene: Scene, kind: str, far: Callable[[Thing], int]) -> str | None:
    """The kind of the thing that is the next one further on; None where two are as far."""
    subject = _named(scene, kind)
    if subject is None:
        return None
    ahead = [thing for thing in scene if far(thing) > far(subject)]
    nearest = min(map(far, ahead), default=0)
    return _only([thing.kind for thing in ahead if far(thing) == nearest])


def _touching(scene: Scene, kind: str, over: bool) -> str | None:
    subject = _named(scene, kind)
    if subject is None:
        return None
    at = scene.index(subject)
    others = scene[at + 1 :] if over else scene[:at]
    return _only([thing.kind for thing in others if thing.meets(subject)])


def _count(scene: Scene, subject: str) -> str | None:
    if subject not in COLOURS + SHAPES:
        return None
    return str(sum(subject in (thing.colour, thing.shape) for thing in scene))


_ANSWERS: Mapping[str, Callable[[Scene, str], str | None]] = {
    "colour": lambda scene, shape: _only([t.colour for t in scene if t.shape == shape]),
    "shape": lambda scene, colour: _only([t.shape for t in scene if t.colour == colour]),
    "place": lambda scene, kind: None if (found := _named(scene, kind)) is None else found.place,
    "at": lambda scene, place: _only([t.kind for t in scene if t.place == place]),
    "count": _count,
    "right": lambda scene, kind: _next(scene, kind, lambda thing: thing.column),
    "below": lambda scene, kind: _next(scene, kind, lambda thing: thing.row),
    "over": lambda scene, kind: _touching(scene, kind, True),
    "under": lambda scene, kind: _touching(scene, kind, False),
}


def draw_question(level: int, rng: np.random.Generator, kind: str = "") -> tuple[Scene, str] | None:
    """A random scene of a level with a question that has an answer; None where none was found.

    With a `kind` the question is of it.
    """
    kind = kind or LEVELS[level][int(rng.integers(len(LEVELS[level])))]
    for _ in range(TRIES):
        share = None
        if kind == "count":
            named = COLOURS + SHAPES
            share = Share(named[int(rng.integers(len(named)))], int(rng.integers(COUNTED)))
        scene = draw_scene(level, rng, share)
        if scene is None:
            continue
        if share is not None:
            return scene, f"count {share.name}"
        question = f"{kind} {_subject(scene[int(rng.integers(len(scene)))], kind)}"
        if answer_of(scene, question) is not None:
            return scene, question
    return None


def _subject(thing: Thing, kind: str) -> str:
    """How a question names a thing, without what it asks for."""
    return {"colour": thing.shape, "shape": thing.colour, "at": thing.place}.get(kind, thing.kind)
