"""Whether a domain has the kind of task it is asked for."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from autotelic.errors import DomainError
from autotelic.types import Cell, Spec


def check_cell(spec: Spec, cell: Cell) -> None:
    """Raises DomainError for a mode or a level that the spec does not have."""
    if cell.mode not in spec.modes:
        raise DomainError(f"the {spec.name} domain has no mode {cell.mode!r}", f"use {', '.join(spec.modes)}")
    if cell.level not in spec.levels:
        shown = f"{min(spec.levels)} to {max(spec.levels)}"
        raise DomainError(f"the {spec.name} domain was given no level {cell.level}", f"use {shown}")


def check_spec(spec: Spec, *, modes: Collection[str], levels: Collection[int]) -> Spec:
    """The spec, if it is a part of what the domain can do. Raises DomainError for other modes or levels, or none."""
    _check("levels", spec.levels, levels, f"{min(levels)} to {max(levels)}", spec.name)
    _check("modes", spec.modes, modes, ", ".join(modes), spec.name)
    return spec


def _check(what: str, wanted: Sequence[object], known: Collection[object], shown: str, name: str) -> None:
    if not wanted or not set(wanted) <= set(known):
        raise DomainError(f"{what}={list(wanted)} of the {name} domain", f"give some of {shown}")
