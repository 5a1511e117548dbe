"""Stand-ins for what stays on the other side: functions, iterators, classes and their instances.

A stand-in of the candidate's never decides, within the tests, what a plain value of the tests is equal to, less than
or a member of: an object that claims to equal everything would pass every test. Where such a decision would be the
candidate's, the statement is refused. An object that the tests made themselves, from one of its classes, is what they
test; it may decide, until the candidate hands it out as an answer.
"""

from __future__ import annotations

import array
import builtins
import collections
import dataclasses
import types
from collections.abc import Callable, Generator
from typing import Any, Protocol

VALUES = (int, float, complex, str, bytes, tuple, frozenset)
_UNARY = """
len length_hint iter next reversed call str repr format int float index complex bytes bool abs neg pos invert round
trunc floor ceil enter exit getitem setitem delitem missing copy deepcopy
"""
_BINARY = "add sub mul matmul truediv floordiv mod divmod pow lshift rshift and xor or"
FORWARDED = (
    *(f"__{name}__" for name in _UNARY.split()),
    *(f"__{side}{name}__" for name in _BINARY.split() for side in ("", "r", "i")),
)
EQUALITY = ("__eq__", "__ne__")
DECISIONS = ("__lt__", "__le__", "__gt__", "__ge__", "__contains__")
BINARY = frozenset(f"__{side}{name}__" for name in _BINARY.split() for side in ("", "r", "i"))
OPERATIONS = frozenset((*FORWARDED, *EQUALITY, *DECISIONS))
"""Every special method that can be asked for from the other side."""


class AskingSide(Protocol):
    """What stand-ins need of the side they are on."""

    judges: bool

    def ask(self, what: str, *values: Any) -> Any: ...
    def call(self, what: str, target: Any, given: tuple[Any, ...], named: dict[str, Any]) -> Any: ...
    def advance(self, handle: int, sent: Any) -> tuple[bool, Any]: ...
    def is_answer(self, value: object) -> bool: ...
    def is_held(self, value: object) -> bool: ...
    def hash_of(self, value: object) -> int: ...
    def refuse(self, why: str) -> BaseException: ...


_here: list[AskingSide] = []
"""The one side that this process is."""


def serve(side: AskingSide) -> None:
    """Make all stand-ins of this process ask through `side`."""
    _here[:] = [side]


def _foreign(self: object, other: object) -> bool:
    """Whether the candidate would decide about a plain value of the tests."""
    side = _here[0]
    return side.judges and side.is_answer(self) and not side.is_held(other)


def _forward(name: str) -> Callable[..., Any]:
    def method(self: object, *given: Any, **named: Any) -> Any:
        if name == "__exit__":
            given = (*given[:2], None)
        return _here[0].call("operate:" + name, self, given, named)

    return method


def _binary(name: str) -> Callable[..., Any]:
    def method(self: object, other: object, *rest: object) -> Any:
        if _foreign(self, other):
            raise _here[0].refuse(f"what `{name}` gives is up to an object of the candidate")
        return _here[0].call("operate:" + name, self, (other, *rest), {})

    return method


def _decision(name: str) -> Callable[..., Any]:
    def method(self: object, other: object) -> Any:
        side = _here[0]
        if not _foreign(self, other):
            return side.call("operate:" + name, self, (other,), {})
        if other is None and name in EQUALITY:
            said = side.call("operate:" + name, self, (None,), {})
            if said is NotImplemented or said is (name == "__ne__"):
                return said  # any object is something else than None
        raise side.refuse(f"`{name}` of a value of the tests is up to an object of the candidate")

    return method


def _getattr(self: object, name: str) -> Any:
    is_method, value = _here[0].ask("get", self, name)
    return bound(self, name) if is_method else value


