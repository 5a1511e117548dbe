"""Derivatives through updates, against updates with a sequence weighed a little more and a little less."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from autotelic.errors import ModelError
from autotelic.learn.learner import PolicyLearner
from autotelic.learn.losses import Clip
from autotelic.learn.pack import Trace, imitate, pack, reinforce
from autotelic.models.digest import copy_of
from autotelic.trace.metagradient import Tape, owners
from autotelic.types import Episode, Step, Turn
from autotelic.weights.tensors import put_into

RATE = 0.3
LITTLE = 0.05
ANSWER = imitate((3, 4, 5), (6, 7, 8, 2))


def learner_of(optimiser: str, dtype: torch.dtype = torch.float32) -> PolicyLearner:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=24,
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=32,
    )
    model = LlamaForCausalLM(config).to(dtype)
    return PolicyLearner(model, lr_matrix=0.01, lr_other=0.01, clip=Clip(kl=0.05), optimiser=optimiser)


def traces(weights: Sequence[float]) -> list[Trace]:
    """Demonstrations by their weights, and two attempts with advantages, all of prompts that begin alike."""
    rng = np.random.default_rng(1)
    found = [
        imitate((3, 4, *rng.integers(5, 20, 3).tolist()), (*rng.integers(5, 20, 4).tolist(), 2), weight)
        for weight in weights
    ]
    for advantage in (1.0, -0.5):
        turn = Turn(
            prompt_ids=(3, 4, 9),
            completion_ids=(11, 12, 2),
            logprobs=(-2.0, -3.0, -2.5),
            weights="",
            stop="eos",
        )
        found.append(reinforce(Episode(task_id="", steps=(Step(turn=turn),), answer=""), advantage))
    return found


def logprob(learner: PolicyLearner) -> float:
    return learner.gradient_of_logprob(pack([ANSWER]))[0]


@pytest.mark.parametrize("optimiser", ["adamw", "muon"])
def test_the_derivative_is_that_of_the_updates_as_they_are_made(optimiser: str) -> None:
    learner = learner_of(optimiser)
    for _ in range(4):  # optimisers with a past: Adam's first step knows only signs
        learner.step(pack(traces([1.0] * 4)), RATE)
    start, state = copy_of(learner.model), learner.state()
    batches = [[1.0] * 4, [1.0] * 3, [1.0] * 4]

    def outcome(update: int, at: int, weight: float) -> float:
        put_into(learner.model, start)
        learner.restore(state)
        for number, weights in enumerate(batches):
            changed = [weight if (number, i) == (update, at) else w for i, w in enumerate(weights)]
            learner.step(pack(traces(changed)), RATE)
        return logprob(learner)

    tape = Tape(learner)
    for weights in batches:
        some = traces(weights)
        tape.step(pack(some), some, 1, RATE)
    before = logprob(learner)
    (scores,) = tape.scores([pack([ANSWER])])
    assert [len(score_N) for score_N in scores] == [6, 5, 6]
    assert outcome(0, 0, 1.0) == pytest.approx(before, abs=1e-6)  # a tape changes no update
    for update, at in ((0, 0), (0, 2), (1, 1), (2, 0), (2, 3)):
        slope = (outcome(update, at, 1 + LITTLE) - outcome(update, at, 1 - LITTLE)) / (2 * LITTLE)
        assert float(scores[update][at]) == pytest.approx(slope, rel=0.05, abs=2e-4)
    assert all(float(scores[0][at].abs()) > 0 for at in (4, 5)), "attempts have scores too"


def test_every_predicted_token_has_its_sequence() -> None:
    some = traces([1.0] * 4)
    batch, owner_BT = pack(some), owners(some, 1)
    weighed = (batch.nll_BT > 0) | (batch.policy_BT > 0)
    counts = torch.bincount(owner_BT[weighed], minlength=len(some)).tolist()
    assert counts == [int(((t.nll > 0) | (t.policy > 0)).sum()) for t in some]
    assert int(owner_BT[weighed].min()) >= 0


def test_weights_of_few_bits_are_refused() -> None:
    with pytest.raises(ModelError, match="stepped as a copy"):
        Tape(learner_of("adamw", torch.bfloat16))
