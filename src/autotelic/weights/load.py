"""Bytes to a model: the only place that does it, and the one way in for whatever names a model.

`model.name`, `--from`, `autotelic exam` and `autotelic resume` all come here, so that what one of them refuses
all refuse, in one line and before anything is written.

Every file is read once. What is hashed is what was read, and what is loaded is what was hashed: transformers
is given a private copy of these bytes, so that a folder that changes meanwhile changes nothing.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as parse_safetensors
from torch import Tensor
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING,
    MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING,
)
from transformers.utils import logging as hf_logging

from autotelic.errors import ModelError
from autotelic.models.agreement import check_agreement
from autotelic.models.check import (
    INDEX,
    SINGLE,
    config_problems,
    file_problems,
    parsed,
    pointer_problems,
    shards_of,
    weights_problems,
)
from autotelic.models.context import vocabulary_of
from autotelic.models.digest import digest_of
from autotelic.models.eyes import eyes_of, open_eyes
from autotelic.models.fidelity import tokenizer_problems
from autotelic.models.problem import first_line, refuse
from autotelic.weights.reference import Manifest, changes_behaviour, hashes_of

_FORMAT = "give a folder in Hugging Face format with config.json, model.safetensors and tokenizer.json"
_AGAIN = "restore it from a copy, or pull the model again"
_SLACK = 1 << 22
"""Parameters, few enough to be made in any memory, so that small models are told which tensor is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A model with its tokenizer, and the manifest of exactly the bytes that they were made of."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerFast
    manifest: Manifest

    @property
    def ref(self) -> str:
        return self.manifest.ref


def place_of(folder: Path) -> Path:
    """Where the model of a folder lies: a run folder stands for its champion."""
    champion = folder / "champion"
    return champion if champion.is_dir() else folder


def load(folder: Path | str, *, expected: str | None = None, dtype: str = "float32") -> Loaded:
    """A causal language model and its tokenizer, in Hugging Face format; one that reads pictures comes with eyes.

    `expected` is the reference that the folder must have. Raises ModelError in one line where the folder is
    not what was expected, is damaged, lacks weights or a tokenizer, is no causal language model, or is one
    that the engine would compute otherwise than it does itself (`check_agreement`), or whose tokenizer
    changes texts (`tokenizer_problems`).
    """
    place = place_of(Path(folder))
    files = read_files(place)
    known = expected is not None
    parts = None if known else _parts(place, files)  # before gigabytes are read
    state = _tensors(place)
    manifest = Manifest(tensors=digest_of(state), files=hashes_of(files))
    if known and manifest.ref != expected:
        raise ModelError(
            f"{place} was changed after it was saved: it is {manifest.ref}, expected {expected}",
            "restore the folder from a copy, or start a run from weights that are known",
        )
    parts = parts or _parts(place, files)
    model = _filled(place, parts, state, dtype)
    refuse(tokenizer_problems(parts.tokenizer, vocabulary_of(model)))
    if type(parts.config) not in MODEL_FOR_CAUSAL_LM_MAPPING:
        open_eyes(model, files)
    check_agreement(model)
    return Loaded(model=model, tokenizer=parts.tokenizer, manifest=manifest)


def manifest_of(folder: Path) -> Manifest:
    """What the reference of a folder is made of. Raises ModelError where the folder is damaged."""
    return Manifest(tensors=digest_of(_tensors(folder)), files=hashes_of(read_files(folder)))


def save(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, folder: Path) -> str:
    """Write a model that `AutoModelForCausalLM` (or `AutoModelForImageTextToText`) and `AutoTokenizer` load, whole
    or not at all; returns its reference.

    Raises ModelError where it cannot be written; a folder that was there is then as it was.
    """
    new, old = (folder.with_name(f".{folder.name}.{what}") for what in ("new", "old"))
    for left in (new, old):
        shutil.rmtree(left, ignore_errors=True)
    try:
        with _quietly():
            model.save_pretrained(new, safe_serialization=True)
        tokenizer.save_pretrained(new)
        for name, content in (eyes.files if (eyes := eyes_of(model)) else {}).items():
            (new / name).write_bytes(content)
        ref = manifest_of(new).ref
        if folder.exists():
            os.rename(folder, old)
        os.rename(new, folder)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(new, ignore_errors=True)
        raise ModelError(
            f"{folder} cannot be written: {first_line(error)}", "free some space, or give another folder"
        ) from error
    shutil.rmtree(old, ignore_errors=True)
    return ref


