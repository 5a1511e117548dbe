"""What the two sides of a crossing share, lent and hold: one side's tables."""

from __future__ import annotations

from itertools import count
from typing import Any

from autotelic.sandbox.inside.atoms import Library
from autotelic.sandbox.inside.mirrors import Mirror

MOST_SHARED = 100_000
"""Containers that both sides may hold at once."""
HELD_BY_TABLE = 2
"""References that `sys.getrefcount` counts to a container that only its entry holds."""
HEAP_TYPE = 1 << 9
"""`Py_TPFLAGS_HEAPTYPE`: a class that Python code can have made. Another's storage is beyond a stand-in."""
DEPTH = 30_000
"""Frames that writing or reading a nested value may take: about 6,000 levels, for which a stack has room."""


class SharedContainer:
    """A shared container, and the line that both sides know it by."""

    __slots__ = ("line", "value")

    def __init__(self, value: Any, line: str) -> None:
        self.value, self.line = value, line


class Own:
    """An object of the other side's, by its handle."""

    __slots__ = ("handle",)

    def __init__(self, handle: int) -> None:
        self.handle = handle


class SharedTables:
    """One side's tables: what is shared, what it lent to the other side, what it holds of the other side's."""

    def __init__(self, library: Library, first: int) -> None:
        self._library = library
        self._numbers = count(first, 2)
        self._entries: dict[int, SharedContainer] = {}
        self._shared: dict[int, int] = {}
        self._dropped: list[int] = []
        self._lent: dict[int, Any] = {}
        self._lent_ids: dict[int, int] = {}
        self.held: dict[Any, Any] = {}
        """What stands here for objects of the other side's, by their handles."""
        self._held_ids: dict[int, int] = {}
        self._answers: set[int] = set()
        self._fresh: set[int] = set()
        self._named: set[int] = set()
        self._hashes: dict[int, int] = {}
        self._described: set[int] = set()
        self._lines: list[str] = []
        self._visited: set[int] = set()
        self._filling = 0

    def _forget(self, number: int) -> None:
        entry = self._entries.pop(number, None)
        if entry is not None:
            self._shared.pop(id(entry.value), None)

    def own(self, handle: int) -> Own:
        """What names an object of the other side's that is held, in place of its stand-in."""
        return Own(handle)

    def is_held(self, value: object) -> bool:
        """Whether `value` stands for something of the other side's."""
        return id(value) in self._held_ids

    def is_lent(self, value: object) -> bool:
        """Whether the other side was given a handle of `value`."""
        return id(value) in self._lent_ids

    def is_answer(self, value: object) -> bool:
        """Whether `value` stands for what the other side handed out, as against what it made when asked to."""
        handle = self._held_ids.get(id(value))
        return handle is None or handle in self._answers

    def name(self, value: object) -> None:
        """Note that this side named `value`, a class of the other side's, by itself."""
        if isinstance(value, Mirror):
            self._named.add(id(value))

    def is_named(self, value: object) -> bool:
        return id(value) in self._named

    def is_made(self, value: object) -> None:
        """Note that `value` was made because this side asked for it, if it came for the first time just now."""
        handle = self._held_ids.get(id(value))
        if handle is not None and handle in self._fresh:
            self._answers.discard(handle)

    def hash_of(self, value: object) -> int:
        """The hash that the other side gave with an object."""
        return self._hashes[id(value)]
