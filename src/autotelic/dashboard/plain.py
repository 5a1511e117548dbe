"""The classes that the readers show, as plain JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from autotelic.messages import Message
from autotelic.types import Cell


def plain(value: object) -> Any:
    """A class, or anything made of classes, as JSON: a message with its kind, nan and infinity as null.

    >>> plain({Cell(mode="induction", level=2): (1.5, float("nan"))})
    {'induction/2': [1.5, None]}
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Cell):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        head = {"kind": value.kind} if isinstance(value, Message) else {}
        return head | {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} is no part of a message")