class Mirror(type):
    """The class of stand-ins for classes."""

    def __new__(
        cls, name: str, bases: tuple[type, ...], space: dict[str, Any], *, described: object = None
    ) -> Mirror:
        if described is None:
            raise _here[0].refuse("a class cannot be derived from one of the other side")
        return super().__new__(cls, name, bases, space)

    def __init__(cls, *given: Any, **named: Any) -> None:
        super().__init__(*given)

    def __call__(cls, *given: Any, **named: Any) -> Any:
        return _here[0].call("construct", cls, given, named)

    def __getattr__(cls, name: str) -> Any:
        return _getattr(cls, name)

    def __setattr__(cls, name: str, value: Any) -> None:
        _here[0].ask("set", cls, name, value)

    def __iter__(cls) -> Any:
        return _here[0].call("operate:__iter__", cls, (), {})

    def __len__(cls) -> Any:
        return _here[0].call("operate:__len__", cls, (), {})

    def __getitem__(cls, key: Any) -> Any:
        return _here[0].call("operate:__getitem__", cls, (key,), {})

    def __contains__(cls, value: object) -> Any:
        side = _here[0]
        if side.judges and not side.is_held(value):
            raise side.refuse("membership of a value of the tests is up to a class of the candidate")
        return side.call("operate:__contains__", cls, (value,), {})

    def __bool__(cls) -> bool:
        return True


class Remote(metaclass=Mirror, described={}):
    """A stand-in for an object that has nothing on this side."""

    __slots__ = ()
    __getattr__ = _getattr

    def __setattr__(self, name: str, value: Any) -> None:
        _here[0].ask("set", self, name, value)

    def __delattr__(self, name: str) -> None:
        _here[0].ask("delete", self, name)

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise _here[0].refuse("an object of the other side cannot be pickled")


def describe(kind: type, bases: list[Any], named: Any) -> dict[str, Any]:
    """What `make` needs to know of a class, as JSON."""
    operations = [name for name in OPERATIONS if _custom(kind, name)]
    slots = [name for name in ("__copy__", "__deepcopy__") if name not in operations]
    hashing = 2 if kind.__hash__ is None else int(_custom(kind, "__hash__"))
    fields = getattr(kind, "_fields", None) if issubclass(kind, tuple) else None
    data = [field.name for field in dataclasses.fields(kind)] if dataclasses.is_dataclass(kind) else None
    match = getattr(kind, "__match_args__", None)
    return {
        "name": kind.__name__,
        "bases": bases,
        "is": named,
        "operations": sorted([*operations, *slots]),
        "hash": hashing,
        "fields": list(fields) if fields else None,
        "data": data,
        "match": list(match) if match else None,
    }


def _custom(kind: type, name: str) -> bool:
    """Whether a class has a special method of its own, as against that of `object` or of a type that crosses."""
    for base in kind.__mro__:
        if name in vars(base):
            plain = base in VALUES or base in _PLAIN_BASES or _is_error(base)
            return base is not object and not plain
    return False


_PLAIN_BASES = frozenset(
    (
        *(list, dict, set, bytearray, array.array, collections.deque),
        *(collections.Counter, collections.defaultdict, collections.OrderedDict),
    )
)


def _is_error(kind: type) -> bool:
    return issubclass(kind, BaseException) and kind.__module__ == "builtins"


