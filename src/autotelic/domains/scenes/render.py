"""From scenes to pictures: integer masks on 64 x 64 pixels, without anti-aliasing, the same bytes everywhere.

A picture is what a run learns from and what its exam asks, so a renderer that draws otherwise would make another exam
of the same seed. The version is therefore pinned: `check_renderer` draws a test set and compares its hash.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np

from autotelic.domains.scenes.scene import COLOURS, LATTICE, SHAPES, Scene, Thing
from autotelic.errors import DomainError
from autotelic.pictures import Pixels, png

SIDE = 64
"""Pixels a side: four patches of 16."""
STEP = 8
"""Pixels between neighbours of the lattice."""
PALETTE = (
    (0, 0, 0), (230, 40, 40), (40, 200, 60), (60, 90, 255), (240, 220, 40), (255, 255, 255), (255, 120, 200),
)  # fmt: skip
"""The background, then `COLOURS` in their order."""
VERSION = 1
"""Raised with every change of what is drawn; `TEST_SET` is then the new hash."""
TEST_SET = "49fa307060297833f38ed3ee14ff1b8117f28e0dbb77e33e30c9ff96c867e05d"
"""The sha256 of the pictures of the test set, as version 1 draws them."""
Mask = np.ndarray[Any, np.dtype[np.bool_]]


@lru_cache(maxsize=64)
def _mask(shape: str, reach: int) -> Mask:
    """The pixels of a shape within its square, in whole numbers alone."""
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    masks = {
        "circle": 4 * (x * x + y * y) <= (2 * reach + 1) ** 2 - reach,
        "square": np.maximum(abs(x), abs(y)) < reach,
        "triangle": 2 * abs(x) <= y + reach,
        "cross": np.minimum(abs(x), abs(y)) <= reach // 4,
    }
    found: Mask = masks[shape]
    return found


def _paint(canvas: Pixels, thing: Thing, value: int) -> None:
    reach = thing.reach
    top, left = thing.row * STEP - reach, thing.column * STEP - reach
    canvas[top : top + 2 * reach + 1, left : left + 2 * reach + 1][_mask(thing.shape, reach)] = value


def draw(scene: Scene) -> Pixels:
    """Numbers of colours, [64, 64]: 0 is the background."""
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    for thing in scene:
        _paint(canvas, thing, 1 + COLOURS.index(thing.colour))
    return canvas


def owners(scene: Scene) -> Pixels:
    """Which thing each pixel shows, counted from 1, [64, 64]; 0 is the background."""
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    for number, thing in enumerate(scene, start=1):
        _paint(canvas, thing, number)
    return canvas


def visible(scene: Scene) -> list[float]:
    """The share of each thing that nothing covers."""
    seen = np.bincount(owners(scene).ravel(), minlength=len(scene) + 1)[1:]
    return [
        float(n) / int(_mask(thing.shape, thing.reach).sum()) for n, thing in zip(seen, scene, strict=True)
    ]


@lru_cache(maxsize=8192)
def picture(scene: Scene) -> bytes:
    """A scene as PNG."""
    return png(draw(scene), PALETTE)


def test_set() -> list[Scene]:
    """Every thing there is at some place, and things over one another."""
    kinds = list(product(COLOURS, SHAPES, (False, True)))
    spread = [(Thing(1 + at % LATTICE, 1 + at * 3 % LATTICE, *kind),) for at, kind in enumerate(kinds)]
    heaps = [
        tuple(Thing(3 + n % 2, 3 + (at + n) % 3, *kinds[(7 * at + 5 * n) % len(kinds)]) for n in range(4))
        for at in range(8)
    ]
    return [*spread, *heaps]


def drawn_hash() -> str:
    """The sha256 over the pictures of the test set."""
    total = hashlib.sha256()
    for scene in test_set():
        total.update(png(draw(scene), PALETTE))
    return total.hexdigest()


@lru_cache(maxsize=1)
def check_renderer() -> str:
    """The renderer's version with the hash of what it draws. Raises DomainError where it draws otherwise."""
    found = drawn_hash()
    if found != TEST_SET:
        raise DomainError(
            f"the renderer of scenes draws otherwise than its version {VERSION}: the hash of its test set is "
            f"{found[:12]}, expected {TEST_SET[:12]}",
            "install the package again whole; after a change on purpose raise VERSION and TEST_SET",
        )
    return f"{VERSION} {found[:12]}"
