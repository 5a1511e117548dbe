"""What a setting is: a value with a unit, an owner and a reason to turn it. Charter and machine have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

LARGEST = 2**53
"""The largest integer of a setting. Every reader of JSON holds integers up to here exactly."""
SHARE: Mapping[str, Any] = {"ge": 0, "le": 1}
"""Bounds of a part of a whole."""
RATE: Mapping[str, Any] = {"gt": 0, "le": 1}
"""Bounds of a step size, which 0 would make useless."""
WEIGHT: Mapping[str, Any] = {"ge": 0, "le": 10}
"""Bounds of a term of the loss. More than ten times the others is taken for a mistake."""


def knob(
    default: Any, unit: str, owner: str, why: str, *, rare: bool = False, follows: str = "", **bounds: Any
) -> Any:
    """A setting: its unit, the part of the engine that reads it, and why one would turn it.

    `rare` settings are machinery that a first user does not turn; `charter show` leaves them out. `follows`
    names the setting whose value is taken where this one is left out.
    """
    if isinstance(default, tuple):
        bounds["strict"] = False  # TOML has arrays, not tuples; what is in them is still checked strictly
    elif isinstance(default, int):
        bounds.setdefault("le", LARGEST)
    extra: JsonDict = {"unit": unit, "owner": owner, "rare": rare}
    if follows:
        extra["follows"] = follows
    return Field(default, description=f"{why} ({unit}; read by {owner})", json_schema_extra=extra, **bounds)


class Section(BaseModel):
    """A table of settings. Frozen; an unknown key, text for a number or a nan is an error."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, validate_default=True
    )

    def canonical(self) -> dict[str, Any]:
        """Every key with its value, defaults included, as plain JSON."""
        return self.model_dump(mode="json")
