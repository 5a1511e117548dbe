"""What a container holds, and how it is filled again; which values are copies, and which classes have copies."""

from __future__ import annotations

import array
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from typing import Any

from autotelic.sandbox.inside import atoms
from autotelic.sandbox.inside.mirrors import VALUES, Mirror

CONTAINERS = (list, dict, set, bytearray, deque, array.array)


def _flat(value: dict[Any, Any]) -> list[Any]:
    return [part for pair in dict.items(value) for part in pair]


def _fill_dict(shell: dict[Any, Any], flat: list[Any]) -> None:
    dict.clear(shell)
    for key, value in zip(flat[::2], flat[1::2], strict=True):
        dict.__setitem__(shell, key, value)


def _fill_ordered(shell: OrderedDict[Any, Any], flat: list[Any]) -> None:
    OrderedDict.clear(shell)
    for key, value in zip(flat[::2], flat[1::2], strict=True):
        OrderedDict.__setitem__(shell, key, value)


def _fill_list(shell: list[Any], items: list[Any]) -> None:
    list.__setitem__(shell, slice(None), items)


def _fill_set(shell: set[Any], items: list[Any]) -> None:
    set.clear(shell)
    set.update(shell, items)


def _fill_deque(shell: deque[Any], items: list[Any]) -> None:
    deque.clear(shell)
    deque.extend(shell, items)


def _fill_bytes(shell: bytearray, items: list[Any]) -> None:
    bytearray.__setitem__(shell, slice(None), items[0].encode("latin-1"))


def _fill_array(shell: array.array[Any], items: list[Any]) -> None:
    del shell[:]
    shell.extend(items)


CONTENT: dict[type, Any] = {
    list: list.__iter__,
    dict: _flat,
    set: set.__iter__,
    deque: deque.__iter__,
    bytearray: lambda value: [bytes(value).decode("latin-1")],
    Counter: _flat,
    defaultdict: _flat,
    OrderedDict: lambda value: [part for pair in OrderedDict.items(value) for part in pair],
    array.array: array.array.tolist,
}
FILL: dict[type, Any] = {
    list: _fill_list,
    dict: _fill_dict,
    set: _fill_set,
    deque: _fill_deque,
    bytearray: _fill_bytes,
    Counter: _fill_dict,
    defaultdict: _fill_dict,
    OrderedDict: _fill_ordered,
    array.array: _fill_array,
}
TAGS = dict(zip(CONTENT, "ldsqynfoa", strict=True))
KINDS = {tag: kind for kind, tag in TAGS.items()}


PLAINLY: dict[type, Callable[[Any], Any]] = {
    int: int.__pos__,
    float: float.__pos__,
    complex: complex.__pos__,
    str: lambda value: str.__getnewargs__(value)[0],
    bytes: lambda value: bytes.__getnewargs__(value)[0],
    tuple: lambda value: tuple(tuple.__iter__(value)),
    frozenset: lambda value: frozenset(frozenset.__iter__(value)),
}
DEFAULT_HASHES = (None, object.__hash__, *[kind.__hash__ for kind in PLAINLY])


def plain_value(value: Any) -> Any:
    """The value of an instance of a subclass, as an instance of the type that it is derived from."""
    base = next(base for base in type(value).__mro__ if base in PLAINLY)
    return PLAINLY[base](value)


def same_items(now: Any, items: list[Any]) -> bool:
    """Whether a container holds these very objects; it may be in the middle of a loop, and is left alone then."""
    held = list(now)
    return len(held) == len(items) and all(a is b for a, b in zip(held, items, strict=True))


def is_base(base: Any) -> bool:
    """Whether a stand-in may be derived from `base`: from no class that would compare in ways of its own."""
    plain = isinstance(base, type) and (base in VALUES or base in CONTENT)
    return plain or isinstance(base, Mirror) or (isinstance(base, type) and issubclass(base, BaseException))


def is_copied(kind: Any) -> bool:
    """Whether instances of a class cross as copies, so that no stand-in may pass for one."""
    return not isinstance(kind, type) or kind in (*atoms.WRITERS, *CONTENT, *atoms.PLAIN, int, object, type)
