"""Patterns of values, for constrained decoding."""

from __future__ import annotations

SCALAR = r'(?:-?(?:0|[1-9][0-9]{0,9})|true|false|null|"[ !#-\[\]-~]{0,60}")'
"""A value that is no list."""


def listed(item: str) -> str:
    """The pattern of a list of what matches `item`."""
    return rf"\[(?:{item}(?:, ?{item}){{0,63}})?\]"


LISTED = listed(SCALAR)
"""A list of values that are no lists."""
