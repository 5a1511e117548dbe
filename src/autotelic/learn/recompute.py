"""Activations computed twice, so that fewer need be kept: gradient checkpointing (Chen et al. 2016,
arXiv:1604.06174).

transformers' blocks know how to, but only while they are `training`, which would also turn on dropout where a
model has it, and turn off the cache that decoding needs. So the blocks alone are told that they train, and
only during an update.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from torch.utils.checkpoint import checkpoint
from transformers import PreTrainedModel
from transformers.modeling_layers import GradientCheckpointingLayer

from autotelic.errors import ModelError


class Recompute:
    """Switches recomputation on for the length of an update. Raises ModelError for a model whose blocks
    cannot.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        self.blocks: list[Any] = [
            module for module in model.modules() if isinstance(module, GradientCheckpointingLayer)
        ]
        if not self.blocks:
            raise ModelError(
                f"the blocks of {type(model).__name__} cannot compute their activations again",
                "set model.checkpointing = false, and learn.batch_tokens lower if memory is short",
            )
        again = partial(checkpoint, use_reentrant=False)
        for block in self.blocks:
            block.gradient_checkpointing = True
            block._gradient_checkpointing_func = again

    @contextmanager
    def on(self) -> Iterator[None]:
        """Within it, blocks keep what they are given and nothing of what they compute."""
        for block in self.blocks:
            block.training = True
        try:
            yield
        finally:
            for block in self.blocks:
                block.training = False
