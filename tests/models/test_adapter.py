"""Adapters: they begin as nothing, are all that is learned and kept, and end up in the matrices."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from pretrained import llama
from transformers import (
    AutoModelForCausalLM,
    GPTBigCodeConfig,
    GPTBigCodeForCausalLM,
    MixtralConfig,
    MixtralForCausalLM,
    OlmoeConfig,
    OlmoeForCausalLM,
    PreTrainedModel,
    Qwen3MoeConfig,
    Qwen3MoeForCausalLM,
)

from autotelic.errors import ModelError
from autotelic.learn.learner import PolicyLearner, logprob_gap, predicted_logprobs
from autotelic.learn.losses import Clip
from autotelic.learn.pack import imitate, pack
from autotelic.models.adapter import add_adapter, frozen_twin, merged
from autotelic.models.decode import Decoder
from autotelic.models.digest import adapter_names, copy_of, digest_of
from autotelic.types import Request
from autotelic.weights.tensors import put_into

pytest.importorskip("peft", reason="pip install -e '.[lora]'")
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


def mixture(kind: str) -> PreTrainedModel:
    """Two blocks of four experts each."""
    sizes = {
        "vocab_size": 300,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "num_experts_per_tok": 2,
    }
    configs = {
        "mixtral": lambda: MixtralConfig(**sizes, num_local_experts=4),
        "olmoe": lambda: OlmoeConfig(**sizes, num_experts=4),
        "qwen3": lambda: Qwen3MoeConfig(**sizes, num_experts=4, moe_intermediate_size=16, head_dim=8),
    }
    models = {"mixtral": MixtralForCausalLM, "olmoe": OlmoeForCausalLM, "qwen3": Qwen3MoeForCausalLM}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return models[kind](configs[kind]()).eval()


def stirred(model: PreTrainedModel) -> PreTrainedModel:
    """An adapter that adds something, as after some updates."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if ".lora_B" in name:
                p.copy_(torch.randn(p.shape, generator=generator) * 0.05)
    return model


def learner(model: PreTrainedModel, optimiser: str = "adamw") -> PolicyLearner:
    return PolicyLearner(
        model,
        lr_matrix=0.02,
        lr_other=0.02,
        clip=Clip(low=0.2, high=0.28, kl=0.01),
        policy=1.0,
        optimiser=optimiser,
    )


def batch() -> object:
    rng = np.random.default_rng(0)
    rows = [tuple(map(int, rng.integers(3, 300, size=12))) for _ in range(6)]
    return pack([imitate(r[:5], r[5:]) for r in rows])


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
    rows = pack([imitate((5, 9, 4), (7, 30, 2))])
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
    put_into(model, before)
    assert digest_of(model) == whole
    sampler = Decoder(model, end_id=2)
    assert sampler.sync() == whole
    with pytest.raises(ModelError, match="1 tensors are missing"):
        put_into(model, dict(list(before.items())[1:]))
    with pytest.raises(ModelError, match="do not fit LlamaForCausalLM"):
        put_into(llama(), before)
    assert digest_of(model) == whole


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
    put_into(twin, copy_of(model))
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


@pytest.mark.parametrize("kind", ["mixtral", "olmoe", "qwen3"])
def test_a_mixture_of_experts_is_merged_into_a_plain_one(kind: str, tmp_path: Path) -> None:
    """PEFT wraps experts twice; taking the inner wrapper's place in the outer one never ended."""
    model = stirred(adapted(mixture(kind)))
    assert any("experts" in name for name in adapter_names(model))
    merged(model).save_pretrained(tmp_path)
    again = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert {n for n, _ in again.named_parameters()} == {n for n, _ in mixture(kind).named_parameters()}
    assert torch.allclose(logits(again), logits(model), atol=1e-5)
    assert not torch.allclose(logits(again), logits(mixture(kind)), atol=1e-3)


def test_a_mixture_of_experts_learns_by_its_adapter() -> None:
    model = adapted(mixture("olmoe"))
    one = learner(model)
    losses = [one.step(batch()).loss for _ in range(8)]
    assert losses[-1] < losses[0] - 0.02
    request = Request(prompt_ids=(5, 9, 4), n=3, max_tokens=8, temperature=1.0, seed=3)
    assert logprob_gap(model, Decoder(model, end_id=2).sample([request])[0]) < 1e-4


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
    put_into(other, weights)
    two = learner(other)
    two.restore(state)
    two.step(batch())
    assert digest_of(other) == digest_of(model)


def test_a_model_that_takes_no_adapter_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*given: object) -> None:
        raise ValueError("no such module\nsecond line")

    with monkeypatch.context() as patched:
        patched.setattr("peft.inject_adapter_in_model", fails)
        with pytest.raises(
            ModelError, match=r"into LlamaForCausalLM: no such module; set model.lora_rank = 0"
        ):
            adapted()
        patched.setattr("peft.inject_adapter_in_model", lambda *given: None)
        with pytest.raises(ModelError, match="has no matrices"):
            adapted()
