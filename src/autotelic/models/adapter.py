"""LoRA: a frozen model, and pairs of small matrices beside its own, which are all that is learned (Hu et al. 2021,
arXiv:2106.09685).

By peft, put into the model rather than around it: decode loop, learner and exams see the causal model they know.
What a run copies, saves and checks in is the adapter alone (`weights.copy_of`); what it leaves behind is a plain
model (`merged`).
"""

from __future__ import annotations

import copy

import torch
from transformers import PreTrainedModel

from autotelic.errors import ModelError
from autotelic.models.weights import adapter_names, is_adapter

SCALE = 2.0
"""Of what the adapter adds: LoRA's alpha over its rank. A learning rate says the same, so it is no knob."""


def add_adapter(model: PreTrainedModel, rank: int, seed: int) -> None:
    """Freeze the model, and give every matrix of its blocks an adapter that adds nothing yet.

    The adapter is in float32 whatever the model is in. Raises ModelError where peft is missing.
    """
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError:
        raise ModelError(
            f"model.lora_rank = {rank} needs peft, which is not installed",
            "`pip install 'autotelic[lora]'`, or set model.lora_rank = 0 to learn the whole model",
        ) from None
    config = LoraConfig(r=rank, lora_alpha=round(SCALE * rank), lora_dropout=0.0, target_modules="all-linear")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        inject_adapter_in_model(config, model)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(is_adapter(name))
        if is_adapter(name):
            parameter.data = parameter.data.float()
    model.train(False)


def merged(model: PreTrainedModel) -> PreTrainedModel:
    """A copy with the adapter added into the matrices, which any tool loads; the model itself where it has none."""
    if not adapter_names(model):
        return model
    from peft.tuners.tuners_utils import BaseTunerLayer

    plain = copy.deepcopy(model)
    for name, layer in list(plain.named_modules()):
        if isinstance(layer, BaseTunerLayer):
            layer.merge()
            parent, _, leaf = name.rpartition(".")
            setattr(plain.get_submodule(parent), leaf, layer.get_base_layer())
    if hasattr(plain, "peft_config"):
        del plain.peft_config
    return plain


def frozen_twin(model: PreTrainedModel) -> PreTrainedModel:
    """A copy to stay as it is while the model learns. What the model does not learn is shared, not copied."""
    shared = {id(p): p for p in model.parameters() if not p.requires_grad}
    return copy.deepcopy(model, shared).requires_grad_(False)
