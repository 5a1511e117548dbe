"""The decode loop against what it replaces: a full recompute, and `generate`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import (
    Gemma2Config,
    Gemma2ForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    GPTBigCodeConfig,
    GPTBigCodeForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedModel,
)

from autotelic.learn.learner import logprob_gap
from autotelic.models.decode import Decoder
from autotelic.models.digest import copy_of, digest_of
from autotelic.models.draw import draw, tempered
from autotelic.types import Request, Turn
from autotelic.weights.tensors import put_into

END = 1
VOCABULARY = 64
CONTEXT = 160


def gpt2() -> PreTrainedModel:
    return GPT2LMHeadModel(
        GPT2Config(
            vocab_size=VOCABULARY, n_embd=32, n_layer=2, n_head=4, n_positions=CONTEXT, bos_token_id=END
        )
    )


def bigcode() -> PreTrainedModel:
    return GPTBigCodeForCausalLM(
        GPTBigCodeConfig(
            vocab_size=VOCABULARY, n_embd=32, n_layer=2, n_head=4, n_positions=CONTEXT, bos_token_id=END
        )
    )


def llama() -> PreTrainedModel:
    """Rotary positions, two query heads to a key head, an output layer of its own."""
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=VOCABULARY,
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=CONTEXT,
            tie_word_embeddings=False,
        )
    )


BUILD = {"bigcode": bigcode, "gpt2": gpt2, "llama": llama}


def built(name: str, *, spread: float = 6.0) -> PreTrainedModel:
    """A random model whose weights are large enough that its choices depend on what it reads."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        model = BUILD[name]()
        with torch.no_grad():
            for p in model.parameters():
                if p.ndim == 2:
                    p.mul_(spread)
    model.generation_config.eos_token_id = END
    return model.eval()


@pytest.fixture(scope="module", params=sorted(BUILD))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def model(name: str) -> PreTrainedModel:
    return built(name)


def prompt(length: int, seed: int) -> tuple[int, ...]:
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.randint(2, VOCABULARY, (length,), generator=generator).tolist())


def ask(length: int, *, n: int = 1, max_tokens: int = 12, temperature: float = 1.0, seed: int = 0) -> Request:
    return Request(
        prompt_ids=prompt(length, seed), n=n, max_tokens=max_tokens, temperature=temperature, seed=seed
    )


MIXED = [
    ask(3, n=3, seed=1),
    ask(40, n=2, seed=2, temperature=0.7),
    ask(1, n=7, seed=3, max_tokens=5),
    ask(17, n=1, seed=4, temperature=0.0),
    ask(90, n=3, seed=5, max_tokens=60),
    ask(9, n=2, seed=6, max_tokens=1),
]


def recomputed(model: PreTrainedModel, turn: Turn, temperature: float) -> torch.Tensor:
    """Log-probabilities of a completion from one forward pass over everything, without any cache."""
    ids = torch.tensor([turn.prompt_ids + turn.completion_ids])
    with torch.no_grad():
        logit_TV = model(input_ids=ids, use_cache=False).logits[0]
    logprob_TV = (logit_TV / (temperature or 1.0)).log_softmax(-1)
    start = len(turn.prompt_ids)
    return logprob_TV[start - 1 : -1].gather(1, ids[0, start:, None])[:, 0]


def largest_gap(model: PreTrainedModel, requests: list[Request], turns: list[list[Turn]]) -> float:
    """Of log-probabilities, from those of the distribution that each turn was sampled from."""
    flat = [(turn, r.temperature) for r, siblings in zip(requests, turns, strict=True) for turn in siblings]
    return max(float((recomputed(model, t, at) - torch.tensor(t.logprobs)).abs().max()) for t, at in flat)


@pytest.mark.parametrize("slots", [1, 4, 64])
def test_logprobs_equal_a_full_recompute(model: PreTrainedModel, slots: int) -> None:
    turns = Decoder(model, end_id=END, slots=slots).sample(MIXED)
    assert largest_gap(model, MIXED, turns) < 1e-4


@pytest.mark.parametrize("temperature", [1.0, 0.7, 1.3])
def test_logprobs_equal_the_learners_at_every_temperature(name: str, temperature: float) -> None:
    model = built(name, spread=2.0)
    requests = [replace(r, temperature=temperature) for r in MIXED]
    turns = [turn for siblings in Decoder(model, end_id=END, slots=5).sample(requests) for turn in siblings]
    assert logprob_gap(model, turns, temperature) < 1e-5
    if temperature != 1.0:
        assert logprob_gap(model, turns) > 1e-2


