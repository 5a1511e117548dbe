"""Every algorithm's loss and gradient against its paper's formula, written out over padded completions.

Tolerances in fp32: 1e-5 relative (torch.testing.assert_close of float32 is 1.3e-6; sums here are in another
order). `test_trl_parity.py` compares with TRL itself, where TRL has the algorithm.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import GPTBigCodeConfig, GPTBigCodeForCausalLM, PreTrainedModel

from autotelic.algorithms import ALGORITHMS, AlgorithmName
from autotelic.learn import learner as learners
from autotelic.learn.learner import PolicyLearner, predicted_logprobs, predicted_places
from autotelic.learn.losses import Clip
from autotelic.learn.objective import Objective, sequences_at
from autotelic.learn.pack import Trace, pack, reinforce
from autotelic.models.crew import Crew
from autotelic.types import Episode, Step, Turn

VOCABULARY, LONGEST, N = 40, 9, 8
CLIP = Clip(low=0.2, high=0.28)
REL = 1e-5
Rows = tuple[Tensor, Tensor, Tensor, Tensor]


def ratio_of(logprob_BT: Tensor, old_BT: Tensor, mask_BT: Tensor, level: str) -> Tensor:
    log_BT = (logprob_BT - old_BT) * mask_BT
    if level == "token":
        return torch.exp(log_BT)
    total_B = log_BT.sum(-1)
    if level == "sequence":
        total_B = total_B / mask_BT.sum(-1)
    return torch.exp(total_B)[:, None].expand_as(log_BT)


def ppo_clip(ratio_BT: Tensor, advantage_B1: Tensor) -> Tensor:
    bounded_BT = ratio_BT.clamp(1 - CLIP.low, 1 + CLIP.high)
    return -torch.min(ratio_BT * advantage_B1, bounded_BT * advantage_B1)


def token_mean(loss_BT: Tensor, mask_BT: Tensor) -> Tensor:
    return (loss_BT * mask_BT).sum() / mask_BT.sum()


def sequence_mean(loss_BT: Tensor, mask_BT: Tensor) -> Tensor:
    return ((loss_BT * mask_BT).sum(-1) / mask_BT.sum(-1)).mean()


def clipped_with(level: str, mean: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
    def loss(logprob_BT: Tensor, old_BT: Tensor, advantage_B: Tensor, mask_BT: Tensor) -> Tensor:
        return mean(ppo_clip(ratio_of(logprob_BT, old_BT, mask_BT, level), advantage_B[:, None]), mask_BT)

    return loss


def constant_mean(loss_BT: Tensor, mask_BT: Tensor) -> Tensor:
    return (loss_BT * mask_BT).sum() / (len(mask_BT) * LONGEST)


def whole_completion(logprob_BT: Tensor, old_BT: Tensor, advantage_B: Tensor, mask_BT: Tensor) -> Tensor:
    """RLOO: one ratio a completion, one loss a completion."""
    ratio_B = torch.exp(((logprob_BT - old_BT) * mask_BT).sum(-1))
    bounded_B = ratio_B.clamp(1 - CLIP.low, 1 + CLIP.high)
    return -torch.min(ratio_B * advantage_B, bounded_B * advantage_B).mean()


def raft(logprob_BT: Tensor, old_BT: Tensor, advantage_B: Tensor, mask_BT: Tensor) -> Tensor:
    """Cross-entropy of the sequences, each as its advantage says (1: right answers)."""
    return token_mean(-logprob_BT * advantage_B[:, None], mask_BT)


def nft(logprob_BT: Tensor, old_BT: Tensor, advantage_B: Tensor, mask_BT: Tensor) -> Tensor:
    """The paper's Algorithm 1, token by token, with the prompt's weight 1 - p and the floor 1."""
    loss_BT = torch.zeros_like(logprob_BT)
    for b, t in mask_BT.nonzero().tolist():
        ratio = torch.exp(logprob_BT[b, t] - old_BT[b, t])
        advantage = float(advantage_B[b])
        if advantage > 0:  # right: weight 1 - p is the advantage
            loss = -advantage * torch.log(ratio)
        else:
            p = -advantage
            x = (1 - p * ratio) / (1 - p)
            held = x + (max(float(x.detach()), 1.0) - x).detach()
            loss = -(1 - p) * torch.log(held)
        loss_BT = loss_BT.index_put((torch.tensor(b), torch.tensor(t)), loss)
    return token_mean(loss_BT, mask_BT)


REFERENCES: dict[AlgorithmName, Callable[..., Tensor]] = {
    "grpo-pooled": clipped_with("token", token_mean),
    "grpo": clipped_with("token", sequence_mean),
    "dr-grpo": clipped_with("token", constant_mean),
    "rloo": whole_completion,
    "reinforce++": clipped_with("token", token_mean),
    "ppo": clipped_with("token", token_mean),
    "gspo": clipped_with("sequence", sequence_mean),
    "dapo": clipped_with("token", token_mean),
    "raft": raft,
    "nft": nft,
}


def model_of() -> PreTrainedModel:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        sizes = {
            "n_embd": 32,
            "n_layer": 2,
            "n_head": 4,
            "n_positions": 64,
            "embd_pdrop": 0,
            "resid_pdrop": 0,
        }
        return GPTBigCodeForCausalLM(GPTBigCodeConfig(vocab_size=VOCABULARY, attn_pdrop=0, **sizes)).eval()


def siblings(model: PreTrainedModel, spread: float = 0.6) -> list[tuple[Turn, float]]:
    """Pairs that share a prompt, whose recorded log-probabilities are off by `spread`, with advantages in
    (-1, 1) of both signs.
    """
    rng = np.random.default_rng(2)
    found = []
    for i in range(N):
        prompt = tuple(np.random.default_rng(10 + i // 2).integers(1, VOCABULARY, 6).tolist())
        completion = tuple(rng.integers(1, VOCABULARY, int(rng.integers(2, LONGEST + 1))).tolist())
        bare = Turn(
            prompt_ids=prompt,
            completion_ids=completion,
            logprobs=(0.0,) * len(completion),
            weights="w",
            stop="eos",
        )
        batch = pack([trace_of(bare, 1.0)])
        with torch.no_grad():
            own_S, _ = predicted_logprobs(model, batch, predicted_places(batch))
        moved = (own_S.numpy() + rng.normal(0, spread, len(own_S))).tolist()
        turn = Turn(
            prompt_ids=prompt, completion_ids=completion, logprobs=tuple(moved), weights="w", stop="eos"
        )
        found.append((turn, float(rng.uniform(0.1, 0.9)) * (-1) ** i))
    return found


def trace_of(turn: Turn, advantage: float) -> Trace:
    return reinforce(Episode(task_id="", steps=(Step(turn=turn),), answer=""), advantage)


def padded(model: PreTrainedModel, found: list[tuple[Turn, float]]) -> Rows:
    """(logprob, old, advantage, mask), one row a completion, computed without packing."""
    mask_BT, old_BT = torch.zeros(len(found), LONGEST), torch.zeros(len(found), LONGEST)
    rows = []
    for b, (turn, _) in enumerate(found):
        n = len(turn.completion_ids)
        mask_BT[b, :n] = 1
        old_BT[b, :n] = torch.tensor(turn.logprobs)
        ids = torch.tensor([turn.prompt_ids + turn.completion_ids])
        logits_TV = model(input_ids=ids).logits[0, len(turn.prompt_ids) - 1 : -1].float()
        picked = logits_TV.log_softmax(-1).gather(1, torch.tensor(turn.completion_ids)[:, None])[:, 0]
        rows.append(torch.nn.functional.pad(picked, (0, LONGEST - n)))
    return torch.stack(rows), old_BT, torch.tensor([a for _, a in found]), mask_BT


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", list(ALGORITHMS))
def test_a_step_has_the_papers_loss_and_gradient(
    name: AlgorithmName, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However the rows are shared out, and with prompts that siblings share."""
    monkeypatch.setattr(learners, "MAX_GRAD_NORM", 1e9)
    model = model_of()
    found = siblings(model)
    if name == "raft":
        found = [(turn, 1.0) for turn, advantage in found if advantage > 0]
    expected = REFERENCES[name](*padded(model, found))
    expected.backward()
    want = {n: p.grad.clone() for n, p in model.named_parameters()}
    model.zero_grad()
    crew = Crew(threads)
    try:
        ours = PolicyLearner(
            model,
            lr_matrix=0.1,
            lr_other=0.1,
            clip=CLIP,
            policy=1.0,
            objective=Objective(algorithm=ALGORITHMS[name], longest=LONGEST),
            optimiser="adamw",
            crew=crew,
        )
        report = ours.step(pack([trace_of(*one) for one in found], threads), rate=0.0)
    finally:
        crew.close()
    assert report.loss == pytest.approx(float(expected.detach()), rel=REL, abs=1e-7)
    for n, p in model.named_parameters():
        gap = float((p.grad - want[n]).abs().max() / want[n].abs().max())
        assert gap < 10 * REL, f"{n}: {gap:.1e}"
    assert (report.clipped > 0) == (name != "raft")


