"""Adapters: they begin as nothing, are all that is learned and kept, and end up in the matrices."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from pretrained import llama
from transformers import AutoModelForCausalLM, GPTBigCodeConfig, GPTBigCodeForCausalLM, PreTrainedModel

from autotelic.learn.learner import PolicyLearner, logprob_gap, predicted_logprobs
from autotelic.learn.losses import Clip
from autotelic.learn.pack import imitate, pack
from autotelic.models.adapter import add_adapter, frozen_twin, merged
from autotelic.models.decode import Decoder
from autotelic.models.weights import adapter_names, copy_of, digest_of, put_back
from autotelic.types import Cell, Experience, Request

pytest.importorskip("peft", reason="pip install 'autotelic[lora]'")
IDS = torch.tensor([[5, 9, 4, 7, 30, 2]])


def bigcode() -> PreTrainedModel:
    config = GPTBigCodeConfig(vocab_size=300, n_embd=32, n_layer=2, n_head=4, n_positions=256)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return GPTBigCodeForCausalLM(config).eval()


def adapted(model: PreTrainedModel | None = None, seed: int = 1) -> PreTrainedModel:
    model = model or llama()
    add_adapter(model, rank=4, seed=seed)
    return model


def learner(model: PreTrainedModel, optimiser: str = "adamw") -> PolicyLearner:
    return PolicyLearner(
        model,
        lr_matrix=0.02,
        lr_other=0.02,
        clip=Clip(low=0.2, high=0.28, kl=0.01),
        policy=1.0,
        max_grad_norm=1.0,
        optimiser=optimiser,
    )


def batch() -> object:
    rng = np.random.default_rng(0)
    cell = Cell(mode="deduction", level=1)
    rows = [tuple(map(int, rng.integers(3, 300, size=12))) for _ in range(6)]
    return pack(
        [imitate(Experience(prompt_ids=r[:5], completion_ids=r[5:], cell=cell, author="rules")) for r in rows]
    )


def logits(model: PreTrainedModel) -> torch.Tensor:
    with torch.no_grad():
        return model(input_ids=IDS).logits


def test_at_first_it_adds_nothing_and_only_it_may_learn() -> None:
    plain, model = llama(), adapted()
    assert torch.equal(logits(model), logits(plain))
    learned = {name for name, p in model.named_parameters() if p.requires_grad}
    assert learned == adapter_names(model)
    assert len(learned) == 2 * 2 * 7  # two blocks of seven matrices, each with a pair
    assert digest_of(copy_of(model)) == digest_of(copy_of(adapted()))
    assert digest_of(copy_of(model)) != digest_of(copy_of(adapted(seed=2)))


@pytest.mark.parametrize("optimiser", ["adamw", "muon"])
@pytest.mark.parametrize("make", [llama, bigcode], ids=["llama", "bigcode"])
def test_steps_lower_the_loss_and_change_the_adapter_alone(make, optimiser: str) -> None:
    model = adapted(make())
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    one = learner(model, optimiser)
    losses = [one.step(batch()).loss for _ in range(12)]
    assert losses[-1] < losses[0] - 0.05
    for name, p in model.named_parameters():
        assert torch.equal(p, before[name]) == (name not in adapter_names(model)), name
    assert set(one.optimisers) == {"other" if optimiser == "adamw" else "matrix"}


@pytest.mark.parametrize("make", [llama, bigcode], ids=["llama", "bigcode"])
def test_sampler_and_learner_both_see_the_adapter(make) -> None:
    model = adapted(make())
    one = learner(model)
    for _ in range(5):
        one.step(batch())
    request = Request(prompt_ids=(5, 9, 4), n=3, max_tokens=8, temperature=1.0, seed=3)
    turns = Decoder(model, end_id=2).sample([request])[0]
    assert logprob_gap(model, turns) < 1e-4
    at_S = torch.tensor([3, 4, 5])
    rows = pack(
        [
            imitate(
                Experience(
                    prompt_ids=(5, 9, 4),
                    completion_ids=(7, 30, 2),
                    cell=Cell(mode="d", level=1),
                    author="rules",
                )
            )
        ]
    )
    logprob_S, _ = predicted_logprobs(model, rows, at_S)
    whole = torch.log_softmax(logits(model)[0, 2:5], -1).gather(1, IDS[0, 3:, None])[:, 0]
    assert torch.allclose(logprob_S, whole, atol=1e-4)


def test_what_is_copied_is_the_adapter_and_it_can_be_put_back() -> None:
    model = adapted()
    before, whole = copy_of(model), digest_of(model)
    assert set(before) == adapter_names(model)
    learner(model).step(batch())
    after = digest_of(model)
    assert after != whole
    put_back(model, before)
    assert digest_of(model) == whole
    sampler = Decoder(model, end_id=2)
    assert sampler.load(before) == whole
    with pytest.raises(RuntimeError):
        put_back(model, dict(list(before.items())[1:]))
    with pytest.raises(RuntimeError):
        put_back(llama(), before)


def test_a_twin_shares_what_is_frozen_and_stays_while_the_model_learns() -> None:
    model = adapted()
    twin, before = frozen_twin(model), logits(model)
    ours, its = dict(model.named_parameters()), dict(twin.named_parameters())
    for name in ours:
        assert (ours[name] is its[name]) == (name not in adapter_names(model)), name
    assert not any(p.requires_grad for p in twin.parameters())
    learner(model).step(batch())
    assert torch.equal(logits(twin), before)
    assert not torch.equal(logits(model), before)
    put_back(twin, copy_of(model))
    assert torch.equal(logits(twin), logits(model))


def test_merged_it_is_a_plain_model_that_says_the_same(tmp_path: Path) -> None:
    model = adapted()
    one = learner(model)
    for _ in range(5):
        one.step(batch())
    digest = digest_of(model)
    merged(model).save_pretrained(tmp_path)
    assert digest_of(model) == digest  # the model itself is as it was
    again = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert {n for n, _ in again.named_parameters()} == {n for n, _ in llama().named_parameters()}
    assert torch.allclose(logits(again), logits(model), atol=1e-4)
    assert not torch.allclose(logits(again), logits(llama()), atol=1e-2)
    plain = llama()
    assert merged(plain) is plain


def test_on_bfloat16_the_adapter_is_float32() -> None:
    model = adapted(llama().to(torch.bfloat16))
    kinds = {name in adapter_names(model): p.dtype for name, p in model.named_parameters()}
    assert kinds == {True: torch.float32, False: torch.bfloat16}
    one = learner(model)
    losses = [one.step(batch()).loss for _ in range(12)]
    assert losses[-1] < losses[0] - 0.05
    assert merged(model).dtype == torch.bfloat16


def test_its_optimiser_state_is_restored() -> None:
    model = adapted()
    one = learner(model)
    one.step(batch())
    weights, state = copy_of(model), one.state()
    one.step(batch())
    other = adapted(copy.deepcopy(llama()))
    put_back(other, weights)
    two = learner(other)
    two.restore(state)
    two.step(batch())
    assert digest_of(other) == digest_of(model)