def tokenizer_of(folder: Path) -> Any:
    """The tokenizer of a folder, whatever its class. Raises what transformers does."""
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    # How it was loaded is no part of it, and transformers would save that with it: a champion that a resumed run
    # saves would have another reference.
    for name in ("is_local", "local_files_only"):
        tokenizer.init_kwargs.pop(name, None)
    if isinstance(tokenizer.chat_template, str):
        # A byte order mark before a template would begin every prompt.
        tokenizer.chat_template = tokenizer.chat_template.removeprefix("\ufeff")
    return tokenizer


def read_gguf(source: Path) -> tuple[Any, Any]:
    """Model and tokenizer of a GGUF file, dequantised. Raises what transformers does."""
    return (
        AutoModelForCausalLM.from_pretrained(source.parent, gguf_file=source.name),
        AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name),
    )


def read_files(place: Path) -> dict[str, bytes]:
    """Every file besides the weights that a model consists of. No other is opened, pickles least of all."""
    if not place.is_dir():
        what = "is a file" if place.exists() else "does not exist"
        raise ModelError(f"{place} {what}", _FORMAT)
    return {
        path.name: _read(path)
        for path in sorted(place.iterdir())
        if path.is_file() and changes_behaviour(path.name)
    }


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise ModelError(f"{path} is missing", _AGAIN) from None
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}", "check its permissions") from error


def _tensors(place: Path) -> dict[str, Tensor]:
    """All weights of a folder by name: of its one file, or of the shards that its index names."""
    if (place / SINGLE).is_file():
        return _parsed(place / SINGLE)
    if not (place / INDEX).is_file():
        refuse(weights_problems(place))
    shard_of, problems = shards_of(place / INDEX)
    refuse(problems)
    found: dict[str, Tensor] = {}
    where: dict[str, str] = {}
    for shard in sorted({*shard_of.values()}):
        tensors = _parsed(place / shard)
        found |= tensors
        where |= dict.fromkeys(tensors, shard)
    if where != shard_of:
        wrong = sorted({*where.items()} ^ {*shard_of.items()})
        raise ModelError(f"{place / INDEX} does not fit its files: see {wrong[0][0]}", _AGAIN)
    return found


