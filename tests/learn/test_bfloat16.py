"""Weights of 16 bits: small steps add up, and what is saved goes on bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from autotelic.learn.learner import PolicyLearner, logprob_gap
from autotelic.learn.losses import Clip
from autotelic.learn.pack import imitate, pack
from autotelic.models.decode import Decoder
from autotelic.models.digest import copy_of, digest_of
from autotelic.types import Batch, Request
from autotelic.weights.tensors import put_into


def llama(dtype: torch.dtype = torch.bfloat16) -> LlamaForCausalLM:
    config = LlamaConfig(
        vocab_size=60,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        bos_token_id=None,
        eos_token_id=None,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return LlamaForCausalLM(config).to(dtype).eval()


def learner(model: LlamaForCausalLM, optimiser: str = "muon", lr: float = 0.01) -> PolicyLearner:
    return PolicyLearner(
        model,
        lr_matrix=lr,
        lr_other=lr,
        clip=Clip(low=0.2, high=0.28, kl=0.01),
        policy=1.0,
        optimiser=optimiser,
    )


def batch() -> Batch:
    rng = np.random.default_rng(0)
    rows = [tuple(map(int, rng.integers(60, size=12))) for _ in range(6)]
    return pack([imitate(r[:5], r[5:]) for r in rows])


@pytest.mark.parametrize("optimiser", ["muon", "adamw"])
def test_a_step_lowers_the_loss_and_its_state_is_float32(optimiser: str) -> None:
    model = llama()
    one = learner(model, optimiser)
    losses = [one.step(batch()).loss for _ in range(8)]
    assert losses[1] < losses[0]
    assert losses[-1] < losses[0] - 0.1
    assert {p.dtype for p in model.parameters()} == {torch.bfloat16}
    assert {t.dtype for t in one.state().values()} == {torch.float32}


def test_steps_too_small_for_bfloat16_add_up() -> None:
    model = llama()
    before = copy_of(model)
    one = learner(model, "adamw", lr=5e-6)
    one.step(batch())
    first = sum(int((p != before[n]).sum()) for n, p in model.named_parameters())
    for _ in range(30):
        one.step(batch())
    last = sum(int((p != before[n]).sum()) for n, p in model.named_parameters())
    total = sum(p.numel() for p in model.parameters())
    assert first < total / 4  # most of one step is rounded away ...
    assert last > 2 * first  # ... and is there all the same


def test_restored_it_goes_on_bit_for_bit() -> None:
    model = llama()
    one = learner(model)
    one.step(batch())
    weights, state = copy_of(model), one.state()
    one.step(batch())
    other = llama()
    put_into(other, weights)
    two = learner(other)
    two.restore(state)
    two.step(batch())
    assert digest_of(other) == digest_of(model)
    assert digest_of(one.state()) == digest_of(two.state())


def test_without_a_state_it_goes_on_from_the_weights() -> None:
    model = llama()
    start = copy_of(model)
    one = learner(model)
    one.step(batch())
    put_into(model, start)
    one.restore({})
    one.step(batch())
    fresh = llama()
    learner(fresh).step(batch())
    assert digest_of(model) == digest_of(fresh)


def test_sampler_and_learner_agree_as_far_as_eight_bits_go() -> None:
    model = llama()
    request = Request(prompt_ids=(5, 9, 4), n=4, max_tokens=12, temperature=1.0, seed=3)
    turns = Decoder(model, end_id=0).sample([request])[0]
    assert logprob_gap(model, turns) < 0.1


def test_float64_is_stepped_as_it_is() -> None:
    model = llama(torch.float64)
    one = learner(model)
    assert not one.step(batch()).skipped
    assert {p.dtype for p in model.parameters()} == {torch.float64}
