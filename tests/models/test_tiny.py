"""`tiny`: standard, seeded, reloaded bit for bit."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

from autotelic.models.digest import digest_of
from autotelic.models.tiny import build_tiny
from autotelic.models.tokenizer import train_tokenizer


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return train_tokenizer(["def f(x):\n    return x[1:]\n[3,1]\n"] * 8, ["<|deduction|>"], 512)


def build(tokenizer: PreTrainedTokenizerFast, seed: int = 0, width: int = 32, depth: int = 2):  # type: ignore[no-untyped-def]
    return build_tiny(tokenizer, width=width, depth=depth, heads=4, context=64, seed=seed)


def test_about_a_million_parameters_at_its_usual_size(tokenizer: PreTrainedTokenizerFast) -> None:
    model = build_tiny(tokenizer, width=192, depth=2, heads=6, context=512, seed=0)
    assert 0.8e6 < sum(p.numel() for p in model.parameters()) < 1.2e6


def test_weights_are_the_seeds(tokenizer: PreTrainedTokenizerFast) -> None:
    torch.manual_seed(1)
    first = digest_of(build(tokenizer))
    torch.manual_seed(2)
    assert digest_of(build(tokenizer)) == first != digest_of(build(tokenizer, seed=1))


def test_the_global_stream_is_left_alone(tokenizer: PreTrainedTokenizerFast) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    build(tokenizer)
    assert torch.equal(torch.rand(3), expected)


def test_special_ids_are_the_tokenizers(tokenizer: PreTrainedTokenizerFast) -> None:
    config = build(tokenizer).config
    assert config.vocab_size == len(tokenizer)
    assert (config.eos_token_id, config.pad_token_id) == (tokenizer.eos_token_id, tokenizer.pad_token_id)


def test_it_reloads_as_any_model_does(tokenizer: PreTrainedTokenizerFast, tmp_path: Path) -> None:
    model = build(tokenizer)
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    again = AutoModelForCausalLM.from_pretrained(tmp_path).eval()
    assert digest_of(again) == digest_of(model)
    ids = AutoTokenizer.from_pretrained(tmp_path)("return x[1:]\n", return_tensors="pt").input_ids
    with torch.no_grad():
        assert torch.equal(model(ids).logits, again(ids).logits)


def test_it_has_no_dropout_even_while_training(tokenizer: PreTrainedTokenizerFast) -> None:
    model = build(tokenizer).train()
    ids = torch.tensor([[5, 6, 7]])
    with torch.no_grad():
        assert torch.equal(model(ids).logits, model(ids).logits)
