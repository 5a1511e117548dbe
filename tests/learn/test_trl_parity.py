"""One update has the loss and the gradients that TRL's own trainers compute for the same batch.

Needs the extra `peers`, and is skipped without it: pip install -e '.[peers]'.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from autotelic.algorithms import ALGORITHMS, AlgorithmName
from autotelic.learn import learner
from autotelic.learn.learner import PolicyLearner
from autotelic.learn.losses import Clip
from autotelic.learn.objective import Objective
from autotelic.learn.pack import Trace, pack, reinforce
from autotelic.models.decode import Decoder
from autotelic.models.tiny import build_tiny
from autotelic.models.tokenizer import train_tokenizer
from autotelic.types import Episode, LearnReport, Request, Step, Turn
from autotelic.weights.load import load, save

trl = pytest.importorskip("trl", reason="TRL is not installed: pip install -e '.[peers]'")
datasets = pytest.importorskip("datasets")

CLIP = Clip(low=0.2, high=0.28, kl=0.1)
GROUP = 4
LOSS, GRADIENT = 1e-6, 1e-5
"""Tolerances in fp32: of the loss, absolute; of a gradient, relative to the largest entry of its tensor."""


LONGEST = 24


def trainer_on(folder: Path, loss_type: str, clip: Clip = CLIP, **changes: Any) -> Any:
    """TRL's trainer over the model in `folder`, as a user would make it."""
    loaded = load(folder)
    model, tokenizer = loaded.model, loaded.tokenizer
    return trl.GRPOTrainer(
        model=model,
        reward_funcs=lambda completions, **_: [0.0] * len(completions),
        args=trl.GRPOConfig(
            output_dir=str(folder / "trl"),
            use_cpu=True,
            bf16=False,
            report_to=[],
            loss_type=loss_type,
            epsilon=clip.low,
            epsilon_high=clip.high,
            beta=clip.kl,
            use_bias_correction_kl=False,  # GRPO's own KL (arXiv:2402.03300, eq. 4), not DeepSeek-V3.2's
            num_generations=GROUP,
            per_device_train_batch_size=GROUP,
            max_completion_length=LONGEST,
            **changes,
        ),
        train_dataset=datasets.Dataset.from_list([{"prompt": "a b"}] * GROUP),
        processing_class=tokenizer,
    )


def rollouts(folder: Path) -> list[tuple[Turn, float, np.ndarray]]:
    """Turns of four prompts, an advantage each, and the reference policy's log-probabilities.

    The sampler's are moved so far that ratios are clipped on both sides.
    """
    loaded = load(folder)
    model, tokenizer = loaded.model, loaded.tokenizer
    rng = np.random.default_rng(5)
    requests = [
        Request(
            prompt_ids=tuple(rng.integers(3, len(tokenizer), 4 + 3 * i).tolist()),
            n=GROUP,
            max_tokens=LONGEST,
            temperature=1.0,
            seed=i,
        )
        for i in range(4)
    ]
    turns = [t for some in Decoder(model, end_id=tokenizer.eos_token_id).sample(requests) for t in some]
    found = []
    for turn in turns:
        own = np.array(turn.logprobs)
        moved = tuple((own + rng.normal(0, 0.3, len(own))).tolist())
        reference = (own + rng.normal(0, 0.3, len(own))).astype(np.float32)
        found.append((replace(turn, logprobs=moved), float(rng.normal()), reference))
    return found


def trace_of(turn: Turn, advantage: float, reference: np.ndarray, loss_type: str) -> Trace:
    whole = np.concatenate([np.zeros(len(turn.prompt_ids), np.float32), reference])
    trace = reinforce(Episode(task_id="", steps=(Step(turn=turn),), answer=""), advantage, whole)
    if loss_type == "by hand":  # each sequence counts alike
        return replace(trace, policy=trace.policy / np.float32(len(turn.completion_ids)))
    return trace


