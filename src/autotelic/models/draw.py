"""Drawing tokens: at a temperature from uniforms drawn beforehand, or in the order of their likelihood."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from autotelic.types import Request

_LIKELIEST = 64
"""Tokens that are sorted first where not all may follow."""


def ranked(logprob_V: Tensor) -> Iterator[int]:
    """All tokens, the likeliest first, sorted as far as they are asked for."""
    yield from logprob_V.topk(min(_LIKELIEST, len(logprob_V))).indices.tolist()
    yield from logprob_V.argsort(descending=True)[_LIKELIEST:].tolist()


def uniforms(request: Request) -> Tensor:
    """One uniform number a token of every sibling, from the request's seed alone. [n, max_tokens]"""
    rng = np.random.Generator(np.random.Philox(key=request.seed % 2**64))
    return torch.from_numpy(rng.random((request.n, request.max_tokens), dtype=np.float32))


def draw(logprob_AV: Tensor, temperature_A: Tensor, uniform_A: Tensor) -> Tensor:
    """One id a row: the argmax at temperature 0, else the inverse of the cumulative distribution."""
    greedy_A = temperature_A == 0
    if bool(greedy_A.all()):
        return logprob_AV.argmax(dim=-1)
    if bool((temperature_A == 1).all()):
        weight_AV = logprob_AV.exp()
    else:
        weight_AV = torch.softmax(logprob_AV / temperature_A.clamp(min=1e-6)[:, None], dim=-1)
    total_AV = weight_AV.cumsum(dim=-1)
    whole_A = total_AV[:, -1]
    # Strictly below the row's own total, which rounding leaves a hair off 1: the first id past this point then
    # exists and has a weight above zero.
    point_A = torch.minimum(uniform_A * whole_A, whole_A.nextafter(torch.zeros_like(whole_A)))
    drawn_A = torch.searchsorted(total_AV, point_A[:, None], right=True)[:, 0]
    drawn_A.clamp_(max=logprob_AV.shape[1] - 1)  # only where logits are NaN, which the caller reports
    return torch.where(greedy_A, logprob_AV.argmax(dim=-1), drawn_A) if bool(greedy_A.any()) else drawn_A
