"""A model by the name in a charter: `tiny` from nothing, or weights that are already somewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerFast

from autotelic.charter import Model
from autotelic.errors import ModelError
from autotelic.models.check import Problem, check_model, round_trip_problems
from autotelic.models.registry import resolve
from autotelic.models.tiny import build_tiny
from autotelic.models.tokenizer import train_tokenizer

TINY = "tiny"


def begin_model(
    settings: Model, corpus: Sequence[str], special: Sequence[str], seed: int, start_from: Path | None = None
) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """What a run starts from: random weights and a tokenizer of the corpus, or a model that exists.

    `start_from` is a folder in Hugging Face format, or a run folder, whose champion is meant. Raises ModelError
    with the first reason why a model by another name than `tiny` cannot be trained (`check_model`).
    """
    if start_from is not None:
        return load_model(start_from, dtype=settings.dtype)
    if settings.name != TINY:
        place = resolve(settings.name)
        _refuse(check_model(place) if Path(place).is_dir() else [])
        model, tokenizer = load_model(place, dtype=settings.dtype)
        _refuse(round_trip_problems(tokenizer))
        return model, tokenizer
    tokenizer = train_tokenizer(corpus, special, settings.vocabulary)
    model = build_tiny(
        tokenizer,
        width=settings.width,
        depth=settings.depth,
        heads=settings.heads,
        context=settings.context,
        seed=seed,
    )
    return model.to(getattr(torch, settings.dtype)), tokenizer


def _refuse(problems: Sequence[Problem]) -> None:
    """Raise ModelError for the first problem that makes a model unfit to be trained."""
    for problem in problems:
        if problem.fatal:
            raise ModelError(problem.cause, problem.fix)


def load_model(place: Path | str, dtype: str = "float32") -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """A causal LM and its tokenizer, in Hugging Face format; a run folder stands for its champion.

    Raises ModelError naming what is missing: the folder, its weights, its tokenizer, or that it is no
    causal LM.
    """
    path = Path(place)
    if path.is_dir() and (path / "champion").is_dir():
        path = path / "champion"
    source = path if path.exists() else place
    try:
        model = AutoModelForCausalLM.from_pretrained(source, dtype=getattr(torch, dtype))
        tokenizer = AutoTokenizer.from_pretrained(source)
        assert isinstance(tokenizer, PreTrainedTokenizerFast)
    except (OSError, ValueError, KeyError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(
            f"{source} cannot be loaded as a causal language model: {reason}",
            "give a folder in Hugging Face format with config.json, model.safetensors and tokenizer.json",
        ) from error
    # Read from a file, weights lie wherever they lay in it. Products over unaligned memory round differently, and a
    # resumed run is to repeat the bits of one that never stopped.
    for parameter in model.parameters():
        parameter.data = parameter.data.clone()
    model.train(False)
    return model, tokenizer


def save_model(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """Write model and tokenizer to a folder that `AutoModelForCausalLM` and `AutoTokenizer` load."""
    model.save_pretrained(folder, safe_serialization=True)
    tokenizer.save_pretrained(folder)
