"""One update: a packed batch to new weights, for any Hugging Face causal LM.

Only the places that are predicted reach the output layer, in chunks, because logits rather than weights are
what runs out of memory (trl#3678).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from autotelic.learn.losses import Clip, anchor_kl, clipped_policy, imitation
from autotelic.learn.muon import Matrix, Muon
from autotelic.learn.pack import pack, reinforce
from autotelic.models.head import output_head
from autotelic.types import Attempt, Batch, LearnReport, Turn

CHUNK = 4096
"""Predicted tokens whose logits are held at once."""


def segment_mask(segment_BT: Tensor, dtype: torch.dtype) -> Tensor:
    """Additive attention mask [B, 1, T, T]: causal, and never across segments."""
    same_BTT = segment_BT[:, :, None] == segment_BT[:, None, :]
    length = segment_BT.shape[1]
    causal_TT = torch.ones(length, length, dtype=torch.bool).tril()
    mask = torch.zeros(same_BTT.shape, dtype=dtype)
    return mask.masked_fill_(~(same_BTT & causal_TT), torch.finfo(dtype).min)[:, None]


def predicted_places(batch: Batch) -> Tensor:
    """Flat places (row * T + token) of the tokens that carry a weight, hence are predicted. -> [S]

    Raises ValueError where one has no token of its own sequence before it to be predicted from.
    """
    at_S = ((batch.nll_BT > 0) | (batch.policy_BT > 0)).flatten().nonzero()[:, 0]
    if bool((batch.position_BT.flatten()[at_S] == 0).any()):
        raise ValueError("a sequence's first token has a weight; nothing predicts it, so give it a prompt")
    return at_S


def predicted_logprobs(model: PreTrainedModel, batch: Batch, at_S: Tensor) -> tuple[Tensor, Tensor]:
    """Log-probability of the tokens at `at_S` (`predicted_places`). -> ([S], entropy [S] without gradient)

    For models that `output_head` accepts.
    """
    hidden_BTD = model.base_model(
        input_ids=batch.ids_BT,
        position_ids=batch.position_BT,
        attention_mask=segment_mask(batch.segment_BT, model.dtype),
        use_cache=False,
    )[0]
    # A token is predicted from the place before it.
    hidden_SD = hidden_BTD.flatten(0, 1)[at_S - 1]
    target_S = batch.ids_BT.flatten()[at_S]
    head = model.get_output_embeddings()

    def score(hidden_CD: Tensor, target_C: Tensor) -> tuple[Tensor, Tensor]:
        logprob_CV = torch.log_softmax(head(hidden_CD).float(), dim=-1)
        with torch.no_grad():
            entropy_C = -(logprob_CV.exp() * logprob_CV).sum(-1)
        return logprob_CV.gather(1, target_C[:, None])[:, 0], entropy_C

    if len(at_S) <= CHUNK:
        return score(hidden_SD, target_S)
    parts = [
        checkpoint(score, h, t, use_reentrant=False)
        for h, t in zip(hidden_SD.split(CHUNK), target_S.split(CHUNK), strict=True)
    ]
    return torch.cat([p[0] for p in parts]), torch.cat([p[1] for p in parts])


@torch.no_grad()
def logprob_gap(model: PreTrainedModel, turns: Sequence[Turn]) -> float:
    """The largest difference between the sampler's log-probabilities and the learner's own.

    Above 1e-4 in fp32 the two do not hold the same weights, or do not compute the same function of them: the
    policy gradient would be one of some other policy (trl#4159, trl#6789).
    """
    attempts = [Attempt(task_id="", turns=(turn,), answer="") for turn in turns]
    batch = pack([reinforce(attempt, 0.0) for attempt in attempts])
    at_S = predicted_places(batch)
    logprob_S, _ = predicted_logprobs(model, batch, at_S)
    return float((logprob_S - batch.logprob_BT.flatten()[at_S]).abs().max())


class PolicyLearner:
    """Holds the actor's weights and optimisers. Implements the `Learner` seam.

    Matrices inside the blocks are stepped by Muon, everything else (embeddings, norms, biases) by AdamW.
    `rate` gives the factor on both learning rates; it is asked before every step.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        *,
        lr_matrix: float,
        lr_other: float,
        clip: Clip,
        policy: float,
        max_grad_norm: float,
        weight_decay: float = 0.0,
        optimiser: str = "muon",
    ) -> None:
        if optimiser not in ("muon", "adamw"):
            raise ValueError(f"optimiser = {optimiser!r} is not known; it is one of muon, adamw")
        output_head(model)  # raises where the output layer is not all there is to the logits
        self.model = model
        self.clip = clip
        self.policy = policy
        self.max_grad_norm = max_grad_norm
        self.rates = {"matrix": lr_matrix, "other": lr_other}
        matrices, others = _sorted_parameters(model)
        if optimiser == "adamw":
            others, matrices = others + [m.weight for m in matrices], []
        self.optimisers: dict[str, torch.optim.Optimizer] = {
            "other": torch.optim.AdamW(
                others, lr=lr_other, betas=(0.9, 0.95), weight_decay=weight_decay, fused=True
            )
        }
        if matrices:
            self.optimisers["matrix"] = Muon(matrices, lr=lr_matrix)

    def step(self, batch: Batch, rate: float = 1.0) -> LearnReport:
        """One update. On NaN or infinity nothing changes and the report says `skipped`."""
        began = time.perf_counter()
        at_S = predicted_places(batch)
        if not len(at_S):
            raise ValueError("the batch has no token with a weight; give it a completion to learn from")
        logprob_S, entropy_S = predicted_logprobs(self.model, batch, at_S)
        loss, parts = self._loss(batch, logprob_S, at_S)
        parts["entropy"] = float(entropy_S.mean())
        value = float(loss.detach())
        for optimiser in self.optimisers.values():
            optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = float(nn.utils.clip_grad_norm_(self.model.parameters(), self.max_grad_norm))
        skipped = ""
        if not (math.isfinite(value) and math.isfinite(norm)):
            skipped = f"loss {value} and gradient norm {norm} are not finite"
        else:
            for name, optimiser in self.optimisers.items():
                for group in optimiser.param_groups:
                    group["lr"] = self.rates[name] * rate
                optimiser.step()
        return LearnReport(
            loss=value,
            **parts,
            grad_norm=norm,
            tokens=batch.tokens,
            seconds=time.perf_counter() - began,
            skipped=skipped,
        )

    def _loss(self, batch: Batch, logprob_S: Tensor, at_S: Tensor) -> tuple[Tensor, dict[str, float]]:
        """The weighted sum of both streams, and its parts for the report."""

        def taken(tensor_BT: Tensor) -> Tensor:
            return tensor_BT.flatten()[at_S]

        nll_S, weight_S = taken(batch.nll_BT), taken(batch.policy_BT)
        nll = imitation(logprob_S, nll_S)
        parts = {"nll": float(nll.detach()), "policy": 0.0, "kl": 0.0, "clipped": 0.0}
        if not bool((weight_S > 0).any()):
            return nll, parts
        surrogate, clipped = clipped_policy(
            logprob_S, taken(batch.logprob_BT), taken(batch.advantage_BT), weight_S, self.clip
        )
        kl = anchor_kl(logprob_S, taken(batch.anchor_BT), weight_S)
        parts |= {"policy": float(surrogate.detach()), "kl": float(kl.detach()), "clipped": float(clipped)}
        # Each stream by its share of the batch: as a mean of its own, the few attempts that earned credit
        # would outweigh every imitated token beside them.
        share = weight_S.sum() / (weight_S.sum() + nll_S.sum())
        return (1 - share) * nll + share * self.policy * (surrogate + self.clip.kl * kl), parts

    # ── state, for checkpoints ───────────────────────────────────────────────────────────────────────────

    def state(self) -> dict[str, Tensor]:
        """Optimiser state as flat named tensors: `<optimiser>/<parameter>/<kind>`."""
        return {
            f"{prefix}/{kind}": value.clone()
            for prefix, optimiser, p in self._stepped()
            for kind, value in optimiser.state.get(p, {}).items()
        }

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """The inverse of `state`. Raises ValueError for state of a parameter this learner does not step."""
        found: dict[str, dict[str, Tensor]] = {}
        for name, tensor in tensors.items():
            prefix, _, kind = name.rpartition("/")
            found.setdefault(prefix, {})[kind] = tensor.clone()
        for optimiser in self.optimisers.values():
            optimiser.state.clear()
        for prefix, optimiser, p in self._stepped():
            if prefix in found:
                optimiser.state[p] = found.pop(prefix)
        if found:
            raise ValueError(
                f"optimiser state for {', '.join(sorted(found)[:3])} fits no parameter of this learner; restore "
                "it into the model and optimiser it was saved from"
            )

    def _stepped(self) -> Iterator[tuple[str, torch.optim.Optimizer, nn.Parameter]]:
        names = {p: name for name, p in self.model.named_parameters()}
        for kind, optimiser in self.optimisers.items():
            for p in optimiser.param_groups[0]["params"]:
                yield f"{kind}/{names[p]}", optimiser, p


