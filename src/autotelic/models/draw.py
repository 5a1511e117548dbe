"""Drawing tokens: from uniforms drawn beforehand, or in the order of their likelihood."""

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


def tempered(logprob_AV: Tensor, temperature_A: Tensor) -> Tensor:
    """The log-probabilities of the distribution that each row is drawn from: at its temperature, or at 1
    where it is 0.
    """
    if bool(((temperature_A == 1) | (temperature_A == 0)).all()):
        return logprob_AV
    divisor_A = torch.where(temperature_A == 0, torch.ones_like(temperature_A), temperature_A)
    return torch.log_softmax(logprob_AV / divisor_A[:, None], dim=-1)


def draw(logprob_AV: Tensor, greedy_A: Tensor, uniform_A: Tensor) -> Tensor:
    """One id a row: the likeliest where it is greedy, else the inverse of the cumulative distribution."""
    if bool(greedy_A.all()):
        return logprob_AV.argmax(dim=-1)
    total_AV = logprob_AV.exp().cumsum(dim=-1)
    whole_A = total_AV[:, -1]
    # Strictly below the row's own total, which rounding leaves a hair off 1: the first id past this point
    # then exists and has a weight above zero.
    point_A = torch.minimum(uniform_A * whole_A, whole_A.nextafter(torch.zeros_like(whole_A)))
    drawn_A = torch.searchsorted(total_AV, point_A[:, None], right=True)[:, 0]
    drawn_A.clamp_(max=logprob_AV.shape[1] - 1)  # only where logits are NaN, which the caller reports
    return torch.where(greedy_A, logprob_AV.argmax(dim=-1), drawn_A) if bool(greedy_A.any()) else drawn_A