def test_greedy_logprobs_are_those_at_temperature_1(model: PreTrainedModel) -> None:
    turns = Decoder(model, end_id=END).sample([ask(9, temperature=0.0, n=2)])[0]
    assert logprob_gap(model, turns) < 1e-4


def test_gap_is_seen_when_the_learner_has_other_weights() -> None:
    model = built("bigcode")
    turns = Decoder(model, end_id=END).sample([ask(5, n=2)])[0]
    with torch.no_grad():
        model.transformer.ln_f.weight.mul_(1.1)
    assert logprob_gap(model, turns) > 1e-3


def test_greedy_equals_generate(model: PreTrainedModel) -> None:
    requests = [replace(r, temperature=0.0, n=1, max_tokens=20) for r in MIXED]
    for request, (turn,) in zip(requests, Decoder(model, end_id=END, slots=3).sample(requests), strict=True):
        out = model.generate(
            torch.tensor([request.prompt_ids]),
            attention_mask=torch.ones(1, len(request.prompt_ids), dtype=torch.long),
            do_sample=False,
            max_new_tokens=20,
            eos_token_id=END,
            pad_token_id=0,
        )
        assert turn.completion_ids == tuple(out[0, len(request.prompt_ids) :].tolist())


@pytest.mark.parametrize("slots", [1, 3, 8, 64])
def test_answers_do_not_depend_on_slots_or_company(model: PreTrainedModel, slots: int) -> None:
    alone = [Decoder(model, end_id=END, slots=64).sample([request])[0] for request in MIXED]
    backwards = Decoder(model, end_id=END, slots=slots).sample(MIXED[::-1])[::-1]
    for one, other in zip(alone, backwards, strict=True):
        assert [t.completion_ids for t in one] == [t.completion_ids for t in other]


def test_a_seed_is_the_whole_of_the_randomness() -> None:
    decoder = Decoder(built("bigcode"), end_id=END)
    first = decoder.sample([ask(8, n=4, seed=7)])
    torch.manual_seed(99)
    assert decoder.sample([ask(8, n=4, seed=7)]) == first
    assert decoder.sample([replace(ask(8, n=4, seed=7), seed=8)]) != first
    assert len({t.completion_ids for t in first[0]}) > 1


def test_turns_come_in_the_order_of_requests(model: PreTrainedModel) -> None:
    turns = Decoder(model, end_id=END, slots=4).sample(MIXED)
    assert [len(siblings) for siblings in turns] == [r.n for r in MIXED]
    for request, siblings in zip(MIXED, turns, strict=True):
        for turn in siblings:
            assert turn.prompt_ids == request.prompt_ids
            assert len(turn.logprobs) == len(turn.completion_ids) <= request.max_tokens


def test_a_turn_stops_at_its_end_token_or_its_limit(model: PreTrainedModel) -> None:
    turns = Decoder(model, end_id=END, slots=32).sample([ask(6, n=120, max_tokens=30)])[0]
    assert {t.stop for t in turns} == {"eos", "length"}
    for turn in turns:
        assert END not in turn.completion_ids[:-1]
        if turn.stop == "eos":
            assert turn.completion_ids[-1] == END
        else:
            assert turn.completion_ids[-1] != END
            assert len(turn.completion_ids) == 30


def test_the_first_token_may_be_the_end() -> None:
    model = built("bigcode")
    (turn,) = Decoder(model, end_id=END).sample([ask(6, temperature=0.0)])[0]
    first = turn.completion_ids[0]
    decoder = Decoder(model, end_id=first, slots=2)
    ended = decoder.sample([ask(6, n=5, temperature=0.0)])[0]
    assert [(t.completion_ids, t.stop) for t in ended] == [((first,), "eos")] * 5


def test_an_end_token_at_the_limit_is_an_end() -> None:
    model = built("bigcode")
    (turn,) = Decoder(model, end_id=END).sample([ask(6, temperature=0.0, max_tokens=1)])[0]
    (ended,) = Decoder(model, end_id=turn.completion_ids[0]).sample([ask(6, temperature=0.0, max_tokens=1)])[
        0
    ]
    assert (turn.stop, ended.stop) == ("length", "eos")


def test_siblings_may_outnumber_slots(model: PreTrainedModel) -> None:
    few = Decoder(model, end_id=END, slots=3).sample([ask(20, n=11), ask(4, n=2, seed=1)])
    many = Decoder(model, end_id=END, slots=64).sample([ask(20, n=11), ask(4, n=2, seed=1)])
    assert [[t.completion_ids for t in s] for s in few] == [[t.completion_ids for t in s] for s in many]