def _sorted_parameters(model: PreTrainedModel) -> tuple[list[Matrix], list[nn.Parameter]]:
    """(matrices, everything else). Tied weights count once, as embeddings."""
    kept_out = {m.weight for m in model.modules() if isinstance(m, nn.Embedding)}
    kept_out.add(model.get_output_embeddings().weight)
    matrices = [
        matrix
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear | Conv1D)
        and module.weight.requires_grad
        and module.weight not in kept_out
        for matrix in [_matrix(model, name, module)]
    ]
    stepped = {m.weight for m in matrices}
    return matrices, [p for p in model.parameters() if p.requires_grad and p not in stepped]


def _matrix(model: PreTrainedModel, name: str, module: Any) -> Matrix:
    """A layer's weight, cut where query, key and value are stored one after another."""
    transposed = isinstance(module, Conv1D)
    inputs, outputs = module.weight.shape if transposed else reversed(module.weight.shape)
    blocks: tuple[int, ...] = (outputs,)
    if name.endswith("attn.c_attn"):
        if transposed:
            blocks = (inputs,) * 3
        elif getattr(model.config, "multi_query", False):
            shared = (outputs - inputs) // 2
            blocks = (inputs, shared, shared)
    return Matrix(weight=module.weight, blocks=blocks, transposed=transposed)


def warmup_then_cooldown(warmup_steps: int, cooldown: float) -> Callable[[int, float], float]:
    """Rate factor of (step, progress in 0..1): linear up over `warmup_steps`, flat, linear down to 0 over the
    last `cooldown` share of progress (Hägele et al. 2024, arXiv:2405.18392)."""

    def rate(step: int, progress: float) -> float:
        up = min(1.0, (step + 1) / max(1, warmup_steps))
        down = min(1.0, max(0.0, 1.0 - progress) / cooldown) if cooldown > 0 else 1.0
        return up * down

    return rate
