"""One side of a crossing writes: values to the lines of a message."""

from __future__ import annotations

import array
import json
import sys
import types
from collections import defaultdict, deque
from collections.abc import Iterator
from typing import Any

from autotelic.sandbox.inside import atoms, mirrors
from autotelic.sandbox.inside.atoms import Ref, Refused
from autotelic.sandbox.inside.containers import (
    CONTAINERS,
    CONTENT,
    DEFAULT_HASHES,
    TAGS,
    plain_value,
)
from autotelic.sandbox.inside.mirrors import VALUES
from autotelic.sandbox.inside.shared import (
    DEPTH,
    HEAP_TYPE,
    HELD_BY_TABLE,
    MOST_SHARED,
    Own,
    SharedContainer,
    SharedTables,
)

_dumps = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode


class Packing(SharedTables):
    """What writes messages."""

    def pack(self, kind: str, what: str, values: list[Any], note: str = "") -> list[str]:
        """The lines of a message. What this side no longer needs is said by `finish`, once `values` are let go."""
        self._lines, self._visited = [], set()
        usual = sys.getrecursionlimit()
        sys.setrecursionlimit(max(DEPTH, usual))
        try:
            head = _dumps([kind, what, [self.ref(value) for value in values], note])
            if not self._filling:
                for number in list(self._entries):
                    self._visit(number)
        except RecursionError:
            raise Refused("a value is nested too deeply") from None
        finally:
            sys.setrecursionlimit(usual)
        return [head, *self._lines]

    def finish(self, lines: list[str]) -> bytes:
        """The bytes of a message, with the numbers of the containers that are shared no longer."""
        for number in sorted(self._entries):
            entry = self._entries[number]
            if sys.getrefcount(entry.value) <= HELD_BY_TABLE:
                self._forget(number)
                self._dropped.append(number)
        dropped, self._dropped = _dumps(self._dropped), []
        return "\n".join([dropped, *lines]).encode("utf-8", "surrogatepass")

    def ref(self, value: Any) -> Ref:
        """What stands for `value` in a message. Raises Refused for what cannot cross."""
        kind = type(value)
        if kind in atoms.PLAIN:
            return value
        if kind is int:
            return value if -atoms.LONG < value < atoms.LONG else ["x", hex(value)]
        if kind in CONTENT:
            return self._share(value)
        atom = atoms.write(value, self.ref)
        if atom is not None:
            return atom
        if kind is Own:
            return ["O", value.handle]
        if id(value) in self._shared:
            return self._share(value)
        if (handle := self._held_ids.get(id(value))) is not None:
            return ["O", handle]
        if isinstance(value, types.ModuleType | type) or callable(value):
            named = self._library.write(value)
            if named is not None:
                return named
        return self._lend(value, kind)

    def _lend(self, value: Any, kind: type) -> Ref:
        """A reference to what stays on this side, or to a copy that has a class of its own."""
        if isinstance(value, type):
            return self.class_ref(value)
        if isinstance(value, BaseException):
            return self._error(value, kind)
        if isinstance(value, CONTAINERS):
            return self._share(value)
        if type(value) is types.ModuleType:
            raise Refused(f"the module {value.__name__} cannot cross")
        handle = self._handle(value)
        if isinstance(value, VALUES):
            return ["V", handle, self.class_ref(kind), self.ref(plain_value(value)), self._hash(value, kind)]
        if isinstance(value, types.FunctionType | types.MethodType | types.BuiltinMethodType):
            return ["P", handle]
        if kind.__module__ in ("builtins", "itertools") and isinstance(value, Iterator):
            return ["G", handle]
        if not kind.__flags__ & HEAP_TYPE:
            raise Refused(f"a value of type {kind.__name__} cannot cross")
        return ["R", handle, self.class_ref(kind), self._hash(value, kind)]

    def _hash(self, value: Any, kind: type) -> int | None:
        if kind.__hash__ in DEFAULT_HASHES:
            return None
        try:
            return hash(value)
        except Exception as error:
            raise Refused(f"its hash raises {type(error).__name__}") from None

    def _error(self, value: BaseException, kind: type) -> Ref:
        named = self._library.write(kind)
        arguments = BaseException.args.__get__(value)  # type: ignore[attr-defined]
        attributes = [part for name, held in vars(value).items() if name[0] != "_" for part in (name, held)]
        cause = value.__cause__
        plain: object = BaseException.__str__
        said = str(value) if named is None and kind.__str__ is not plain else None
        handle = None if named else self._handle(value)
        parts = [*(self.ref(part) for part in (_as_tuple(arguments), _as_tuple(attributes), cause))]
        return ["E", named or self.class_ref(kind), *parts, said, handle]

    def class_ref(self, kind: type) -> Ref:
        """A reference to a class: by name, as a number, or as a number with a description the first time."""
        if (held := self._held_ids.get(id(kind))) is not None:
            return ["O", held]
        library = self._library.write(kind)
        number = self._handle(kind)
        if number in self._described:
            return ["K", number]
        self._described.add(number)
        bases = [] if library else [ref for base in kind.__bases__ for ref in self._base(base)]
        return ["K", number, mirrors.describe(kind, bases, library)]

    def _base(self, base: type) -> list[Ref]:
        """A base class as the other side can have it: by name, as a stand-in, or as the plain type behind it."""
        named = self._library.write(base)
        if named is None:
            return [self.class_ref(base)]
        if issubclass(base, BaseException):
            return [named]
        plain = next((known for known in base.__mro__ if known in VALUES or known in CONTENT), None)
        return [] if plain is None else [self._library.write(plain)]

    def _handle(self, value: Any) -> int:
        handle = self._lent_ids.get(id(value))
        if handle is None:
            handle = next(self._numbers)
            self._lent[handle], self._lent_ids[id(value)] = value, handle
        return handle

    def _share(self, value: Any) -> Ref:
        number = self._shared.get(id(value))
        if number is None:
            if len(self._entries) >= MOST_SHARED:
                raise Refused(f"more than {MOST_SHARED} lists, dicts and sets are shared")
            number = next(self._numbers)
            self._entries[number] = SharedContainer(value, "")
            self._shared[id(value)] = number
        self._visit(number)
        return [number]

    def _visit(self, number: int) -> None:
        """Add the line of a container, if it is not as the other side knows it."""
        if number in self._visited or number not in self._entries:
            return
        self._visited.add(number)
        entry = self._entries[number]
        kind = type(entry.value)
        base = kind if kind in CONTENT else next(b for b in kind.__mro__ if b in CONTENT)
        line = _dumps([number, TAGS[base], self._extra(entry.value, base), self._content(entry.value, base)])
        if kind is not base:
            held = vars(entry.value) if hasattr(entry.value, "__dict__") else {}
            attributes = [[name, self.ref(part)] for name, part in held.items() if name[:2] != "__"]
            line = _dumps([line, self.class_ref(kind), attributes])
        if line != entry.line:
            entry.line = line
            self._lines.append(line)

    def _extra(self, value: Any, base: type) -> Ref:
        if base is deque:
            return value.maxlen
        if base is array.array:
            return value.typecode
        return self.ref(value.default_factory) if base is defaultdict else None

    def _content(self, value: Any, base: type) -> list[Ref]:
        items = list(CONTENT[base](value))
        kinds = set(map(type, items))
        if kinds <= atoms.PLAIN or (kinds == {int} and min(items) > -atoms.LONG and max(items) < atoms.LONG):
            return items
        ref = self.ref
        return [ref(item) for item in items]


def _as_tuple(values: Any) -> tuple[Any, ...]:
    """As a tuple, so that it crosses as a copy."""
    return tuple(values)
