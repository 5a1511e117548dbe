"""One side of a crossing reads: the lines of a message to values."""

from __future__ import annotations

import array
import json
import sys
import types
from collections import defaultdict, deque
from collections.abc import Callable
from typing import Any

from autotelic.sandbox.inside import atoms, mirrors
from autotelic.sandbox.inside.atoms import NonsenseError, Ref, Refused
from autotelic.sandbox.inside.containers import (
    CONTENT,
    FILL,
    KINDS,
    is_base,
    is_copied,
    same_items,
)
from autotelic.sandbox.inside.mirrors import Mirror
from autotelic.sandbox.inside.shared import DEPTH, MOST_SHARED, SharedContainer, SharedTables


class Unpacking(SharedTables):
    """What reads messages, and makes stand-ins for what the other side keeps."""

    def unpack(self, message: bytes) -> tuple[str, str, list[Any], str]:
        """What `pack` was given. Raises NonsenseError for anything that `pack` does not write."""
        self._filling += 1
        self._fresh.clear()
        usual = sys.getrecursionlimit()
        sys.setrecursionlimit(max(DEPTH, usual))
        try:
            dropped, head, *lines = message.decode("utf-8", "surrogatepass").split("\n")
            kind, what, refs, note = json.loads(head)
            self._receive(lines)
            values = [self.value(ref) for ref in refs]
            for number in json.loads(dropped):
                self._forget(number)
            if not (type(kind) is type(what) is type(note) is str):
                raise NonsenseError("a message without a kind")
            return kind, what, values, note
        except (NonsenseError, Refused):
            raise
        except Exception as error:
            raise NonsenseError(f"{type(error).__name__}: {error}") from None
        finally:
            self._filling -= 1
            sys.setrecursionlimit(usual)

    def _receive(self, lines: list[str]) -> None:
        """Make the containers that are new, then give all of them their content."""
        parsed = [(line, *self._parse(line)) for line in lines]
        for line, body, kind, _ in parsed:
            number, tag, extra, _ = body
            entry = self._entries.get(number)
            if entry is None:
                if type(number) is not int or len(self._entries) >= MOST_SHARED:
                    raise NonsenseError("too many containers")
                value = self._shell(KINDS[tag], extra, kind)
                self._entries[number] = SharedContainer(value, line)
                self._shared[id(value)] = number
            else:
                if not isinstance(entry.value, KINDS[tag]):
                    raise NonsenseError("a container of another type")
                entry.line = line
        for _, body, _, attributes in parsed:
            number, tag, _, refs = body
            items = refs if list not in set(map(type, refs)) else [self.value(ref) for ref in refs]
            value = self._entries[number].value
            if not same_items(CONTENT[KINDS[tag]](value), items):
                FILL[KINDS[tag]](value, items)
            for name, ref in attributes:
                if type(name) is not str or name.startswith("__"):
                    raise NonsenseError("an attribute of no such name")
                object.__setattr__(value, name, self.value(ref))

    def _parse(self, line: str) -> tuple[Any, Any, Any]:
        body = json.loads(line)
        if type(body[0]) is str:
            return json.loads(body[0]), body[1], body[2]
        return body, None, []

    def _shell(self, base: type, extra: Ref, kind: Ref) -> Any:
        made: Any = base if kind is None else self.value(kind)
        new: Any = base.__new__
        if not (isinstance(made, type) and issubclass(made, base)):
            raise NonsenseError("a container of no such class")
        if base is deque:
            shell: Any = new(made)
            deque.__init__(shell, (), extra)
        elif base is defaultdict:
            shell = new(made)
            defaultdict.__init__(shell, self._factory(self.value(extra)))
        elif base is array.array:
            shell = new(made, extra)
        else:
            shell = new(made)
        return shell

    def _factory(self, factory: Any) -> Any:
        """What makes the missing values of a dict. What a class makes so is not what this side asked it to make.

        A function of the library is refused: a dict would call it without anyone having asked for that.
        """
        function = isinstance(factory, types.FunctionType | types.BuiltinFunctionType)
        if function and not (self.is_held(factory) or self.is_lent(factory)):
            raise Refused("a function of the library makes missing values")
        if not isinstance(factory, Mirror):
            return factory
        made = mirrors.RemoteFunction()
        self.held[self._held_ids[id(factory)], "factory"] = made
        self._held_ids[id(made)] = self._held_ids[id(factory)]
        return made

    def value(self, ref: Ref) -> Any:
        """The value that a reference stands for."""
        if type(ref) is not list:
            return ref
        tag, *rest = ref
        if type(tag) is int:
            return self._entries[tag].value
        reader = atoms.READERS.get(tag)
        if reader is not None:
            return reader(*[self.value(part) for part in rest])
        return getattr(self, f"_read_{tag}")(*rest)

    def _read_N(self, module: str, name: str) -> Any:
        return self._library.read(module, name)

    def _read_M(self, module: str) -> Any:
        return self._library.read(module)

    def _read_O(self, handle: int) -> Any:
        return self._lent[handle]

    def _read_P(self, handle: int) -> Any:
        return self._keep(handle, mirrors.RemoteFunction)

    def _read_G(self, handle: int) -> Any:
        return self._keep(handle, lambda: mirrors.iterator(handle))

    def _read_R(self, handle: int, kind: Ref, hashed: int | None) -> Any:
        mirror = self.value(kind)
        return self._keep(handle, lambda: mirrors.instance(mirror), hashed)

    def _read_V(self, handle: int, kind: Ref, plain: Ref, hashed: int | None) -> Any:
        made, value = self.value(kind), self.value(plain)
        if not isinstance(made, Mirror):  # of a class of this side's: a copy, which has nothing over there
            return mirrors.valued(made, value)
        return self._keep(handle, lambda: mirrors.valued(made, value), hashed)

    def _read_E(
        self, kind: Ref, arguments: Ref, attributes: Ref, cause: Ref, said: str | None, handle: int | None
    ) -> Any:
        parts = self.value(kind), self.value(arguments), self.value(attributes)
        made = (
            mirrors.error(*parts, said)
            if handle is None
            else self._keep(handle, lambda: mirrors.error(*parts, said))
        )
        made.__cause__ = self.value(cause)
        return made

    def _read_K(self, number: int, described: dict[str, Any] | None = None) -> Any:
        if number not in self.held:
            if described is None:
                raise NonsenseError("a class that was never described")
            bases = tuple(self.value(base) for base in described["bases"])
            real = None if described["is"] is None else self.value(described["is"])
            if not all(map(is_base, bases)) or (real is not None and is_copied(real)):
                raise NonsenseError("a class of no such kind")
            made = mirrors.make(described, bases, real)
            self.held[number], self._held_ids[id(made)] = made, number
        return self.held[number]

    def _keep(self, handle: int, make: Callable[[], Any], hashed: int | None = None) -> Any:
        """What a handle of the other side's stands for here, made the first time."""
        self._answers.add(handle)
        made = self.held.get(handle)
        if made is None:
            made = make()
            self.held[handle], self._held_ids[id(made)] = made, handle
            self._fresh.add(handle)
        if type(hashed) is int:
            self._hashes[id(made)] = hashed
        return made
