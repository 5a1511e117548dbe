"""How long a sequence may be: what the model itself says."""

from __future__ import annotations

import pytest
import torch
from pretrained import llama
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    MambaConfig,
    MambaForCausalLM,
    MistralConfig,
)
from transformers import MistralForCausalLM as Mistral

from autotelic.errors import ModelError
from autotelic.learn.learner import logprob_gap
from autotelic.models.context import LONGEST, Sight, context_of, positions_of, sight_of
from autotelic.models.decode import Decoder
from autotelic.types import Request

SIZES = {
    "vocab_size": 64,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 1,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}


def test_it_is_the_models_own() -> None:
    assert context_of(llama()) == 1024
    assert context_of(GPT2LMHeadModel(GPT2Config(vocab_size=64, n_embd=8, n_layer=1, n_head=2))) == 1024


def test_a_run_plans_memory_for_no_more_than_the_longest() -> None:
    model = Mistral(MistralConfig(**SIZES, max_position_embeddings=1 << 17, sliding_window=None))
    assert positions_of(model) == 1 << 17
    assert context_of(model) == LONGEST


def test_a_sliding_window_does_not_bound_it() -> None:
    """Layers that look back less far are given masks of their own."""
    model = Mistral(MistralConfig(**SIZES, max_position_embeddings=512, sliding_window=24))
    assert context_of(model) == 512
    assert sight_of(model) == Sight(window=24, named=False)


@pytest.mark.parametrize(("kind", "known"), [("longrope", 96), ("dynamic", 512), ("linear", 512)])
def test_positions_whose_rotation_depends_on_company_end_where_they_begin_to(kind: str, known: int) -> None:
    """Of a sequence beyond the original length every position is computed otherwise, and of its company too."""
    rope = {"rope_type": kind, "factor": 4.0, "rope_theta": 1e4, "original_max_position_embeddings": 96}
    if kind == "longrope":
        rope |= {"short_factor": [1.0] * 4, "long_factor": [4.0] * 4}
    else:
        del rope["original_max_position_embeddings"]
    config = LlamaConfig(**SIZES, max_position_embeddings=512, rope_parameters=rope)
    assert positions_of(LlamaForCausalLM(config)) == known


def test_a_model_that_keeps_something_else_is_refused() -> None:
    config = MambaConfig(vocab_size=64, hidden_size=16, num_hidden_layers=1, state_size=4)
    with pytest.raises(ModelError, match="MambaForCausalLM"):
        Decoder(MambaForCausalLM(config), end_id=1)


def test_a_sequence_as_long_as_the_context_is_sampled_and_learned() -> None:
    model, generator = llama(), torch.Generator().manual_seed(0)
    long = tuple(torch.randint(3, 300, (1000,), generator=generator).tolist())
    request = Request(prompt_ids=long, n=1, max_tokens=24, temperature=1.0, seed=0)
    assert logprob_gap(model, Decoder(model, end_id=2).sample([request])[0]) < 1e-4
