"""GGUF to safetensors, once: the weights of llama.cpp's format dequantised into an ordinary model folder.

The reading is transformers' own. What it leaves behind is taken off before saving: a model that was read from
GGUF still believes itself quantised, and would be saved so that nothing can load it again.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from autotelic.errors import ModelError
from autotelic.weights.load import read_gguf

_NEEDED = ("gguf", "accelerate")


def convert(source: Path, folder: Path) -> int:
    """Write the model, tokenizer and chat template of a GGUF file into a folder; the number of parameters.

    Weights become float32, in which every quantised value is exact. Raises `ModelError` where a package is
    missing or the file cannot be read as a causal language model.
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise ModelError(
            f"reading GGUF needs {' and '.join(missing)}", "pip install -e '.[gguf]' in the project's folder"
        )
    try:
        model, tokenizer = read_gguf(source)
    except Exception as error:  # what a damaged file makes the reader raise is anybody's guess
        raise ModelError(
            f"{source.name} cannot be read as a causal language model: {_first_line(error)}",
            "give a GGUF file of an architecture that transformers reads",
        ) from error
    _forget_quantizer(model)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return sum(parameter.numel() for parameter in model.parameters())


def _forget_quantizer(model: object) -> None:
    config = getattr(model, "config", None)
    for owner, name in (
        (model, "hf_quantizer"),
        (model, "quantization_method"),
        (config, "quantization_config"),
    ):
        if getattr(owner, name, None) is not None:
            delattr(owner, name)
    if getattr(model, "is_quantized", False):
        model.is_quantized = False  # type: ignore[attr-defined]


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
