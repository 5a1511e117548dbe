"""Weights between processes: bytes that name what they are, and that are checked where they arrive.

packed(model) ──► SentWeights(digest, content) ──► unpacked(packed, into=model) ──► the same digest, or an error
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor
from transformers import PreTrainedModel

from autotelic.errors import ModelError
from autotelic.models.digest import copy_of, digest_of, digest_with
from autotelic.weights.store import bytes_of, parsed
from autotelic.weights.tensors import put_into


@dataclass(frozen=True, slots=True, kw_only=True)
class SentWeights:
    """What a model learns (its adapter alone where it has one), as a safetensors file. [bytes]

    `digest` is that of the whole model.
    """

    digest: str
    content: np.ndarray[Any, np.dtype[np.uint8]]


def packed(model: PreTrainedModel) -> SentWeights:
    """The model's weights as they are now."""
    return SentWeights(digest=digest_of(model), content=packed_tensors(copy_of(model)))


def unpacked(sent: SentWeights, into: PreTrainedModel) -> str:
    """Put weights into a model of the same kind; their digest.

    Raises ModelError where what arrived is not what was sent. The model is then as it was, unless the error is of
    the copying itself.
    """
    tensors = unpacked_tensors(sent.content)
    if (found := digest_with(into, tensors)) != sent.digest:
        raise ModelError(
            f"weights that were sent as {sent.digest} arrived as {found}",
            "start all workers from the same model, with the same version of autotelic",
        )
    put_into(into, tensors)
    into.tie_weights()
    if (arrived := digest_of(into)) != sent.digest:
        raise ModelError(
            f"the weights in the model are {arrived}, expected {sent.digest}", "start the worker again"
        )
    return arrived


def packed_tensors(tensors: Mapping[str, Any]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Named tensors and numpy arrays as one array of bytes, which an object store shares without a copy."""
    return np.frombuffer(bytes_of(tensors), dtype=np.uint8)


def unpacked_tensors(content: np.ndarray[Any, np.dtype[np.uint8]]) -> dict[str, Tensor]:
    """The inverse of `packed_tensors`. Raises RecordError for bytes that are none."""
    return parsed("weights that were sent", content.tobytes())
