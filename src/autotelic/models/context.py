"""How far a model can look: how long a sequence may be, and which of its layers look back only so far.

Both are properties of the model, and not of a charter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor
from transformers import DynamicCache, PreTrainedConfig, PreTrainedModel
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer, get_layer_types_and_kwargs

from autotelic.errors import ModelError

LONGEST = 8192
"""The most tokens of an episode whatever the model could hold: a run's memory is planned for it."""
_FULL, _SLIDING = "full_attention", "sliding_attention"
_CHANGING = ("dynamic", "longrope")
"""Rotary positions whose periods depend on the longest sequence that is computed beside one's own."""


def context_of(model: PreTrainedModel) -> int:
    """The most tokens, prompt and completions together, that a sequence of a run may have."""
    return min(LONGEST, positions_of(model))


def positions_of(model: PreTrainedModel) -> int:
    """Positions that the model knows, each of them computed the same whatever else is in the batch.

    Raises ModelError for a model that keeps more than attention's keys and values (`check_cache`).
    """
    check_cache(model.config, type(model).__name__)
    config = model.config.get_text_config()
    known = getattr(config, "max_position_embeddings", None)
    rotary: Any = getattr(config, "rope_parameters", None) or {}
    if rotary.get("rope_type") in _CHANGING:
        known = rotary.get("original_max_position_embeddings") or known
    return 2**31 if known is None else int(known)


def vocabulary_of(model: PreTrainedModel) -> int:
    """Tokens that a model can read and write: its own rows, which may be more than its tokenizer has texts
    for.
    """
    whole: Any = model  # transformers' own annotations are partial
    layers = (whole.get_input_embeddings(), whole.get_output_embeddings())
    return min(int(layer.weight.shape[0]) for layer in layers if layer is not None)


def check_cache(config: PreTrainedConfig, name: str) -> None:
    """Raise ModelError for a model that keeps something else than keys and values while it decodes (Mamba,
    linear attention, compressed keys), or looks back in more than one way that is not all there is
    (attention in chunks, windows of two sizes).
    """
    layers = DynamicCache(config=config).layers
    kinds = {type(layer) for layer in layers} - {DynamicLayer, DynamicSlidingWindowLayer}
    if kinds:
        raise ModelError(
            f"{name} keeps {', '.join(sorted(k.__name__ for k in kinds))} while it decodes",
            "give a model that keeps attention's keys and values only",
        )
    types, settings = get_layer_types_and_kwargs(config.get_text_config(decoder=True))
    windows = {kwargs.get("sliding_window") for kwargs in settings} - {None}
    if len(windows) > 1 or set(types) - {_FULL, _SLIDING}:
        raise ModelError(
            f"the layers of {name} attend in ways of their own ({', '.join(sorted(set(types)))})",
            "give a model whose layers see all that came before, or one sliding window of it",
        )


@dataclass(frozen=True, slots=True)
class Sight:
    """How far back the layers of a model look.

    `window` is how many tokens a sliding layer sees, the newest included; None where every layer sees all.
    `named` says that the model takes one mask for each kind of its layers, by name.
    """

    window: int | None
    named: bool

    def is_short(self, length: int) -> bool:
        """Whether a sequence of this length is longer than what a sliding layer sees."""
        return self.window is not None and length > self.window

    def mask(self, full: Tensor, sliding: Tensor) -> Any:
        """The masks as the model takes them: one for layers that see all, one for those that do not."""
        return {_FULL: full, _SLIDING: sliding} if self.named else sliding


def sight_of(model: PreTrainedModel) -> Sight:
    """How far back the layers of a model look, as its configuration has it."""
    config = model.config.get_text_config(decoder=True)
    _, settings = get_layer_types_and_kwargs(config)
    windows = [kwargs["sliding_window"] for kwargs in settings if "sliding_window" in kwargs]
    if not windows:
        return Sight(None, False)
    return Sight(int(windows[0]), getattr(config, "layer_types", None) is not None)
