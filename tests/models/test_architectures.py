"""Families of models: the engine computes what transformers computes, or refuses in one line.

`python -m bench.families` runs each of them for two generations; this asks only whether logits, rows that
sequences share and the decode loop agree with the model's own forward pass.
"""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import GraniteForCausalLM, LlamaForCausalLM, PreTrainedModel

from autotelic.errors import DivergedError, ModelError
from autotelic.learn.learner import logprob_gap, predicted_logprobs, predicted_places
from autotelic.learn.pack import imitate, pack
from autotelic.models import agreement, head
from autotelic.models.agreement import check_agreement
from autotelic.models.decode import Decoder
from autotelic.models.head import Head, head_of, output_head
from autotelic.types import Request
from bench.families import FAMILIES, model_of

REFUSED = {
    "BLOOM": "counts positions by columns",
    "MPT": "counts positions by columns",
    "Falcon, alibi": "counts positions by columns",
    "GPT-Neo": "counts its local windows by columns",
    "RWKV": "keeps a state of its own",
    "Mamba": "keeps LinearAttentionLayer",
    "Mamba 2": "keeps LinearAttentionLayer",
    "RecurrentGemma": "keeps LinearAttentionLayer",
    "Jamba": "keeps LinearAttentionLayer",
    "Llama 4 (text)": "attend in ways of their own",
    "BERT as a decoder": "does more to its logits",
}
"""What the line says of each family that cannot be trained."""
SCALED = ("Gemma 2, window 64", "Cohere", "Cohere 2, window 64", "Granite", "Granite MoE", "HyperCLOVA X")
"""Families whose logits are scaled, or under a soft cap."""


@pytest.mark.parametrize("name", [name for name in FAMILIES if name not in REFUSED])
def test_a_family_is_computed_as_it_computes_itself(name: str) -> None:
    check_agreement(model_of(name))


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_family_that_would_be_computed_otherwise_is_refused_in_one_line(name: str) -> None:
    with pytest.raises(ModelError, match=REFUSED[name]) as caught:
        check_agreement(model_of(name))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", [name for name in FAMILIES if "window 64" in name])
def test_windows_shorter_than_a_prompt_slide_in_both_ways(name: str) -> None:
    """Over sequences half as long again as the window: sampler, learner and the model itself agree."""
    model = model_of(name)
    prompts = [tuple(3 + (7 * at + seed * at * at) % 250 for at in range(90 + seed)) for seed in (1, 2)]
    asked = [Request(prompt_ids=ids, n=2, max_tokens=8, temperature=1.0, seed=0) for ids in prompts]
    turns = [turn for siblings in Decoder(model, end_id=2).sample(asked) for turn in siblings]
    assert logprob_gap(model, turns) < 2e-4
    for turn in turns:
        said = own_logprobs(model, [*turn.prompt_ids, *turn.completion_ids])[-len(turn.completion_ids) :]
        assert torch.allclose(said, torch.tensor(turn.logprobs), atol=2e-4)


def own_logprobs(model: Any, ids: list[int]) -> Tensor:
    """Of each token but the first, by transformers alone. [T - 1]"""
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([ids])).logits[0, :-1].float()
    return logits.log_softmax(-1).gather(1, torch.tensor(ids[1:])[:, None])[:, 0]


# ── heads ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", SCALED)
def test_scales_and_soft_caps_are_applied(name: str) -> None:
    model = model_of(name)
    found = output_head(model)
    assert (found.scale, found.cap) != (1.0, None)
    ids = torch.tensor([[5, 90, 7, 31]])
    with torch.no_grad():
        hidden, expected = model.base_model(input_ids=ids)[0], model(input_ids=ids).logits
        assert torch.allclose(found(hidden), expected, atol=1e-5)
        assert not torch.allclose(found.layer(100 * hidden), found(100 * hidden), atol=1.0)


