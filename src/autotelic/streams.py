"""Random streams: randomness is an argument, never global state.

A stream is named by the run's seed and what it is for: `stream(seed, "propose", generation, index)`. Two
different names give independent streams, and the same name gives the same numbers in any process, in any
order, which is what lets a run be resumed without saving a generator's state. Names are hashed with sha256,
because Python's own `hash` of a string is salted per process.
"""

from __future__ import annotations

import hashlib
import json

import numpy as np

Name = str | int


def stream(seed: int, *names: Name) -> np.random.Generator:
    """The generator of numbers for the purpose that `names` spell.

    >>> int(stream(0, "propose", 3).integers(100)) == int(stream(0, "propose", 3).integers(100))
    True
    """
    return np.random.Generator(np.random.PCG64(int.from_bytes(_key(seed, names), "big")))


def seed_of(seed: int, *names: Name) -> int:
    """A 63-bit seed for other generators: `torch.Generator().manual_seed(seed_of(0, "init"))`."""
    return int.from_bytes(_key(seed, names)[:8], "big") >> 1


def _key(seed: int, names: tuple[Name, ...]) -> bytes:
    # JSON keeps ("a", 1), ("a", "1") and ("a1",) apart, and reads the same everywhere. int() takes in numpy's
    # integers and booleans; a float would be a name that depends on rounding, so it is refused.
    for name in names:
        if isinstance(name, float):
            raise TypeError(f"a stream is named by strings and integers, got {name!r}; round it or spell it")
    parts = [int(seed), *(name if isinstance(name, str) else int(name) for name in names)]
    return hashlib.sha256(json.dumps(parts).encode()).digest()
