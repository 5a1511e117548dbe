"""What a run starts from: a model in somebody's folder, or one clear reason why not."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from pretrained import byte_level, llama, write
from tokenizers import normalizers

from autotelic.charter import Charter, Model, Tiny
from autotelic.errors import ModelError
from autotelic.models.adapter import add_adapter
from autotelic.weights.begin import begin_model
from autotelic.weights.load import load

TEXTS = ["def f(x):\n    return x\n"] * 9


def begin(name: str | Path, dtype: str = "float32") -> tuple[torch.nn.Module, object]:
    return begin_model(Model(name=str(name), dtype=dtype), [], [], seed=0)


def test_a_model_of_any_family_is_loaded_in_the_type_that_is_asked_for(tmp_path: Path) -> None:
    write(tmp_path, TEXTS)
    for dtype in ("float32", "bfloat16"):
        model, tokenizer = begin(tmp_path, dtype)
        assert {p.dtype for p in model.parameters()} == {getattr(torch, dtype)}
        assert tokenizer.chat_template
        again, _ = begin_model(Model(dtype=dtype), [], [], seed=0, start_from=tmp_path)
        assert again.dtype == model.dtype


def test_tiny_too(tmp_path: Path) -> None:
    model, _ = begin_model(Model(tiny=Tiny(width=32, heads=2), dtype="bfloat16"), TEXTS, [], seed=0)
    assert model.dtype == torch.bfloat16


def test_a_tokenizer_that_does_not_round_trip_is_refused_before_weights_are_loaded(tmp_path: Path) -> None:
    write(tmp_path, TEXTS)
    tokenizer = byte_level(TEXTS)
    tokenizer.backend_tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.save_pretrained(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"not read")
    with pytest.raises(
        ModelError, match=r"does not round-trip: .* came back as .*; use a byte-level tokenizer"
    ):
        begin(tmp_path)


def test_what_cannot_be_trained_is_refused_with_a_reason(tmp_path: Path) -> None:
    write(tmp_path, TEXTS)
    (tmp_path / "model.safetensors").rename(tmp_path / "model.bin")
    with pytest.raises(ModelError, match="pickles"):
        begin(tmp_path)
    with pytest.raises(ModelError, match="does not exist"):
        begin(tmp_path / "nowhere")
    with pytest.raises(ModelError, match=r"owner/name is not here; `autotelic models pull owner/name`"):
        begin("owner/name")


def test_a_model_without_a_chat_template_is_welcome(tmp_path: Path) -> None:
    tokenizer = byte_level(TEXTS)
    tokenizer.chat_template = None
    llama(len(tokenizer)).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    assert not begin(tmp_path)[1].chat_template
    assert load(tmp_path).model.num_parameters() == llama(len(tokenizer)).num_parameters()


@pytest.mark.skipif(find_spec("peft") is not None, reason="is about its absence")
def test_an_adapter_without_peft_names_what_to_install() -> None:
    with pytest.raises(ModelError, match=r"lora_rank = 4 needs peft.*pip install 'autotelic\[lora\]'"):
        add_adapter(llama(), rank=4, seed=0)


def test_ranks_are_refused_in_the_charter() -> None:
    with pytest.raises(Exception, match="lora_rank"):
        Charter.of({"model": {"lora_rank": -1}})
