"""How good an answer is: what it draws, what its graph has in common with the truth, or whether it is the answer."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from autotelic.domains.scenes.changes import changed
from autotelic.domains.scenes.render import draw, visible
from autotelic.domains.scenes.scene import (
    COLOURS,
    LATTICE,
    LONGEST,
    SHAPES,
    ProgramError,
    Scene,
    graph_of,
    parse,
)
from autotelic.types import Task, Verdict

ALMOST = 0.9
"""The most that a program earns that draws another picture."""
_KIND = rf"(?:small )?(?:{'|'.join(COLOURS)}) (?:{'|'.join(SHAPES)})"
_LINE = rf"[1-{LATTICE}][1-{LATTICE}] {_KIND}"
_PROGRAM = rf"(?:{_LINE}\n){{1,8}}"
_SIDE = rf"(?:{_LINE})"
FORMS: Mapping[str, str] = {
    "describe": _PROGRAM,
    "draw": _PROGRAM,
    "answer": rf"{_PROGRAM}= (?:{_KIND}|{'|'.join(COLOURS)}|{'|'.join(SHAPES)}|[1-{LATTICE}]{{2}}|[0-9])\n",
    "spot": rf"{_SIDE} > (?:{_SIDE}|gone)\n|new > {_SIDE}\n",
}
"""The pattern of right completions of each mode."""
_ANSWER = re.compile(r"(?:[^=]*\n)?= ([^=\n]+)\s*", re.ASCII)
_FENCE = re.compile(r"```\w*\n?")


def read(mode: str, completion: str) -> str:
    """The part of a completion that is judged, without fences of code and blanks around it."""
    text = _FENCE.sub("", completion[: 2 * LONGEST]).strip(" \n")
    if mode != "answer":
        return text
    # With two answers, or lines after it, nothing was answered.
    found = _ANSWER.fullmatch(text)
    return found[1].strip() if found else text


def verdict(task: Task, answer: str) -> Verdict:
    """The verdict on what `read` gave."""
    if task.mode == "answer":
        right = answer == task.secret["answer"]
        return Verdict(reward=float(right), passed=right, reason="right" if right else "wrong")
    truth = parse(str(task.secret["program"]))
    try:
        if task.mode == "spot":
            found = changed(truth, answer)
            right = np.array_equal(draw(found), draw(changed(truth, str(task.secret["change"]))))
            return Verdict(reward=float(right), passed=right, reason="right" if right else "wrong")
        return _drawn(parse(answer), truth)
    except ProgramError as error:
        return Verdict(reward=0.0, passed=False, reason=error.reason)


def _drawn(scene: Scene, truth: Scene) -> Verdict:
    """Right where the pictures are equal; else half of the reward for the graph, half for the pixels."""
    if min(visible(scene)) == 0.0:
        return Verdict(reward=0.0, passed=False, reason="hidden")
    one, other = draw(scene), draw(truth)
    if np.array_equal(one, other):
        return Verdict(reward=1.0, passed=True, reason="same picture")
    shared = len({*scene} & {*truth})
    graph = 2 * shared / (len(scene) + len(truth))
    either = (one > 0) | (other > 0)
    pixels = float((one == other)[either].mean())
    return Verdict(reward=min(ALMOST, (graph + pixels) / 2), passed=False, reason="other picture")


def spelling(mode: str, answer: str) -> str:
    """One spelling for answers that are the same, empty for a program that cannot be read."""
    if mode not in ("describe", "draw"):
        return answer.strip()
    try:
        return graph_of(parse(answer))
    except ProgramError:
        return ""