def test_algorithms_differ_where_their_papers_do() -> None:
    """No two of another make have the same loss on the same batch, so that the test above can fail."""
    model = model_of()
    rows = padded(model, siblings(model))
    losses = {name: round(float(loss(*rows).detach()), 7) for name, loss in REFERENCES.items()}
    alike = {"reinforce++", "ppo", "dapo"}  # of one make in an update; their advantages differ
    others = [loss for name, loss in losses.items() if name not in alike]
    assert len(set(others)) == len(others)


def test_where_the_policy_sampled_nft_has_dr_grpos_gradient() -> None:
    """Proposition 4.1 of the paper, token by token."""
    logprob_S = torch.tensor([-0.3, -2.0, -1.0, -0.7], requires_grad=True)
    p = 0.25
    advantage_S = torch.tensor([1 - p, -p, -p, 1 - p])
    one_S = torch.ones(4)
    sequence_S = torch.arange(4)
    for name in ("nft", "dr-grpo"):
        loss_S, _ = Objective(algorithm=ALGORITHMS[name]).losses(
            logprob_S, logprob_S.detach(), advantage_S, one_S, sequence_S, CLIP
        )
        (gradient_S,) = torch.autograd.grad(loss_S.sum(), logprob_S)
        torch.testing.assert_close(gradient_S, -advantage_S, msg=name)


