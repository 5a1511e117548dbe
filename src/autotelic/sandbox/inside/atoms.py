"""Values that cross between the tests and the candidate as copies: what never changes once made.

An atom is JSON: a number, a text, true, false and null stand for themselves; anything else is a list that begins with
a tag. Reading one calls constructors of the standard library, on data, and nothing else.
"""

from __future__ import annotations

import datetime
import decimal
import fractions
import re
import sys
import types
import uuid
import zoneinfo
from collections.abc import Callable
from typing import Any

Ref = Any
"""What stands for a value in a message."""
PLAIN = frozenset({str, float, bool, type(None)})
LONG = 1 << 4096
"""Integers beyond this are written in base sixteen: base ten takes quadratic time."""
DENIED = frozenset(
    [
        "exec",
        "eval",
        "compile",
        "open",
        "input",
        "__import__",
        "exit",
        "quit",
        "breakpoint",
        "globals",
        "locals",
        "vars",
        "getattr",
        "setattr",
        "delattr",
    ]
)
"""Builtins that the tests do not take from a candidate, which could have them called."""


class Refused(BaseException):
    """What was asked for cannot be judged; the text says why. Not an `Exception`: no test takes it for an answer."""


class NonsenseError(Exception):
    """A message is not what the other side writes."""


def write(value: Any, ref: Callable[[Any], Ref]) -> Ref:
    """The atom of `value`, or None if its type is none of these. `ref` writes what is within it."""
    kind = type(value)
    writer = WRITERS.get(kind)
    return None if writer is None else writer(value, ref)


def _many(tag: str) -> Callable[[Any, Callable[[Any], Ref]], Ref]:
    return lambda value, ref: [tag, *[ref(item) for item in value]]


def _moment(value: Any) -> list[Any]:
    return [value.hour, value.minute, value.second, value.microsecond]


def _zone(value: datetime.timezone, ref: Callable[[Any], Ref]) -> Ref:
    offset, *name = value.__getinitargs__()  # type: ignore[attr-defined]
    return ["tz", ref(offset), *name]


WRITERS: dict[type, Callable[[Any, Callable[[Any], Ref]], Ref]] = {
    tuple: _many("t"),
    frozenset: _many("fs"),
    complex: lambda value, ref: ["c", value.real, value.imag],
    bytes: lambda value, ref: ["b", value.decode("latin-1")],
    range: lambda value, ref: ["r", ref(value.start), ref(value.stop), ref(value.step)],
    slice: lambda value, ref: ["S", ref(value.start), ref(value.stop), ref(value.step)],
    type(Ellipsis): lambda value, ref: ["e"],
    type(NotImplemented): lambda value, ref: ["ni"],
    decimal.Decimal: lambda value, ref: ["D", decimal.Decimal.__str__(value)],
    fractions.Fraction: lambda value, ref: ["F", ref(value.numerator), ref(value.denominator)],
    datetime.date: lambda value, ref: ["da", value.year, value.month, value.day],
    datetime.timedelta: lambda value, ref: ["td", value.days, value.seconds, value.microseconds],
    datetime.timezone: _zone,
    datetime.time: lambda value, ref: ["ti", ref(value.tzinfo), value.fold, *_moment(value)],
    datetime.datetime: lambda value, ref: [
        *("dt", ref(value.tzinfo), value.fold, value.year, value.month, value.day),
        *_moment(value),
    ],
    uuid.UUID: lambda value, ref: ["U", value.hex],
    re.Pattern: lambda value, ref: ["re", ref(value.pattern), value.flags],
    type({}.keys()): _many("vk"),
    type({}.values()): _many("vv"),
    type({}.items()): lambda value, ref: ["vi", *[ref(part) for pair in value for part in pair]],
    zoneinfo.ZoneInfo: lambda value, ref: ["Z", value.key],
}


def _dated(kind: Any, zone: Any, fold: int, parts: tuple[int, ...]) -> Any:
    return kind(*parts, tzinfo=zone, fold=fold)


def _pairs(flat: list[Any]) -> dict[Any, Any]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


READERS: dict[str, Callable[..., Any]] = {
    "t": lambda *items: items,
    "fs": lambda *items: frozenset(items),
    "c": lambda real, imag: complex(real, imag),
    "b": lambda text: text.encode("latin-1"),
    "x": lambda text: int(text, 16),
    "r": range,
    "S": slice,
    "e": lambda: ...,
    "ni": lambda: NotImplemented,
    "D": decimal.Decimal,
    "F": fractions.Fraction,
    "da": datetime.date,
    "td": datetime.timedelta,
    "tz": datetime.timezone,
    "ti": lambda zone, fold, *rest: _dated(datetime.time, zone, fold, rest),
    "dt": lambda zone, fold, *rest: _dated(datetime.datetime, zone, fold, rest),
    "U": uuid.UUID,
    "re": re.compile,
    "vk": lambda *items: dict.fromkeys(items).keys(),
    "vv": lambda *items: dict(enumerate(items)).values(),
    "vi": lambda *flat: _pairs(list(flat)).items(),
    "Z": zoneinfo.ZoneInfo,
}


class Library:
    """The modules that both sides have: what lies in them crosses by name."""

    def __init__(self, modules: tuple[str, ...], denied: frozenset[str]) -> None:
        self._modules = {"builtins", *modules}
        self._denied = denied

    def write(self, value: Any) -> Ref:
        """`["N", module, name]` of a function or class of the library, `["M", name]` of a module, or None."""
        if type(value) is types.ModuleType:
            known = value.__name__ in {*self._modules, "sys"}
            return ["M", value.__name__] if known and sys.modules.get(value.__name__) is value else None
        name = getattr(value, "__qualname__", None)
        module = getattr(value, "__module__", None) or "builtins"
        if type(name) is not str or type(module) is not str:
            return None
        for home in (module, module.lstrip("_")):
            if callable(value) and home in self._modules and self._look(home, name) is value:
                return ["N", home, name]
        return None

    def read(self, module: str, name: str = "") -> Any:
        """What `write` named. Raises NonsenseError for a name that is not in the library, or denied."""
        if not name and module == "sys":
            return sys
        if module not in self._modules or module not in sys.modules:
            raise NonsenseError(f"no module {module}")
        if not name:
            return sys.modules[module]
        if module == "builtins" and name in self._denied:
            raise Refused(f"the candidate hands over `{name}`")
        found = self._look(module, name)
        if not callable(found):  # a table of a module is not to be shared, and changed, from the other side
            raise NonsenseError(f"no {module}.{name}")
        return found

    @staticmethod
    def _look(module: str, name: str) -> Any:
        found: Any = sys.modules.get(module)
        for part in name.split("."):
            if part.startswith("__") and part != "__import__":
                return None
            found = getattr(found, part, None)
        return found
