"""LoRA: a frozen model, and pairs of small matrices beside its own, which are all that is learned (Hu et al.
2021, arXiv:2106.09685).

By peft, put into the model rather than around it: decode loop, learner and exams see the causal model they
know. What a run copies, saves and checks in is the adapter alone (`digest.copy_of`); what it leaves behind is
a plain model (`merged`).
"""

from __future__ import annotations

import copy
import shutil
import warnings
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import PreTrainedModel

from autotelic.errors import ModelError
from autotelic.models.digest import adapter_names, copy_of, digest_of, is_adapter
from autotelic.models.problem import first_line

SCALE = 2.0
"""Of what the adapter adds: LoRA's alpha over its rank. A learning rate says the same, so it is no knob."""


def add_adapter(model: PreTrainedModel, rank: int, seed: int) -> None:
    """Freeze the model, and give every matrix of its blocks an adapter that adds nothing yet.

    The adapter is in float32 whatever the model is in. Raises ModelError where peft is missing, or cannot put
    one into this model.
    """
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError:
        raise ModelError(
            f"model.lora_rank = {rank} needs peft, which is not installed",
            "`pip install -e '.[lora]'` in the project's folder, or set model.lora_rank = 0 to learn the whole model",
        ) from None
    config = LoraConfig(r=rank, lora_alpha=round(SCALE * rank), lora_dropout=0.0, target_modules="all-linear")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter(
                    "ignore"
                )  # patterns of its own that it tries on every mixture of experts
                inject_adapter_in_model(config, model)
        except Exception as error:  # what peft raises for an architecture it does not know is anybody's guess
            raise ModelError(
                f"no adapter can be put into {type(model).__name__}: {first_line(error)}",
                "set model.lora_rank = 0, or give a model of another kind",
            ) from error
    if not adapter_names(model):
        raise ModelError(
            f"{type(model).__name__} has no matrices that an adapter could be put beside",
            "set model.lora_rank = 0, or give a model of another kind",
        )
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(is_adapter(name))
        if is_adapter(name):
            parameter.data = parameter.data.float()
    model.train(False)


def save_adapter(model: PreTrainedModel, folder: Path, base: str) -> str:
    """Write the adapter as PEFT's `save_pretrained` does, for whatever loads such a folder; returns the
    digest of it.

    `base` is the name of the model it belongs to. The folder is whole or not there at all; one of the same
    name is replaced. Raises ModelError for a model without an adapter.
    """
    from peft import LoraConfig

    own = copy_of(model) if adapter_names(model) else {}
    if not own:
        raise ModelError(f"{type(model).__name__} has no adapter to save", "set model.lora_rank = 16")
    # Within the model the tensors bear the adapter's name, which is `default`; in a file they do not.
    tensors = {
        f"base_model.model.{name.replace('.default.', '.')}": t.contiguous() for name, t in own.items()
    }
    rank = next(t.shape[0] for name, t in own.items() if ".lora_A." in name)
    config = LoraConfig(
        r=rank,
        lora_alpha=round(SCALE * rank),
        lora_dropout=0.0,
        target_modules=sorted({name.partition(".lora_")[0].rpartition(".")[2] for name in own}),
        task_type="CAUSAL_LM",
        base_model_name_or_path=base,
        inference_mode=True,
    )
    unfinished = folder.with_name(f".{folder.name}.new")
    for place in (unfinished, folder):
        shutil.rmtree(place, ignore_errors=True)
    unfinished.mkdir(parents=True)
    config.save_pretrained(str(unfinished))
    save_file(tensors, unfinished / "adapter_model.safetensors", metadata={"format": "pt"})
    unfinished.rename(folder)
    return digest_of(tensors)


def merged(model: PreTrainedModel) -> PreTrainedModel:
    """A copy with the adapter added into the matrices, which any tool loads; the model itself where it has
    none.
    """
    if not adapter_names(model):
        return model
    from peft.tuners.tuners_utils import BaseTunerLayer

    plain = copy.deepcopy(model)
    layers = [(name, layer) for name, layer in plain.named_modules() if isinstance(layer, BaseTunerLayer)]
    for _, layer in layers:
        layer.merge()
    # Outermost first: PEFT wraps the experts of a mixture twice, and what stands within a wrapper that was
    # replaced is no part of the model any more.
    replaced: list[str] = []
    for name, layer in layers:
        if any(name.startswith(f"{outer}.") for outer in replaced):
            continue
        parent, _, leaf = name.rpartition(".")
        setattr(plain.get_submodule(parent), leaf, layer.get_base_layer())
        replaced.append(name)
    if hasattr(plain, "peft_config"):
        del plain.peft_config
    return plain


def frozen_twin(model: PreTrainedModel) -> PreTrainedModel:
    """A copy to stay as it is while the model learns. What the model does not learn is shared, not copied."""
    shared = {id(p): p for p in model.parameters() if not p.requires_grad}
    return copy.deepcopy(model, shared).requires_grad_(False)
