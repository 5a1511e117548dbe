"""Decoding under a form: every completion stays a beginning of one, and the likeliest that does."""

from __future__ import annotations

import math

import pytest
import regex
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import LlamaConfig, LlamaForCausalLM

from autotelic.models.constrain import Constrained, Form
from autotelic.models.decode import Decoder
from autotelic.types import Request, Turn

END = 1
LETTERS = "\0\0" + "0123456789-,[]abc\n"
"""What token i spells; 0 spells nothing, and 1 ends."""
LISTS = r"(?:\[-?[0-9]{1,3}(?:,-?[0-9]{1,3}){0,2}\]\n){0,2}\[[0-9]{1,2}\]"


def spell(ids) -> str:
    return "".join(LETTERS[i] for i in ids if i > 1)


def model(seed: int = 0) -> LlamaForCausalLM:
    config = LlamaConfig(
        vocab_size=len(LETTERS),
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=160,
        initializer_range=0.4,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return LlamaForCausalLM(config).eval()


def form(pattern: str = LISTS) -> Form:
    return Form(pattern, decode=spell, end_id=END)


def asked(count: int = 12, max_tokens: int = 40) -> list[Request]:
    return [
        Request(prompt_ids=(2 + at, 3, 5 + at), n=1, max_tokens=max_tokens, temperature=0.0, seed=at)
        for at in range(count)
    ]


def flat(turns: list[list[Turn]]) -> list[Turn]:
    return [turn for siblings in turns for turn in siblings]


@pytest.mark.parametrize("slots", [1, 3, 64])
def test_what_ends_is_of_the_form_and_what_is_cut_off_begins_one(slots: int) -> None:
    turns = flat(
        Constrained(Decoder(model(), end_id=END, slots=slots), form()).sample(asked(6, 9) + asked(6))
    )
    for turn in turns:
        text = spell(turn.completion_ids)
        assert bool(regex.fullmatch(LISTS, text)) or turn.stop == "length", text
        assert regex.fullmatch(LISTS, text, partial=True), text
    assert {turn.stop for turn in turns} == {"eos", "length"}


def test_each_token_is_the_likeliest_that_may_follow() -> None:
    actor, held = model(), form()
    for turn in flat(Constrained(Decoder(actor, end_id=END), held).sample(asked(4))):
        with torch.no_grad():
            logits_TV = actor(torch.tensor([turn.prompt_ids + turn.completion_ids])).logits[0]
        for at, token in enumerate(turn.completion_ids):
            row_V = logits_TV[len(turn.prompt_ids) + at - 1]
            may = [t for t in range(len(LETTERS)) if held(turn.completion_ids[:at], t)]
            assert token == max(may, key=lambda t: float(row_V[t]))


def test_answers_do_not_depend_on_slots_or_company() -> None:
    alone = [flat(Constrained(Decoder(model(), end_id=END), form()).sample([r]))[0] for r in asked()]
    together = flat(Constrained(Decoder(model(), end_id=END, slots=5), form()).sample(asked()))
    assert [t.completion_ids for t in alone] == [t.completion_ids for t in together]


def test_a_form_of_everything_is_greedy_decoding() -> None:
    free = flat(Decoder(model(), end_id=END).sample(asked()))
    held = flat(Constrained(Decoder(model(), end_id=END), form(r"[\s\S]*")).sample(asked()))
    same = [
        a.completion_ids == b.completion_ids
        for a, b in zip(free, held, strict=True)
        if 0 not in a.completion_ids
    ]
    assert same
    assert all(same)


def test_no_log_probability_is_claimed() -> None:
    for turn in flat(Constrained(Decoder(model(), end_id=END), form()).sample(asked(3))):
        assert len(turn.logprobs) == len(turn.completion_ids)
        assert all(map(math.isnan, turn.logprobs))


def test_a_form_that_nothing_can_go_on_with_ends() -> None:
    turns = flat(Constrained(Decoder(model(), end_id=END), form("z")).sample(asked(3)))
    assert [(t.completion_ids, t.stop) for t in turns] == [((END,), "eos")] * 3


def test_samples_are_refused() -> None:
    warm = Request(prompt_ids=(3,), n=1, max_tokens=4, temperature=0.7, seed=0)
    with pytest.raises(ValueError, match=r"temperature 0\.7; constrained decoding is greedy"):
        Constrained(Decoder(model(), end_id=END), form()).sample([warm])


def test_broken_weights_are_named_here_too() -> None:
    broken = model()
    with torch.no_grad():
        broken.model.norm.weight.fill_(float("nan"))
    with pytest.raises(FloatingPointError, match="request 0 hold NaN"):
        Constrained(Decoder(broken, end_id=END), form()).sample(asked(1))


@given(st.lists(st.integers(0, len(LETTERS) - 1), max_size=12), st.integers(0, len(LETTERS) - 1))
def test_what_may_follow_is_what_leaves_a_beginning(written: list[int], token: int) -> None:
    text, held = spell(written), form()
    if token == END:
        assert held(written, token) == (regex.fullmatch(LISTS, text) is not None)
    else:
        begins = regex.fullmatch(LISTS, text + LETTERS[token], partial=True) is not None
        assert held(written, token) == (begins and token > END)
