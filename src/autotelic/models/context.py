"""How long a sequence may be: a property of the model, and not of a charter."""

from __future__ import annotations

from transformers import DynamicCache, PreTrainedModel
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

from autotelic.errors import ModelError

LONGEST = 8192
"""The most tokens of an episode whatever the model could hold: a run's memory is planned for it."""


def context_of(model: PreTrainedModel) -> int:
    """The most tokens, prompt and completions together, that a sequence of a run may have."""
    return min(LONGEST, positions_of(model))


def positions_of(model: PreTrainedModel) -> int:
    """Positions for which every layer attends to all that came before.

    Raises ModelError for a model that keeps more than attention's keys and values (linear attention).
    """
    layers = DynamicCache(config=model.config).layers
    kinds = {type(layer) for layer in layers} - {DynamicLayer, DynamicSlidingWindowLayer}
    if kinds:
        raise ModelError(
            f"{type(model).__name__} keeps {', '.join(sorted(k.__name__ for k in kinds))} while it decodes",
            "give a model that keeps attention's keys and values only",
        )
    windows = [layer.sliding_window for layer in layers if isinstance(layer, DynamicSlidingWindowLayer)]
    known = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    return min([2**31 if known is None else int(known), *windows])