def _parsed(path: Path) -> dict[str, Tensor]:
    refuse(file_problems(path))
    try:
        return parse_safetensors(_read(path))
    except (SafetensorError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise ModelError(f"{path} is damaged: {first_line(error)}", _AGAIN) from error


@dataclass(frozen=True, slots=True)
class _Parts:
    """What a model is besides its weights."""

    config: Any
    generation: GenerationConfig | None
    tokenizer: PreTrainedTokenizerFast


def _parts(place: Path, files: Mapping[str, bytes]) -> _Parts:
    """Configuration and tokenizer, made of these bytes, and looked at. Weights are only found to be there."""
    if "config.json" not in files:
        raise ModelError(f"{place} has no config.json", _FORMAT)
    for name, content in files.items():
        refuse(pointer_problems(place / name, content))
    config, problems = parsed(place / "config.json", files["config.json"])
    refuse(problems or config_problems(config, place))
    with tempfile.TemporaryDirectory(prefix="autotelic-") as private:
        for name, content in files.items():
            (Path(private) / name).write_bytes(content)
        with _said(place):
            made = AutoConfig.from_pretrained(private, local_files_only=True, trust_remote_code=False)
            generation = None
            if "generation_config.json" in files:
                generation = GenerationConfig.from_pretrained(private)
        with _said(place, "its tokenizer"):
            tokenizer = tokenizer_of(Path(private))
            if isinstance(tokenizer, PreTrainedTokenizerFast):
                # Every text is encoded whole and as long as it is, whatever the file was last used for.
                tokenizer.backend_tokenizer.no_truncation()
                tokenizer.backend_tokenizer.no_padding()
    refuse(tokenizer_problems(tokenizer))
    refuse(weights_problems(place))
    if not tokenizer.chat_template and (named := _named_templates(place)):
        tokenizer.chat_template = named  # none of them is for a plain conversation, and `Tokens` says so
    tokenizer.name_or_path = str(place)  # and not the private copy; it is not saved with the model
    return _Parts(made, generation, tokenizer)


def _named_templates(place: Path) -> dict[str, str]:
    """Chat templates in the folder that transformers has for those with a name."""
    return {
        path.stem: _read(path).decode("utf-8", "replace")
        for path in sorted((place / "additional_chat_templates").glob("*.jinja"))
    }


@contextmanager
def _said(place: Path, what: str = "") -> Iterator[None]:
    """Say in one line that a folder cannot be loaded, whatever the library raises."""
    try:
        yield
    except ModelError:
        raise
    except Exception as error:  # what a damaged file makes the library raise is anybody's guess
        part = f" ({what})" if what else ""
        raise ModelError(
            f"{place} cannot be loaded as a causal language model{part}: {first_line(error)}", _FORMAT
        ) from error


def _filled(place: Path, parts: _Parts, state: Mapping[str, Tensor], dtype: str) -> PreTrainedModel:
    """A model of this configuration with these weights: none missing, none to spare.

    transformers maps names of older files to those of its classes; it is handed the tensors, and says what it
    could not place.
    """
    config = parts.config
    known: Any = (MODEL_FOR_CAUSAL_LM_MAPPING, MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING)
    mapping = next((each for each in known if type(config) in each), None)
    if mapping is None:
        raise ModelError(f"a model of type {config.model_type!r} is no causal language model", _FORMAT)
    kind: Any = mapping[type(config)]
    if config.sub_configs.get("text_config") == kind.config_class:
        config = config.get_text_config()
    _refuse_larger(place, kind, config, state)
    with _said(place), _quietly():
        model, said = kind.from_pretrained(
            None,
            config=config,
            state_dict=dict(state),
            dtype=getattr(torch, dtype),
            ignore_mismatched_sizes=True,  # they are refused here, in one line
            output_loading_info=True,
        )
    for found, what in (
        ("missing_keys", "are missing"),
        ("unexpected_keys", "are too many"),
        ("mismatched_keys", "have another shape"),
    ):
        if names := sorted(key if isinstance(key, str) else key[0] for key in said[found]):
            raise ModelError(f"{place}: {len(names)} tensors {what}, {names[0]} among them", _AGAIN)
    _refuse_quantised(place, model, state)
    # Read from a buffer, weights lie wherever they lay in it. Products over unaligned memory round
    # differently, and a resumed run is to repeat the bits of one that never stopped.
    for parameter in model.parameters():
        parameter.data = parameter.data.clone()
    if parts.generation is not None:
        model.generation_config = parts.generation
    # Of the folder, and not of the private copy. Not saved with the model.
    model.name_or_path = model.config.name_or_path = str(place)
    model.train(False)
    assert isinstance(model, PreTrainedModel)
    return model


def _refuse_larger(place: Path, kind: Any, config: Any, state: Mapping[str, Tensor]) -> None:
    """Raise ModelError for a configuration of a much larger model, before that is made: what is missing from the
    files would be drawn at random first, in memory that the machine may not have.
    """
    held = sum(tensor.numel() for tensor in state.values())
    layers = getattr(config.get_text_config(), "num_hidden_layers", 0)
    if isinstance(layers, int) and layers > len(state):
        raise ModelError(
            f"{place}: tensors are missing; its configuration has {layers:,} layers, its files {len(state)} tensors",
            _AGAIN,
        )
    with _said(place), _quietly(), torch.device("meta"):
        described = sum(parameter.numel() for parameter in kind._from_config(config).parameters())
    if described > 2 * held + _SLACK:  # embeddings that are tied are counted twice
        raise ModelError(
            f"{place}: tensors are missing; its configuration describes {described:,} parameters, "
            f"its files hold {held:,}",
            _AGAIN,
        )


def _refuse_quantised(place: Path, model: PreTrainedModel, state: Mapping[str, Tensor]) -> None:
    """Raise ModelError for weights in 8 bits or fewer: without their scales they are other numbers.

    Masks that older files hold beside the weights are no weights.
    """
    learned = {name for name, _ in model.named_parameters()}
    for name, tensor in state.items():
        plain = tensor.dtype.is_floating_point and tensor.dtype.itemsize >= 2
        if not plain and (name in learned or name.endswith("weight")):
            kind = str(tensor.dtype).removeprefix("torch.")
            raise ModelError(
                f"{place}: {name} is stored as {kind}, which is a quantised form",
                "give the weights in 16 or 32 bits",
            )


@contextmanager
def _quietly() -> Iterator[None]:
    """Without transformers' own bar and table: what is wrong with a model is said in one line."""
    verbosity, bar = hf_logging.get_verbosity(), hf_logging.is_progress_bar_enabled()
    hf_logging.set_verbosity_error()
    hf_logging.disable_progress_bar()
    try:
        yield
    finally:
        hf_logging.set_verbosity(verbosity)
        if bar:
            hf_logging.enable_progress_bar()