def test_prompts_beyond_one_prefill(model: PreTrainedModel) -> None:
    """More prompt tokens wait than one forward pass may hold."""
    requests = [ask(140, seed=i, max_tokens=2) for i in range(70)]
    decoder = Decoder(model, end_id=END, slots=70)
    assert largest_gap(model, requests, decoder.sample(requests)) < 1e-4
    assert decoder.prefilled == 70 * 140


def test_a_group_is_prefilled_once() -> None:
    decoder = Decoder(built("bigcode"), end_id=END, slots=2)
    turns = decoder.sample([ask(20, n=9), ask(5, n=3)])
    assert decoder.prefilled == 25
    assert decoder.tokens == sum(len(t.completion_ids) for siblings in turns for t in siblings)
    assert decoder.seconds > 0


@pytest.mark.parametrize("temperature", [1.0, 0.5, 2.0])
def test_samples_follow_the_softmax(temperature: float) -> None:
    model = built("bigcode", spread=3.0)
    n = 4000
    turns = Decoder(model, end_id=END, slots=4000).sample(
        [ask(5, n=n, max_tokens=1, temperature=temperature)]
    )[0]
    with torch.no_grad():
        p_V = (model(torch.tensor([turns[0].prompt_ids])).logits[0, -1] / temperature).softmax(-1)
    counts_V = torch.bincount(torch.tensor([t.completion_ids[0] for t in turns]), minlength=VOCABULARY)
    sigma_V = (n * p_V * (1 - p_V)).sqrt() + 1
    assert bool(((counts_V - n * p_V).abs() < 5 * sigma_V).all())


