"""How values cross: atoms as copies, containers as copies kept alike on both sides, all else as handles.

A message is lines. The first is JSON: what is asked or answered, with values as references. Each further line is the
content of one container that the two sides share. A container keeps its identity: changed in place on one side, it is
changed in place on the other with the next message. It is shared until one side has let go of it.
"""

from __future__ import annotations

import array
import json
import sys
import types
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from autotelic.sandbox.inside import atoms, mirrors
from autotelic.sandbox.inside.atoms import Library, NonsenseError, Ref, Refused
from autotelic.sandbox.inside.containers import (
    CONTAINERS,
    CONTENT,
    DEFAULT_HASHES,
    FILL,
    KINDS,
    TAGS,
    is_base,
    is_copied,
    plain_value,
    same_items,
)
from autotelic.sandbox.inside.mirrors import VALUES, Mirror

MOST_SHARED = 100_000
"""Containers that both sides may hold at once."""
HELD_BY_TABLE = 2
"""References that `sys.getrefcount` counts to a container that only its entry holds."""
HEAP_TYPE = 1 << 9
"""`Py_TPFLAGS_HEAPTYPE`: a class that Python code can have made. Another's storage is beyond a stand-in."""
DEPTH = 30_000
"""Frames that writing or reading a nested value may take: about 6,000 levels, for which a stack has room."""
_dumps = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode


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


class Crossing:
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

    # ---- writing ------------------------------------------------------------------------------------------------

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

    # ---- reading ------------------------------------------------------------------------------------------------

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

    def _forget(self, number: int) -> None:
        entry = self._entries.pop(number, None)
        if entry is not None:
            self._shared.pop(id(entry.value), None)

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

    # ---- what is whose ------------------------------------------------------------------------------------------

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


def _as_tuple(values: Any) -> tuple[Any, ...]:
    """As a tuple, so that it crosses as a copy."""
    return tuple(values)
