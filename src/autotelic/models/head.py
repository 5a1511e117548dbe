"""From the last hidden state to logits, for the places that are asked for and no others."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from autotelic.errors import ModelError
from autotelic.models.placement import where

_MULTIPLIES = ("hyperclovax",)
"""Types of model whose `logits_scaling` multiplies; in Granite's it divides."""
_PROBES = (1.0, 30.0)
"""Lengths of the hidden states that a head is tried on: small logits do not show a soft cap."""


@dataclass(frozen=True, slots=True)
class Head:
    """What a model does to a hidden state, [..., width] -> [..., V]: its output layer, then a scale, then a
    soft cap (Gemma Team 2024, arXiv:2408.00118), which is `cap * tanh(logits / cap)`.
    """

    layer: nn.Module
    scale: float = 1.0
    cap: float | None = None

    def __call__(self, hidden: Tensor) -> Tensor:
        logits: Tensor = self.layer(hidden)
        if self.scale != 1.0:
            logits = logits * self.scale
        if self.cap is not None:
            logits = torch.tanh(logits / self.cap) * self.cap
        return logits


def head_of(model: PreTrainedModel) -> Head:
    """The model's head, as its configuration has it. Raises ModelError for a model without an output layer.

    Sampler and learner both skip the logits they do not need by calling it themselves, because logits rather
    than weights are what runs out of memory (trl#3678).
    """
    whole: Any = model  # transformers' own annotations are partial
    layer = whole.get_output_embeddings()
    if layer is None:
        raise ModelError(f"{type(model).__name__} has no output layer", "give a causal language model")
    config = model.config.get_text_config()
    scale = 1.0
    for name in ("logit_scale", "lm_head_multiplier"):
        scale *= _number(config, name) or 1.0
    scaling = _number(config, "logits_scaling") or 1.0
    scale *= scaling if config.model_type in _MULTIPLIES else 1.0 / scaling
    return Head(layer, scale, _number(config, "final_logit_softcapping"))


def _number(config: Any, name: str) -> float | None:
    value = getattr(config, name, None)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


@torch.no_grad()
def output_head(model: PreTrainedModel) -> Head:
    """`head_of`, checked to be all that the model does to a hidden state, small or large.

    Raises ModelError where the model's own logits are another function of it: sampler and learner would then
    agree with each other and be wrong.
    """
    head, whole = head_of(model), model.base_model
    ids = _few(model)
    training = model.training
    model.train(False)
    try:
        hidden = whole(input_ids=ids, use_cache=False)[0]
        agrees = all(_agrees(model, head, hidden, scale) for scale in _PROBES)
    finally:
        model.train(training)
    if not agrees:
        raise ModelError(
            f"{type(model).__name__} does more to its logits than its output layer, a scale and a soft cap do",
            "give the plain causal model, for an adapter its get_base_model()",
        )
    return head


def _few(model: PreTrainedModel) -> Tensor:
    """Two tokens that any vocabulary has. [1, 2]"""
    last = min(1, model.config.get_text_config().vocab_size - 1)
    return torch.tensor([[0, last]], device=where(model))


def _agrees(model: PreTrainedModel, head: Head, hidden: Tensor, scale: float) -> bool:
    """Whether the model's output layer takes this hidden state, and the head makes the same of it as the model
    does when it is `scale` times as long.
    """
    taken: list[Tensor] = []

    def lengthen(layer: nn.Module, given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        taken.append(given[0])
        return (given[0] * scale, *given[1:])

    hook = head.layer.register_forward_pre_hook(lengthen)
    try:
        expected: Tensor = model(input_ids=_few(model), use_cache=False).logits
    finally:
        hook.remove()
    if len(taken) != 1 or taken[0].shape != hidden.shape or not _same(taken[0], hidden):
        return False
    got = head(hidden * scale)
    return got.shape == expected.shape and _same(got, expected)


def _same(got: Tensor, expected: Tensor) -> bool:
    """To the rounding of 32 bits, or of 16."""
    loose = 1e-4 if expected.dtype.itemsize >= 4 else 2e-2
    size = float(expected.float().abs().max())
    atol = loose * size if math.isfinite(size) else loose
    return torch.allclose(got.float(), expected.float(), atol=atol, rtol=loose, equal_nan=True)