@pytest.mark.parametrize("name", SCALED)
def test_a_head_that_forgets_a_scale_or_a_cap_is_found_out(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where random weights give logits so small that a soft cap hardly bends them."""
    model = model_of(name, spread=1.0)
    bare = Head(head_of(model).layer)
    monkeypatch.setattr(head, "head_of", lambda model: bare)
    with pytest.raises(ModelError, match="does more to its logits"):
        output_head(model)


@pytest.mark.parametrize("name", ["Granite", "Gemma 2, window 64", "Llama"])
def test_what_is_learned_has_the_gradient_of_the_models_own_loss(name: str) -> None:
    model = model_of(name)
    one, other = [5, 90, 7, 31, 8, 200], [5, 90, 44, 3]
    batch = pack([imitate(one[:2], one[2:]), imitate(other[:2], other[2:])])
    ours = predicted_logprobs(model, batch, predicted_places(batch))[0].sum()
    theirs = torch.zeros(())
    for ids in (one, other):
        logits = model(input_ids=torch.tensor([ids])).logits[0, :-1]
        theirs = theirs + logits.log_softmax(-1).gather(1, torch.tensor(ids[1:])[:, None])[1:].sum()
    assert float(ours.detach()) == pytest.approx(float(theirs.detach()), abs=1e-4)
    learned = list(model.parameters())
    pairs = zip(torch.autograd.grad(ours, learned), torch.autograd.grad(theirs, learned), strict=True)
    for mine, own in pairs:
        torch.testing.assert_close(mine, own, rtol=1e-3, atol=1e-4)


# ── the check itself ─────────────────────────────────────────────────────────────────────────────────────────


class Backwards(LlamaForCausalLM):
    """Sees the future: no mask of ours is heeded."""

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        heedless = self.model.forward
        self.model.forward = lambda *args, attention_mask=None, **kwargs: heedless(*args, **kwargs)


class Shifted(GraniteForCausalLM):
    """Adds to its logits what no head knows."""

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        found = super().forward(*args, **kwargs)
        found.logits = found.logits + torch.arange(found.logits.shape[-1]) / 100
        return found


class Failing(LlamaForCausalLM):
    """Knows only batches of one."""

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        plain = self.model.forward

        def alone(*args: Any, **kwargs: Any) -> Any:
            if kwargs["input_ids"].shape[0] > 1:
                raise RuntimeError("first line\nsecond line")
            return plain(*args, **kwargs)

        self.model.forward = alone


@pytest.mark.parametrize(
    ("kind", "family", "says"),
    [
        (Backwards, "Llama", r"computes otherwise where sequences share a row|takes|positions"),
        (Shifted, "Granite", "does more to its logits"),
        (Failing, "Llama", r"cannot be run .*RuntimeError: first line;"),
    ],
)
def test_models_with_ways_of_their_own_are_refused(kind: Any, family: str, says: str) -> None:
    plain = model_of(family)
    with pytest.raises(ModelError, match=says) as caught:
        check_agreement(with_weights_of(kind, plain))
    assert "\n" not in str(caught.value)


def with_weights_of(kind: Any, plain: PreTrainedModel) -> PreTrainedModel:
    """A model of this class, with the parameters of a plain one."""
    made: PreTrainedModel = kind(copy.deepcopy(plain.config)).eval()
    with torch.no_grad():
        for mine, theirs in zip(made.parameters(), plain.parameters(), strict=True):
            mine.copy_(theirs)
    return made


def test_weights_that_are_not_finite_are_refused_and_nothing_is_left_changed() -> None:
    model = model_of("Mistral, window 64")
    with torch.no_grad():
        model.model.norm.weight[0] = torch.nan
    with pytest.raises(ModelError, match="NaN or infinity") as caught:
        check_agreement(model)
    assert not isinstance(caught.value, DivergedError)
    assert "restore it from a copy" in caught.value.fix
    assert model.config.sliding_window == 64


def test_few_positions_are_said() -> None:
    model = model_of("Llama")
    model.config.max_position_embeddings = agreement.LONG - 1
    with pytest.raises(ModelError, match="knows 13 positions"):
        check_agreement(model)
