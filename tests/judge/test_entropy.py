"""Entropy as feedback: of whole distributions, and harmless where there is none."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
import torch
from episodes import episode, task, turn
from transformers import GPTBigCodeConfig, GPTBigCodeForCausalLM, PreTrainedModel

from autotelic.credit import credit_of
from autotelic.judge.entropy import Entropy
from autotelic.learn.entropy import mean_entropies
from autotelic.types import Episode, Group


def model() -> PreTrainedModel:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        sizes = {
            "n_embd": 32,
            "n_layer": 2,
            "n_head": 4,
            "n_positions": 64,
            "embd_pdrop": 0,
            "resid_pdrop": 0,
        }
        return GPTBigCodeForCausalLM(GPTBigCodeConfig(vocab_size=30, attn_pdrop=0, **sizes)).eval()


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_it_is_the_mean_over_sampled_tokens_one_episode_at_a_time(temperature: float) -> None:
    actor = model()
    first = turn([1, 2, 3], [4, 5])
    given = [
        episode(turn([1, 2, 3], [4, 5, 6])),
        episode(first, turn([1, 2, 3, 4, 5, 9, 9], [7])),  # what the environment said does not count
        episode(turn([1, 2], [])),
        episode(turn([8], [1, 1, 1, 1])),
    ]
    found = mean_entropies(actor, given, temperature)
    for e, got in zip(given, found, strict=True):
        ids = torch.tensor([e.turns[-1].prompt_ids + e.turns[-1].completion_ids])
        with torch.no_grad():
            p_TV = (actor(input_ids=ids).logits[0].float() / temperature).softmax(-1)
        entropy_T = -(p_TV * p_TV.log()).sum(-1)
        at = [
            len(t.prompt_ids) + i - 1 for t in e.turns for i in range(len(t.completion_ids))
        ]  # a token is predicted from the place before it
        assert got == pytest.approx(float(entropy_T[at].mean()) if at else 0.0, abs=1e-5)


def judged(entropies: Sequence[float]) -> list[float]:
    attempts = tuple(episode(turn([1], [2])) for _ in entropies)
    said = Entropy(lambda episodes: list(entropies)).judge([Group(task=task(), episodes=attempts)])
    assert all(v.source == "entropy" for v in said[0])
    return [v.reward for v in said[0]]


def test_less_choice_is_more_reward_in_0_to_1() -> None:
    assert judged([0.0, math.log(2), 50.0]) == pytest.approx([1.0, 0.5, 0.0])


def test_an_entropy_of_zero_teaches_nothing_and_breaks_nothing() -> None:
    attempts = tuple(episode(turn([1], [2])) for _ in range(3))
    source = Entropy(lambda episodes: [0.0] * len(episodes))
    whole = Group(task=task(), episodes=attempts)
    whole = Group(task=whole.task, episodes=attempts, verdicts=tuple(source.judge([whole])[0]))
    for name in ("grpo-pooled", "grpo", "dr-grpo", "rloo", "reinforce++"):
        assert credit_of(name).assign([whole]) == [None]


def test_what_wrote_nothing_earns_nothing() -> None:
    def measure(episodes: Sequence[Episode]) -> list[float]:
        return [0.0 for _ in episodes]

    empty = Group(task=task(), episodes=(episode(turn([1], [])),))
    assert Entropy(measure).judge([empty])[0][0].reward == 0.0
    assert Entropy(measure).judge([]) == []
