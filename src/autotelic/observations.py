"""What a model is shown: text, images, ids. They are part of `types.py`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A part of an observation in words."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A picture, named by the sha256 of its bytes, which lie beside the record."""

    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ids:
    """Tokens that are given as they are, for a domain with a vocabulary of its own."""

    ids: tuple[int, ...]


Part = Text | Image | Ids
Observation = str | tuple[Part, ...]
"""What a model is shown. A plain text stands for one part of text."""


def text_of(observation: Observation) -> str:
    """The words of an observation; parts that are not text are left out."""
    if isinstance(observation, str):
        return observation
    return "".join(part.text for part in observation if isinstance(part, Text))
