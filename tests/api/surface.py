"""The public names of `autotelic` with their signatures, as text. `python tests/api/surface.py` freezes them.

Freeze at a release: until then each name that changed is to be named in the changelog.
"""

from __future__ import annotations

import enum
import inspect
import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel

import autotelic

FROZEN = Path(__file__).with_name("public.json")


def surface() -> dict[str, Any]:
    """By name: a signature, or for a class its signature and those of its public members."""
    return {name: _shape(getattr(autotelic, name)) for name in autotelic.__all__ if name != "__version__"}


def _shape(thing: Any) -> Any:
    if not inspect.isclass(thing):
        return _signature(thing)
    if issubclass(thing, enum.Enum):
        return {"members": [member.name for member in thing]}
    if issubclass(thing, BaseModel):  # its settings are described by its own schema
        return {"fields": sorted(thing.model_fields), "members": sorted(_methods(thing))}
    return {"signature": _signature(thing), "members": dict(sorted(_methods(thing).items()))}


def _methods(thing: type) -> dict[str, str]:
    return {
        name: _member(value)
        for part in thing.__mro__
        if part.__module__.startswith("autotelic")
        for name, value in vars(part).items()
        if not name.startswith("_") and name != "model_config"
    }


def _member(value: Any) -> str:
    if isinstance(value, property):
        return "property"
    if isinstance(value, classmethod | staticmethod):
        value = value.__func__
    return _signature(value) if callable(value) else "attribute"


def _signature(thing: Any) -> str:
    try:
        return str(inspect.signature(thing))
    except (ValueError, TypeError):
        return "()"


if __name__ == "__main__":
    FROZEN.write_text(json.dumps(surface(), indent=1, sort_keys=True) + "\n", encoding="utf-8")
