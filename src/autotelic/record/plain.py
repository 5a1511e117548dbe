"""Values as JSON and as text that SQLite can hold, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from typing import Any

import numpy as np
import pydantic_core

from autotelic.types import Ids, Image, Observation, Part, Text


def to_json(value: Any) -> str:
    """Compact JSON. Takes numpy's scalars, tuples and dataclasses; nan and infinity become their names.

    >>> to_json({"loss": float("nan"), "cell": (1, 2)})
    '{"loss":"NaN","cell":[1,2]}'
    """
    try:
        # Ten times as fast as the standard library on rows, which is most of what recording costs.
        return pydantic_core.to_json(value, inf_nan_mode="strings", fallback=plain).decode()
    except pydantic_core.PydanticSerializationError:
        # Half a surrogate pair, which a program may well return: only the standard library escapes it.
        return json.dumps(value, default=plain, separators=(",", ":"))


def plain(value: Any) -> Any:
    """What JSON has no word for, as what it has one for."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} cannot be recorded; make it a number, text, list or dictionary")


# ── text that SQLite cannot hold ─────────────────────────────────────────────────────────────────────────


def text(value: str) -> str:
    """Half a surrogate pair as its escape, marked by a zero byte in front: SQLite holds UTF-8 alone."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return "\0" + json.dumps(value)
    return "\0" + json.dumps(value) if value.startswith("\0") else value


def untext(value: str) -> str:
    """The inverse of `text`."""
    return str(json.loads(value[1:])) if value.startswith("\0") else value


# ── observations ─────────────────────────────────────────────────────────────────────────────────────────


def shown(observation: Observation) -> Any:
    """An observation as JSON: a text as it is, parts as a list."""
    if isinstance(observation, str):
        return observation
    return [_part(part) for part in observation]


def _part(part: Part) -> dict[str, Any]:
    if isinstance(part, Text):
        return {"text": part.text}
    return {"image": part.digest} if isinstance(part, Image) else {"ids": list(part.ids)}


def observation_of(value: Any) -> Observation:
    """The inverse of `shown`."""
    if isinstance(value, str):
        return value
    return tuple(
        Text(text=part["text"])
        if "text" in part
        else Image(digest=part["image"])
        if "image" in part
        else Ids(ids=tuple(part["ids"]))
        for part in value
    )
