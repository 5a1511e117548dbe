"""References of weights: one sha256 over all that makes a model behave as it does.

    {"tensors": sha256 of names, types, shapes, bytes,
     "files": {"config.json": sha256, "tokenizer.json": sha256, ...}}

A reference is the digest of that manifest in canonical JSON (RFC 8785). Two folders with the same reference
compute the same.
"""

from __future__ import annotations

import fnmatch
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from autotelic.canonical import digest

if TYPE_CHECKING:  # readers of references need no torch, which takes seconds to import
    from torch import nn

BEHAVIOUR = (
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "*.model",
    "tekken.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template*",
    "preprocessor_config.json",
    "processor_config.json",
    "vocab.*",
    "merges.txt",
)
"""Files besides the weights that change what a model answers. A model card or a licence does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The digest of a model's tensors, and the sha256 of each file that changes behaviour, by name."""

    tensors: str
    files: Mapping[str, str]

    @property
    def ref(self) -> str:
        """`sha256:` and 64 hexadecimal digits."""
        return digest({"tensors": self.tensors, "files": dict(self.files)})


def hashes_of(files: Mapping[str, bytes]) -> dict[str, str]:
    """The sha256 of each file that changes behaviour."""
    return {
        name: "sha256:" + hashlib.sha256(content).hexdigest()
        for name, content in sorted(files.items())
        if changes_behaviour(name)
    }


def changes_behaviour(name: str) -> bool:
    """Whether a file of this name changes what a model answers."""
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in BEHAVIOUR)


def manifest_of_model(model: nn.Module, files: Mapping[str, str]) -> Manifest:
    """Of weights in memory; `files` are the hashes (`hashes_of`) of the folder that the model came from."""
    from autotelic.models.digest import digest_of

    return Manifest(tensors=digest_of(model), files=files)


def short(ref: str) -> str:
    """A reference for people: its first 12 digits."""
    return ref.removeprefix("sha256:")[:12]