@given(
    logits=st.lists(st.one_of(st.floats(-30, 30, width=32), st.just(float("-inf"))), min_size=2, max_size=40),
    uniform=st.one_of(st.floats(0, 1, exclude_max=True, width=32), st.just(1 - 2**-24), st.just(0.0)),
    temperature=st.sampled_from([0.0, 0.3, 1.0, 4.0]),
)
@settings(deadline=None)
def test_nothing_impossible_is_drawn(logits: list[float], uniform: float, temperature: float) -> None:
    logits[len(logits) // 2] = 0.5
    logprob_AV = torch.tensor([logits] * 2).log_softmax(-1)
    temperature_A = torch.tensor([temperature, 1.0])
    logprob_AV = tempered(logprob_AV, temperature_A)
    assert bool((logprob_AV.exp().sum(-1) - 1).abs().max() < 1e-5)
    token_A = draw(logprob_AV, temperature_A == 0, torch.tensor([uniform, uniform]))
    assert bool(logprob_AV.gather(1, token_A[:, None]).isfinite().all())


def test_broken_weights_name_the_request() -> None:
    model = built("llama")
    with torch.no_grad():
        model.model.embed_tokens.weight[5] = float("nan")
    requests = [
        Request(prompt_ids=ids, n=2, max_tokens=1, temperature=1.0, seed=0)
        for ids in [(2, 3), (4, 5), (6, 7, 8)]
    ]
    decoder = Decoder(model, end_id=END)
    with pytest.raises(FloatingPointError, match="request 1 hold NaN"):
        decoder.sample(requests)
    # What was broken is the model, not the decoder: the next call starts clean.
    assert len(decoder.sample([requests[0]])[0]) == 2


def test_infinite_logits_are_broken_too() -> None:
    model = built("llama")
    with torch.no_grad():
        model.lm_head.weight[9] = float("inf")
    with pytest.raises(FloatingPointError, match="request 0"):
        Decoder(model, end_id=END).sample([ask(4)])


def test_digest_follows_the_weights() -> None:
    model, other = built("bigcode"), built("bigcode", spread=5.0)
    decoder = Decoder(model, end_id=END)
    before = decoder.digest
    assert before == digest_of(model) != digest_of(other)
    old = decoder.sample([ask(7, n=2)])[0]
    put_into(model, copy_of(other))
    assert decoder.sync() == digest_of(other) == decoder.digest
    new = decoder.sample([ask(7, n=2)])[0]
    assert {t.weights for t in old} == {before}
    assert {t.weights for t in new} == {decoder.digest}
    assert [t.logprobs for t in new] != [t.logprobs for t in old]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (Request(prompt_ids=(), n=1, max_tokens=1, temperature=1.0, seed=0), "request 1 needs a prompt"),
        (ask(3, n=0), "n >= 1"),
        (ask(3, max_tokens=0), "max_tokens >= 1"),
        (ask(3, temperature=-1.0), "temperature >= 0"),
        (ask(150, max_tokens=11), "needs 161 positions"),
    ],
)
def test_a_request_that_cannot_be_met(wrong: Request, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Decoder(built("bigcode"), end_id=END).sample([ask(3), wrong])


def test_nothing_asked_nothing_sampled() -> None:
    assert Decoder(built("bigcode"), end_id=END).sample([]) == []


CAPPED = Gemma2Config(
    vocab_size=VOCABULARY,
    hidden_size=32,
    intermediate_size=48,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    head_dim=8,
    final_logit_softcapping=0.01,
    initializer_range=1.0,
    sliding_window=24,
)


def sliding() -> PreTrainedModel:
    """Every layer sees the last 24 tokens."""
    config = MistralConfig(
        vocab_size=VOCABULARY,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        sliding_window=24,
        initializer_range=0.3,
    )
    torch.manual_seed(0)
    return MistralForCausalLM(config).eval()


def capped() -> PreTrainedModel:
    """Logits under a soft cap, and windows in every other layer."""
    torch.manual_seed(0)
    return Gemma2ForCausalLM(CAPPED).eval()


@pytest.mark.parametrize("build", [sliding, capped])
def test_windows_slide_and_caps_are_applied_while_it_decodes(build: Callable[[], PreTrainedModel]) -> None:
    model = build()
    decoder = Decoder(model, end_id=END)
    requests = [ask(12, n=2, max_tokens=40, seed=1), ask(70, n=2, max_tokens=9), ask(23, max_tokens=1)]
    assert largest_gap(model, requests, decoder.sample(requests)) < 1e-4


@pytest.mark.parametrize("build", [sliding, capped])
def test_windows_slide_and_caps_are_applied_where_sequences_share_a_row(
    build: Callable[[], PreTrainedModel],
) -> None:
    model = build()
    requests = [alike(80, 1, n=2), alike(95, 2, n=2), ask(60, n=2), ask(7)]
    turns = [turn for siblings in Decoder(model, end_id=END).sample(requests) for turn in siblings]
    assert logprob_gap(model, turns) < 1e-4


BEGINNING = prompt(90, seed=99)


def alike(length: int, seed: int, **how: Any) -> Request:
    """A request that begins as all of its kind do."""
    request = ask(length, seed=seed, **how)
    return replace(request, prompt_ids=BEGINNING + request.prompt_ids)


@pytest.mark.parametrize("slots", [2, 64])
def test_what_all_prompts_begin_with_is_run_once(model: PreTrainedModel, slots: int) -> None:
    requests = [alike(3, 1, n=3), alike(30, 2), alike(1, 3, n=2, max_tokens=5), alike(17, 4, temperature=0.0)]
    decoder = Decoder(model, end_id=END, slots=slots)
    turns = decoder.sample(requests)
    assert decoder.prefilled == 90 + 3 + 30 + 1 + 17
    assert largest_gap(model, requests, turns) < 1e-4
    alone = [Decoder(model, end_id=END).sample([request])[0] for request in requests]
    assert [[t.completion_ids for t in s] for s in turns] == [[t.completion_ids for t in s] for s in alone]


def test_a_prompt_that_is_the_beginning_itself_keeps_a_token() -> None:
    requests = [replace(alike(4, 1), prompt_ids=BEGINNING), alike(4, 1)]
    model = built("llama")
    decoder = Decoder(model, end_id=END)
    assert largest_gap(model, requests, decoder.sample(requests)) < 1e-4
    assert decoder.prefilled == 89 + 1 + 5


def test_memory_that_is_used_again_changes_nothing() -> None:
    model = built("llama")
    calls = [[alike(n, seed) for seed in range(count)] for n, count in ((6, 5), (3, 2), (8, 9), (4, 3))]
    decoder = Decoder(model, end_id=END)
    again = [decoder.sample(requests) for requests in calls]
    assert len(decoder.room.spare) == 2  # the third call found the one there was too small
    assert again == [Decoder(model, end_id=END).sample(requests) for requests in calls]


def test_prompts_of_several_beginnings_run_each_once() -> None:
    other = tuple(reversed(BEGINNING))
    requests = [
        replace(alike(4, seed), prompt_ids=(*begin, seed + 1, *begin[:seed]))
        for seed, begin in enumerate([BEGINNING, other, BEGINNING, other, BEGINNING])
    ]
    model = built("llama")
    decoder = Decoder(model, end_id=END, slots=6)
    assert largest_gap(model, requests, decoder.sample(requests)) < 1e-4
    assert decoder.prefilled == 2 * len(BEGINNING) + sum(range(1, 6))


def test_a_short_beginning_is_run_with_each_prompt() -> None:
    requests = [replace(alike(4, seed), prompt_ids=(*BEGINNING[:40], seed)) for seed in (2, 3)]
    decoder = Decoder(built("llama"), end_id=END)
    decoder.sample(requests)
    assert decoder.prefilled == 2 * 41
