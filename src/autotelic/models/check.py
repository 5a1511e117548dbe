"""Is this folder a model the engine can train? Every reason why not, before its weights are loaded."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from autotelic.models.fidelity import tokenizer_problems
from autotelic.models.problem import Problem, first_line

POINTER = b"version https://git-lfs.github.com/spec/"
"""How a file begins that Git LFS left in the place of a large one."""
SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"
"""Where weights lie: in one file, or in those that an index names."""
_HEADER_MOST = 100 << 20
"""Bytes of a safetensors header: more are no header, says its specification."""
_AGAIN = "restore it from a copy, or pull the model again"
_LEFT_TO_RIGHT = "give a model that writes text from left to right"


def check_model(path: Path | str, tokenizer_of: Callable[[Path], Any]) -> list[Problem]:
    """What is wrong with a model folder; empty where nothing is. Weights are not loaded, `tokenizer_of` reads
    its tokenizer.
    """
    folder = Path(path)
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        return [Problem(cause=f"{folder} {what}", fix="give the folder that holds config.json")]
    config, problems = _read_config(folder)
    return problems + weights_problems(folder) + _check_tokenizer(folder, tokenizer_of, _rows(config))


def _read_config(folder: Path) -> tuple[Any, list[Problem]]:
    try:
        content = (folder / "config.json").read_bytes()
    except FileNotFoundError:
        cause = f"{folder} has no config.json"
        return None, [Problem(cause=cause, fix="give a folder in Hugging Face's format")]
    except OSError as error:
        return None, [Problem(cause=f"{folder}/config.json cannot be read: {error.strerror}", fix=_AGAIN)]
    config, problems = parsed(folder / "config.json", content)
    return config, problems or config_problems(config, folder)


def parsed(path: Path, content: bytes) -> tuple[Any, list[Problem]]:
    """What a JSON file says that is to be an object, and what is wrong with it."""
    if problems := pointer_problems(path, content):
        return None, problems
    try:
        config = json.loads(content)
    except (ValueError, RecursionError) as error:
        return None, [Problem(cause=f"{path} cannot be read: {first_line(error)}", fix=_AGAIN)]
    if not isinstance(config, dict):
        what = type(config).__name__
        return None, [Problem(cause=f"{path} holds a {what}, expected an object of settings", fix=_AGAIN)]
    return config, []


def _beginning(path: Path) -> bytes:
    """The first bytes of a file; of one that cannot be read, none that say anything."""
    try:
        with path.open("rb") as file:
            return file.read(len(POINTER))
    except OSError:
        return b" "


def pointer_problems(path: Path, beginning: bytes) -> list[Problem]:
    """A problem where a file that must hold something is empty, or is what Git LFS left in its place."""
    if not beginning and path.suffix in (".json", ".safetensors"):
        return [Problem(cause=f"{path} is empty", fix=_AGAIN)]
    if beginning.startswith(POINTER):
        cause = f"{path} is a Git LFS pointer and not the file that it stands for"
        return [Problem(cause=cause, fix="run `git lfs pull` in the folder, or pull the model again")]
    return []


def config_problems(config: Mapping[str, Any], folder: Path) -> list[Problem]:
    """Why a configuration is none of a causal language model with plain weights."""
    from transformers import CONFIG_MAPPING
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES as CAUSAL
    from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES as SEEING

    kind, architectures = config.get("model_type"), config.get("architectures") or []
    if not isinstance(kind, str) or kind not in CONFIG_MAPPING:
        if config.get("auto_map"):
            cause = f"{folder} needs code of its own for models of type {kind!r}, and such code is never run"
            return [Problem(cause=cause, fix="give a model of a type that transformers has")]
        return [Problem(cause=f"a model of type {kind!r} is no causal language model", fix=_LEFT_TO_RIGHT)]
    if kind not in CAUSAL and kind not in SEEING:
        return [Problem(cause=f"a model of type {kind!r} is no causal language model", fix=_LEFT_TO_RIGHT)]
    known = CAUSAL.get(kind) or SEEING[kind]
    wanted = {known} if isinstance(known, str) else set(known)
    if isinstance(architectures, list) and architectures and not wanted & set(map(str, architectures)):
        named = ", ".join(map(str, architectures))
        return [Problem(cause=f"{named} is no causal language model", fix=_LEFT_TO_RIGHT)]
    if how := _quantised(config):
        cause = f"the weights of {folder} are quantised ({how})"
        return [Problem(cause=cause, fix="give the model that they were made of, in 16 or 32 bits")]
    return []


def _quantised(config: Mapping[str, Any]) -> str:
    """By what method weights are quantised; empty where they are not."""
    for part in (config, config.get("text_config")):
        found = part.get("quantization_config") if isinstance(part, dict) else None
        if found:
            method = found.get("quant_method") if isinstance(found, dict) else None
            return str(method or "by a method that is not named")
    return ""


def _rows(config: Any) -> int | None:
    """How many tokens a model embeds, as its configuration says; None where it does not say."""
    for part in (config, config.get("text_config")) if isinstance(config, dict) else ():
        rows = part.get("vocab_size") if isinstance(part, dict) else None
        if isinstance(rows, int) and not isinstance(rows, bool):
            return rows
    return None


def weights_problems(folder: Path) -> list[Problem]:
    """Why a folder's weights are not to be had: none, pickles, an adapter, cut short, not there."""
    if (folder / SINGLE).is_file():
        return file_problems(folder / SINGLE)
    if (folder / INDEX).is_file():
        shards, problems = shards_of(folder / INDEX)
        return problems + [p for shard in sorted({*shards.values()}) for p in file_problems(folder / shard)]
    if (folder / "adapter_config.json").is_file():
        cause = f"{folder} holds an adapter without the model that it belongs to"
        return [Problem(cause=cause, fix="merge it into its model (merge_and_unload) and save that")]
    if any(found for ending in ("bin", "pt", "pth") for found in folder.glob(f"*.{ending}")):
        cause = f"{folder} holds its weights as pickles, which are programs"
        return [Problem(cause=cause, fix="convert them to safetensors on a machine you can lose")]
    return [Problem(cause=f"{folder} holds no weights: neither {SINGLE} nor {INDEX}", fix=_AGAIN)]