def test_nft_pushes_a_wrong_token_down_at_most_as_its_ratio_says() -> None:
    logprob_S = torch.tensor([math.log(3.0), math.log(0.5)], requires_grad=True)
    loss_S, held_S = Objective(algorithm=ALGORITHMS["nft"]).losses(
        logprob_S, torch.zeros(2), torch.tensor([-0.5, -0.5]), torch.ones(2), torch.arange(2), CLIP
    )
    assert held_S.tolist() == [1.0, 0.0]
    (gradient_S,) = torch.autograd.grad(loss_S.sum(), logprob_S)
    # p R / held: 0.5 * 3 / 1, and 0.5 * 0.5 / ((1 - 0.25) / 0.5).
    assert gradient_S.tolist() == pytest.approx([1.5, 0.25 / 1.5])


def test_sequences_are_told_apart_where_they_share_a_row_and_a_beginning() -> None:
    model = model_of()
    found = siblings(model)
    batch = pack([trace_of(*one) for one in found])
    assert batch.ids_BT.shape[0] < N
    at_S = predicted_places(batch)
    sequence_S = sequences_at(batch, at_S)
    advantage_S = batch.advantage_BT.flatten()[at_S]
    assert int(sequence_S.max()) + 1 == N
    for number in range(N):  # advantages tell them apart: no two are the same
        assert len(advantage_S[sequence_S == number].unique()) == 1
    assert Objective(algorithm=ALGORITHMS["grpo"]).divisor(batch) == N


def test_every_algorithm_says_where_it_is_from_and_clips_as_its_paper_does() -> None:
    assert all(parts.paper.startswith("arXiv:") for parts in ALGORITHMS.values())
    bounds = {name: (0.2 * parts.below, 0.2 * parts.above) for name, parts in ALGORITHMS.items()}
    assert bounds["gspo"] == pytest.approx((3e-4, 4e-4))
    assert bounds["dapo"] == pytest.approx((0.2, 0.28))
    assert bounds["grpo"] == (0.2, 0.2)