def padded_as_trl_does(found: list[tuple[Turn, float, np.ndarray]]) -> dict[str, Tensor]:
    """Prompts padded on the left, completions on the right."""
    prompt = max(len(turn.prompt_ids) for turn, _, _ in found)
    completion = max(len(turn.completion_ids) for turn, _, _ in found)

    def left(rows: list[list[int]]) -> Tensor:
        return torch.tensor([[0] * (prompt - len(row)) + row for row in rows])

    def right(rows: list[list[Any]]) -> Tensor:
        return torch.tensor([row + [0] * (completion - len(row)) for row in rows])

    turns = [turn for turn, _, _ in found]
    return {
        "prompt_ids": left([list(t.prompt_ids) for t in turns]),
        "prompt_mask": left([[1] * len(t.prompt_ids) for t in turns]),
        "completion_ids": right([list(t.completion_ids) for t in turns]),
        "completion_mask": right([[1] * len(t.completion_ids) for t in turns]),
        "old_per_token_logps": right([list(t.logprobs) for t in turns]),
        "ref_per_token_logps": right([reference.tolist() for _, _, reference in found]),
        "advantages": torch.tensor([advantage for _, advantage, _ in found]),
        "num_items_in_batch": torch.tensor(sum(len(t.completion_ids) for t in turns)),
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("model")
    tokenizer = train_tokenizer(["a b c d e f g h\n" * 8, "ab ba cd dc\n" * 8], [], 320)
    save(build_tiny(tokenizer, width=48, depth=2, heads=4, context=128, seed=1), tokenizer, place)
    return place


@pytest.mark.parametrize("loss_type", ["bnpo", "dapo", "by hand"])
def test_loss_and_gradients_are_trls(folder: Path, loss_type: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = rollouts(folder)
    trainer = trainer_on(folder, "grpo" if loss_type == "by hand" else loss_type)
    trainer.model.eval()  # nothing drops out; and no accumulation to divide by
    theirs = trainer.compute_loss(trainer.model, padded_as_trl_does(found))
    theirs.backward()

    batch = [trace_of(*one, loss_type) for one in found]
    report = same_step(folder, batch, Objective(), CLIP, trainer, float(theirs.detach()), monkeypatch)
    assert report.kl > 0.01


def same_step(
    folder: Path,
    traces: list[Trace],
    objective: Objective,
    clip: Clip,
    trainer: Any,
    loss: float,
    monkeypatch: pytest.MonkeyPatch,
) -> LearnReport:
    """Our step on these traces, after checking its loss and gradients against theirs."""
    model = load(folder).model
    monkeypatch.setattr(learner, "MAX_GRAD_NORM", 1e9)
    ours = PolicyLearner(
        model, lr_matrix=0.1, lr_other=0.1, clip=clip, policy=1.0, objective=objective, optimiser="adamw"
    )
    report = ours.step(pack(traces), rate=0.0)
    assert 0.02 < report.clipped < 0.9
    assert report.loss == pytest.approx(loss, abs=LOSS)
    expected = dict(trainer.model.named_parameters())
    for name, p in model.named_parameters():
        want, got = expected[name].grad, p.grad
        assert want is not None
        assert got is not None
        assert float(want.abs().max()) > 0
        gap = float((got - want).abs().max() / want.abs().max())
        assert gap < GRADIENT, f"{name}: {gap:.1e}"
    return report


def clip_of(name: AlgorithmName, kl: float) -> Clip:
    parts = ALGORITHMS[name]
    return Clip(low=0.2 * parts.below, high=0.2 * parts.above, kl=kl)


GRPO_LIKE: dict[AlgorithmName, dict[str, Any]] = {
    "grpo-pooled": {"loss_type": "bnpo"},
    "grpo": {"loss_type": "grpo"},
    "dr-grpo": {"loss_type": "dr_grpo"},
    "gspo": {"loss_type": "grpo", "importance_sampling_level": "sequence"},
    "dapo": {"loss_type": "dapo"},
    "reinforce++": {"loss_type": "bnpo"},
    "ppo": {"loss_type": "bnpo"},
}
"""Algorithms of a clipped surrogate, and what TRL's GRPOTrainer calls their parts."""


@pytest.mark.parametrize("name", list(GRPO_LIKE))
def test_an_algorithms_step_is_trls(
    folder: Path, name: AlgorithmName, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, clip = rollouts(folder), clip_of(name, kl=0.1)
    inputs = padded_as_trl_does(found)
    traces = [trace_of(*one, name) for one in found]
    if name == "ppo":  # an advantage of each token's own: [B, T] in theirs
        each_BT = torch.randn(inputs["completion_ids"].shape, generator=torch.Generator().manual_seed(1))
        inputs["advantages"] = each_BT
        traces = [
            token_trace(turn, reference, each_BT[i, : len(turn.completion_ids)].tolist())
            for i, (turn, _, reference) in enumerate(found)
        ]
    trainer = trainer_on(folder, **GRPO_LIKE[name], clip=clip)
    trainer.model.eval()
    theirs = trainer.compute_loss(trainer.model, inputs)
    theirs.backward()
    objective = Objective(algorithm=ALGORITHMS[name], longest=LONGEST)
    same_step(folder, traces, objective, clip, trainer, float(theirs.detach()), monkeypatch)


def token_trace(turn: Turn, reference: np.ndarray, advantages: list[float]) -> Trace:
    whole = np.concatenate([np.zeros(len(turn.prompt_ids), np.float32), reference])
    return reinforce(Episode(task_id="", steps=(Step(turn=turn),), answer=""), 0.0, whole, advantages)


def test_a_step_of_rloo_is_trls(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TRL takes the distance to the reference policy from the reward; without it the losses are the same."""
    found, clip = rollouts(folder), clip_of("rloo", kl=0.0)
    inputs = padded_as_trl_does(found)
    inputs["old_logps"] = (inputs["old_per_token_logps"] * inputs["completion_mask"]).sum(1)
    loaded = load(folder)
    trainer = trl.RLOOTrainer(
        model=loaded.model,
        reward_funcs=lambda completions, **_: [0.0] * len(completions),
        args=trl.RLOOConfig(
            output_dir=str(folder / "rloo"),
            use_cpu=True,
            bf16=False,
            report_to=[],
            epsilon=clip.low,
            epsilon_high=clip.high,
            beta=0.0,
            num_generations=GROUP,
            per_device_train_batch_size=GROUP,
            max_completion_length=LONGEST,
        ),
        train_dataset=datasets.Dataset.from_list([{"prompt": "a b"}] * GROUP),
        processing_class=loaded.tokenizer,
    )
    trainer.model.eval()
    theirs = trainer.compute_loss(trainer.model, inputs)
    theirs.backward()
    objective = Objective(algorithm=ALGORITHMS["rloo"], longest=LONGEST)
    traces = [trace_of(*one, "rloo") for one in found]
    same_step(folder, traces, objective, clip, trainer, float(theirs.detach()), monkeypatch)