def shards_of(index: Path) -> tuple[dict[str, str], list[Problem]]:
    """The file of each tensor, as an index names them, and what is wrong with the index."""
    try:
        content = index.read_bytes()
    except OSError as error:
        return {}, [Problem(cause=f"{index} cannot be read: {error.strerror}", fix=_AGAIN)]
    said, problems = parsed(index, content)
    if problems:
        return {}, problems
    named = said.get("weight_map")
    if not isinstance(named, dict) or not named:
        return {}, [Problem(cause=f"{index} is damaged: it names no tensors (weight_map)", fix=_AGAIN)]
    return {str(name): Path(str(shard)).name for name, shard in named.items()}, []


def file_problems(path: Path) -> list[Problem]:
    """What is wrong with a safetensors file, by its header and its size alone."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            first = file.read(len(POINTER))
            if problems := pointer_problems(path, first):
                return problems
            length = int.from_bytes(first[:8], "little")
            if length > _HEADER_MOST:
                return [Problem(cause=f"{path} is damaged: it does not begin as safetensors do", fix=_AGAIN)]
            file.seek(8)
            header = json.loads(file.read(length))
        ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
        expected = 8 + length + max(ends, default=0)
    except FileNotFoundError:
        return [Problem(cause=f"{path} is missing", fix=_AGAIN)]
    except OSError as error:
        return [Problem(cause=f"{path} cannot be read: {error.strerror}", fix="check its permissions")]
    except (ValueError, RecursionError, KeyError, TypeError, IndexError, AttributeError):
        return [Problem(cause=f"{path} is damaged: its header cannot be read", fix=_AGAIN)]
    if size == expected:
        return []
    what = "is cut short" if size < expected else "is damaged"
    return [Problem(cause=f"{path} {what}: it has {size} bytes, expected {expected}", fix=_AGAIN)]


def _check_tokenizer(folder: Path, tokenizer_of: Callable[[Path], Any], rows: int | None) -> list[Problem]:
    names = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt")
    if not any((folder / name).is_file() for name in names):
        return [Problem(cause=f"{folder} has no tokenizer", fix="copy tokenizer.json of the model there")]
    for name in names:
        if (place := folder / name).is_file() and (problems := pointer_problems(place, _beginning(place))):
            return problems
    try:
        tokenizer = tokenizer_of(folder)
    except Exception as error:  # whatever a broken file makes the library raise, it is a broken file
        cause = f"the tokenizer of {folder} cannot be read ({type(error).__name__}: {first_line(error)})"
        return [Problem(cause=cause, fix="copy the tokenizer files of the model there again")]
    problems = tokenizer_problems(tokenizer, rows)
    if not getattr(tokenizer, "chat_template", None):
        fix = "prompts are given as plain text; use an instruct model to have them in turns"
        problems.append(Problem(cause="the tokenizer has no chat template", fix=fix, fatal=False))
    return problems
