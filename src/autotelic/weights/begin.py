"""What a run starts from: random weights and a tokenizer of the rules' texts, or a model that exists."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from autotelic.charter import BUILT_IN, Model
from autotelic.models.eyes import open_eyes
from autotelic.models.registry import folder_of
from autotelic.models.tiny import build_tiny
from autotelic.models.tokenizer import train_tokenizer
from autotelic.models.vision import IMAGE, build_tiny_vision, processor_files
from autotelic.weights.load import load

VISION = "tiny-vision"


def begin_model(
    settings: Model,
    corpus: Sequence[str],
    special: Sequence[str],
    seed: int,
    start_from: Path | None = None,
    expected: str | None = None,
) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """Model and tokenizer of a charter's [model], or of `start_from`.

    `start_from` is a folder in Hugging Face format, or a run folder, whose champion is meant; `expected` is
    the reference that it must have. Raises ModelError with the first reason why a model by another name than
    those that are built in cannot be trained (`load`), and where it was not pulled.
    """
    if start_from is not None:
        found = load(start_from, expected=expected, dtype=settings.dtype)
        return found.model, found.tokenizer
    if settings.name not in BUILT_IN:
        found = load(folder_of(settings.name), dtype=settings.dtype)
        return found.model, found.tokenizer
    tiny = settings.tiny
    sees = settings.name == VISION
    tokenizer = train_tokenizer(corpus, (*special, IMAGE) if sees else special, tiny.vocabulary)
    build = build_tiny_vision if sees else build_tiny
    made: PreTrainedModel = build(
        tokenizer, width=tiny.width, depth=tiny.depth, heads=tiny.heads, context=tiny.context, seed=seed
    )
    model = made.to(getattr(torch, settings.dtype))
    if sees:
        open_eyes(model, processor_files())
    return model, tokenizer
