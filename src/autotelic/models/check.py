"""Is this folder a model the engine can train? Every reason why not, before anything is loaded."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ROUND_TRIPS = (
    "def f(x):\n    return [v + 3 for v in x[::-1]]  # [6,4]\n",
    "(3+4)*6-5 = 37; x^2 - 5x + 6 = 0 -> 2,3\n\n",
    "Ünïcödé, 数学 and \U0001f600 too.",
)
"""What a run writes: code with its indentation, digits and signs, newlines at the end, other scripts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something wrong with a model, and what to do. One that is not `fatal` only limits what can be done."""

    cause: str
    fix: str
    fatal: bool = True

    def __str__(self) -> str:
        return f"{self.cause}; {self.fix}"


def check_model(path: Path | str, tokenizer_of: Callable[[Path], Any]) -> list[Problem]:
    """What is wrong with a model folder; empty where nothing is. Weights are not loaded, `tokenizer_of` reads
    its tokenizer.
    """
    folder = Path(path)
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        return [Problem(cause=f"{folder} {what}", fix="give the folder that holds config.json")]
    return _check_config(folder) + _check_weights(folder) + _check_tokenizer(folder, tokenizer_of)


def _check_config(folder: Path) -> list[Problem]:
    try:
        config = json.loads((folder / "config.json").read_text())
    except FileNotFoundError:
        return [Problem(cause=f"{folder} has no config.json", fix="give a folder in Hugging Face's format")]
    except (ValueError, OSError) as error:
        return [Problem(cause=f"{folder}/config.json cannot be read: {error}", fix="pull the model again")]
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES as CAUSAL

    kind, architectures = config.get("model_type"), config.get("architectures") or []
    fix = "give a model that writes text from left to right"
    if kind not in CAUSAL:
        return [Problem(cause=f"a model of type {kind!r} is no causal language model", fix=fix)]
    known = CAUSAL[kind]
    wanted = {known} if isinstance(known, str) else set(known)
    if architectures and not wanted & set(architectures):
        return [Problem(cause=f"{', '.join(architectures)} is no causal language model", fix=fix)]
    return []


def _check_weights(folder: Path) -> list[Problem]:
    if any(folder.glob("*.safetensors")):
        return []
    if any(folder.glob("*.bin")) or any(folder.glob("*.pt")):
        cause = f"{folder} holds its weights as pickles, which are programs"
        return [Problem(cause=cause, fix="convert them to safetensors on a machine you can lose")]
    return [Problem(cause=f"{folder} holds no *.safetensors", fix="pull the model again")]


def _check_tokenizer(folder: Path, tokenizer_of: Callable[[Path], Any]) -> list[Problem]:
    names = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt")
    if not any((folder / name).is_file() for name in names):
        return [Problem(cause=f"{folder} has no tokenizer", fix="copy tokenizer.json of the model there")]
    try:
        tokenizer = tokenizer_of(folder)
    except Exception as error:  # whatever a broken file makes the library raise, it is a broken file
        cause = f"the tokenizer of {folder} cannot be read ({type(error).__name__}: {error})"
        return [Problem(cause=cause.splitlines()[0], fix="copy the tokenizer files of the model there again")]
    problems = round_trip_problems(tokenizer)
    if tokenizer.eos_token_id is None:
        problems.append(Problem(cause="the tokenizer has no end token", fix="set eos_token in its config"))
    if not getattr(tokenizer, "chat_template", None):
        fix = "prompts are given as plain text; use an instruct model to have them in turns"
        problems.append(Problem(cause="the tokenizer has no chat template", fix=fix, fatal=False))
    return problems


def round_trip_problems(tokenizer: Any) -> list[Problem]:
    """A problem where a text that is encoded and decoded is not the text it was."""
    for text in _ROUND_TRIPS:
        ids = tokenizer(text, add_special_tokens=False).input_ids
        back = tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False)
        if back != text:
            return [
                Problem(
                    cause=f"the tokenizer does not round-trip: {text!r} came back as {back!r}",
                    fix="use a byte-level tokenizer, as every current causal model does (to go on from a run's "
                    "own model, give it with --from)",
                )
            ]
    return []
