"""From the last hidden state to logits, for the places that are asked for and no others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from autotelic.errors import ModelError


@torch.no_grad()
def output_head(model: PreTrainedModel) -> Callable[[Tensor], Tensor]:
    """The model's output layer, [..., width] -> [..., V], checked to be all that it does to a hidden state.

    Sampler and learner both skip the logits they do not need by calling it themselves, because logits rather
    than weights are what runs out of memory (trl#3678). Raises ModelError where the model's own logits are
    another function of the hidden state (soft caps, scales), or there is no such layer: both would then agree
    with each other and be wrong.
    """
    whole: Any = model  # transformers' own annotations are partial
    head = whole.get_output_embeddings()
    name = type(model).__name__
    if head is None:
        raise ModelError(f"{name} has no output layer", "give a causal language model")
    training = model.training
    whole.eval()
    ids = torch.tensor([[0, min(1, model.config.get_text_config().vocab_size - 1)]])
    expected = whole(input_ids=ids, use_cache=False).logits
    hidden = whole.base_model(input_ids=ids, use_cache=False)[0]
    whole.train(training)
    got = head(hidden) if hidden.shape[-1] == head.weight.shape[-1] else hidden
    if got.shape != expected.shape or not torch.allclose(got, expected, atol=1e-3, rtol=1e-3, equal_nan=True):
        raise ModelError(
            f"{name} does more to its logits than its output layer does (a soft cap, a scale, a wrapper)",
            "give the plain causal model, for an adapter its get_base_model()",
        )
    result: Callable[[Tensor], Tensor] = head
    return result
