"""One update: a packed batch to new weights, for any Hugging Face causal LM.

Only the places that are predicted reach the output layer, in chunks, because logits rather than weights are
what runs out of memory (trl#3678).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint
from transformers import PreTrainedModel

from autotelic.learn.losses import Clip, anchor_kl, clipped_policy, imitation
from autotelic.learn.muon import Muon
from autotelic.types import Batch, LearnReport

CHUNK = 4096
"""Predicted tokens whose logits are held at once."""


def segment_mask(segment_BT: Tensor, dtype: torch.dtype) -> Tensor:
    """Additive attention mask [B, 1, T, T]: causal, and never across segments."""
    same_BTT = segment_BT[:, :, None] == segment_BT[:, None, :]
    length = segment_BT.shape[1]
    causal_TT = torch.ones(length, length, dtype=torch.bool).tril()
    mask = torch.zeros(same_BTT.shape, dtype=dtype)
    return mask.masked_fill_(~(same_BTT & causal_TT), torch.finfo(dtype).min)[:, None]


def predicted_logprobs(model: PreTrainedModel, batch: Batch, at_S: Tensor) -> tuple[Tensor, Tensor]:
    """Log-probability of the tokens at flat places `at_S` (row * T + token). -> ([S], entropy [S], no gradient)."""
    hidden_BTD = model.base_model(
        input_ids=batch.ids_BT,
        position_ids=batch.position_BT,
        attention_mask=segment_mask(batch.segment_BT, model.dtype),
        use_cache=False,
    )[0]
    # A token is predicted from the place before it, which is in the same segment: prompts are never empty.
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
        self.model = model
        self.clip = clip
        self.policy = policy
        self.max_grad_norm = max_grad_norm
        self.rates = {"matrix": lr_matrix, "other": lr_other}
        matrices, others = _sorted_parameters(model)
        if optimiser == "adamw":
            others, matrices = others + [p for p, _ in matrices], []
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
        at_S = ((batch.nll_BT > 0) | (batch.policy_BT > 0)).flatten().nonzero()[:, 0]
        logprob_S, entropy_S = predicted_logprobs(self.model, batch, at_S)
        loss, parts = self._loss(batch, logprob_S, at_S)
        parts["entropy"] = float(entropy_S.mean())
        for optimiser in self.optimisers.values():
            optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = float(nn.utils.clip_grad_norm_(self.model.parameters(), self.max_grad_norm))
        skipped = ""
        if not (math.isfinite(float(loss)) and math.isfinite(norm)):
            skipped = f"loss {float(loss)} and gradient norm {norm} are not finite"
        else:
            for name, optimiser in self.optimisers.items():
                for group in optimiser.param_groups:
                    group["lr"] = self.rates[name] * rate
                optimiser.step()
        return LearnReport(
            loss=float(loss),
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

        nll = imitation(logprob_S, taken(batch.nll_BT))
        parts = {"nll": float(nll), "policy": 0.0, "kl": 0.0, "clipped": 0.0}
        weight_S = taken(batch.policy_BT)
        if not bool((weight_S > 0).any()):
            return nll, parts
        surrogate, clipped = clipped_policy(
            logprob_S, taken(batch.logprob_BT), taken(batch.advantage_BT), weight_S, self.clip
        )
        kl = anchor_kl(logprob_S, taken(batch.anchor_BT), weight_S)
        parts |= {"policy": float(surrogate), "kl": float(kl), "clipped": float(clipped)}
        return nll + self.policy * (surrogate + self.clip.kl * kl), parts

    # ── state, for checkpoints ───────────────────────────────────────────────────────────────────────────

    def state(self) -> dict[str, Tensor]:
        """Optimiser state as flat named tensors."""
        return {
            f"{name}.{index}.{key}": value.clone()
            for name, optimiser in self.optimisers.items()
            for index, p in enumerate(optimiser.param_groups[0]["params"])
            for key, value in optimiser.state[p].items()
        }

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """The inverse of `state`."""
        for name, optimiser in self.optimisers.items():
            optimiser.state.clear()
            for index, p in enumerate(optimiser.param_groups[0]["params"]):
                prefix = f"{name}.{index}."
                found = {k.removeprefix(prefix): v.clone() for k, v in tensors.items() if k.startswith(prefix)}
                if found:
                    optimiser.state[p] = found


def _sorted_parameters(
    model: PreTrainedModel,
) -> tuple[list[tuple[nn.Parameter, tuple[int, ...]]], list[nn.Parameter]]:
    """(matrices with their row blocks, everything else). Tied weights count once, as embeddings."""
    embeddings = {id(m.weight) for m in model.modules() if isinstance(m, nn.Embedding)}
    embeddings.add(id(model.get_output_embeddings().weight))
    matrices, others = [], []
    for name, p in model.named_parameters():
        if not p.requires_grad:
            continue
        if p.ndim == 2 and id(p) not in embeddings:
            matrices.append((p, _blocks(name, p)))
        else:
            others.append(p)
    return matrices, others


def _blocks(name: str, p: nn.Parameter) -> tuple[int, ...]:
    """Row blocks of a matrix: a fused multi-query projection is query, key and value."""
    rows, columns = p.shape
    if name.endswith("attn.c_attn.weight") and rows > columns:
        shared = (rows - columns) // 2
        return (columns, shared, shared)
    return (rows,)


Schedule = Callable[[float], float]


def warmup_then_cooldown(warmup_steps: int, cooldown: float) -> Callable[[int, float], float]:
    """Rate factor of (step, progress in 0..1): linear up over `warmup_steps`, flat, linear down to 0 over the
    last `cooldown` share of progress (Hägele et al. 2024, arXiv:2405.18392)."""

    def rate(step: int, progress: float) -> float:
        up = min(1.0, (step + 1) / max(1, warmup_steps))
        down = min(1.0, max(0.0, 1.0 - progress) / cooldown) if cooldown > 0 else 1.0
        return up * down

    return rate