def make(described: dict[str, Any], bases: tuple[type, ...], real: type | None) -> type:
    """The stand-in for a class. `bases` are stand-ins, or types of this side that cross as copies."""
    name = str(described["name"])
    if hasattr(builtins, name):
        name = f"candidate.{name}"  # no class passes for another by its name
    space: dict[str, Any] = {"__module__": "candidate", "__getattr__": _getattr}
    for operation in described["operations"]:
        if operation in OPERATIONS:
            maker = (
                _decision
                if operation in (*EQUALITY, *DECISIONS)
                else (_binary if operation in BINARY else _forward)
            )
            space[operation] = maker(operation)
    if described["hash"] == 2:
        space["__hash__"] = None
    elif described["hash"] == 1:
        space["__hash__"] = lambda self: _here[0].hash_of(self)
    elif "__eq__" in space:
        space["__hash__"] = next((base.__hash__ for base in bases), object.__hash__)
    if described["match"]:
        space["__match_args__"] = tuple(map(str, described["match"]))
    if described["data"]:
        made = dataclasses.make_dataclass("fields", [str(field) for field in described["data"]])
        space["__dataclass_fields__"] = made.__dataclass_fields__  # type: ignore[attr-defined]
        space["__dataclass_params__"] = made.__dataclass_params__  # type: ignore[attr-defined]
    if real is not None:
        space["__class__"] = property(lambda self: real)
    if described["fields"] and tuple in bases:
        record = collections.namedtuple("record", [str(field) for field in described["fields"]], rename=True)  # type: ignore[misc]
        bases = tuple(record if base is tuple else base for base in bases)
    remote = all(isinstance(base, Mirror) and issubclass(base, Remote) for base in bases)
    if remote:
        space["__slots__"] = ()
    elif any(issubclass(base, BaseException) for base in bases):
        space["__str__"] = _said
    try:
        return Mirror(name, bases or (Remote,), space, described=described)
    except TypeError:  # bases that can be joined over there and not here
        first = next((base for base in bases if not issubclass(base, Remote)), Remote)
        return Mirror(name, (first,), space, described=described)


def _said(self: BaseException) -> str:
    said = vars(self).get(SAID)
    return BaseException.__str__(self) if said is None else said


SAID = "\0said"


class RemoteFunction:
    """A stand-in for a function."""

    __slots__ = ()

    def __call__(self, *given: Any, **named: Any) -> Any:
        return _here[0].call("call", self, given, named)

    def __get__(self, owner: object, kind: type | None = None) -> Any:
        return self if owner is None else types.MethodType(self, owner)

    def __getattr__(self, name: str) -> Any:
        return _getattr(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        _here[0].ask("set", self, name, value)

    def __repr__(self) -> str:
        return f"<function {self.__qualname__}>"

    __class__ = property(lambda self: types.FunctionType)
    __doc__ = property(lambda self: _getattr(self, "__doc__"))
    __module__ = property(lambda self: _getattr(self, "__module__"))


def bound(target: object, name: str) -> Callable[..., Any]:
    """A stand-in for a method of `target`."""

    def method(*given: Any, **named: Any) -> Any:
        return _here[0].call("method:" + name, target, given, named)

    method.__name__ = method.__qualname__ = name
    return method


def iterator(handle: int) -> Generator[Any, Any, Any]:
    """A stand-in for an iterator or a generator, which takes one item at a time from it."""
    sent = None
    while True:
        more, value = _here[0].advance(handle, sent)
        if not more:
            return value
        sent = yield value


def valued(kind: type, value: Any) -> Any:
    """An instance of `kind`, which is derived from the type of `value`, without its `__init__` or `__new__`."""
    base = type(value)
    if not (base in VALUES and issubclass(kind, base)):
        raise TypeError("no such class")
    return base.__new__(kind, value)


def instance(kind: type) -> Any:
    """A stand-in for an instance of the class that `kind` stands for."""
    if not (isinstance(kind, Mirror) and issubclass(kind, Remote)):
        raise TypeError("no such class")
    return object.__new__(kind)


def error(kind: type, arguments: tuple[Any, ...], attributes: tuple[Any, ...], said: str | None) -> Any:
    """An exception of `kind` with these arguments and attributes; its `__init__` is only called for our own types."""
    if not issubclass(kind, BaseException):
        raise TypeError("no exception")
    new: Any = kind.__new__
    try:
        made = new(kind, *arguments) if isinstance(kind, Mirror) else kind(*arguments)
    except Exception:
        made = BaseException.__new__(kind)
    made.args = arguments
    for name, value in zip(attributes[::2], attributes[1::2], strict=True):
        if type(name) is str and not name.startswith("_"):
            vars(made)[name] = value
    if said is not None:
        vars(made)[SAID] = str(said)
    return made
