"""One update: a packed batch to new weights, for any Hugging Face causal LM.

Only the places that are predicted reach the output layer, in chunks, because logits rather than weights are
what runs out of memory (trl#3678).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from autotelic.errors import ModelError
from autotelic.learn.last import hidden_at
from autotelic.learn.losses import Clip, imitation, reference_kl, weighted_mean
from autotelic.learn.muon import Matrix, Muon
from autotelic.learn.objective import Objective, sequences_at
from autotelic.learn.pack import pack, reinforce
from autotelic.learn.recompute import Recompute
from autotelic.models.crew import ALONE, Crew
from autotelic.models.head import head_of, output_head
from autotelic.models.memory import ran_out
from autotelic.models.placement import advice, fused, moved, where
from autotelic.types import Batch, Episode, LearnReport, Step, Turn

MOMENTUM = 0.8
"""Share of the past in a matrix's next step: at 0.95, as for long runs, a short one learns less."""
MAX_GRAD_NORM = 1.0
"""Longer gradients are scaled down to this norm, so that one odd batch does not undo others."""
CHUNK = 4096
"""Predicted tokens whose logits are held at once."""
_FIGURES = ("loss", "nll", "policy", "kl", "clipped", "entropy")


def predicted_places(batch: Batch) -> Tensor:
    """Flat places (row * T + token) of the tokens that carry a weight, hence are predicted. -> [S]

    Raises ValueError where one has no token of its own sequence before it to be predicted from.
    """
    at_S = ((batch.nll_BT > 0) | (batch.policy_BT > 0)).flatten().nonzero()[:, 0]
    if bool((batch.position_BT.flatten()[at_S] == 0).any()):
        raise ValueError("a sequence's first token has a weight; nothing predicts it, so give it a prompt")
    return at_S


def predicted_logprobs(
    model: PreTrainedModel, batch: Batch, at_S: Tensor, temperature: float = 1.0
) -> tuple[Tensor, Tensor]:
    """Log-probability of the tokens at `at_S` (`predicted_places`). -> ([S], entropy [S] without gradient)

    Where the policy gradient applies, logits are divided by the `temperature` that was sampled at: the ratio
    of the gradient is then one of the distribution that was sampled from. Imitation is at 1. For models that
    `output_head` accepts.
    """
    batch, at_S = moved(batch, where(model)), at_S.to(where(model))
    # A token is predicted from the place before it.
    hidden_SD = hidden_at(model, batch, at_S - 1)
    target_S = batch.ids_BT.flatten()[at_S]
    head = head_of(model)
    divisor_S1 = torch.ones(len(at_S), 1, device=at_S.device)
    if temperature != 1.0:
        divisor_S1[(batch.policy_BT > 0).flatten()[at_S]] = temperature

    def score(hidden_CD: Tensor, target_C: Tensor, divisor_C1: Tensor) -> tuple[Tensor, Tensor]:
        logit_CV = head(hidden_CD).float()
        logprob_CV = torch.log_softmax(logit_CV if temperature == 1.0 else logit_CV / divisor_C1, dim=-1)
        with torch.no_grad():
            entropy_C = -(logprob_CV.exp() * logprob_CV).sum(-1)
        return logprob_CV.gather(1, target_C[:, None])[:, 0], entropy_C

    if len(at_S) <= CHUNK:
        return score(hidden_SD, target_S, divisor_S1)
    cut = (tensor.split(CHUNK) for tensor in (hidden_SD, target_S, divisor_S1))
    parts = [checkpoint(score, *part, use_reentrant=False) for part in zip(*cut, strict=True)]
    return torch.cat([p[0] for p in parts]), torch.cat([p[1] for p in parts])


@torch.no_grad()
def logprob_gap(model: PreTrainedModel, turns: Sequence[Turn], temperature: float = 1.0) -> float:
    """The largest difference between the sampler's log-probabilities and the learner's own.

    Above 1e-4 in fp32 the two do not hold the same weights, or do not compute the same function of them: the
    policy gradient would be one of some other policy (trl#4159, trl#6789).
    """
    episodes = [Episode(task_id="", steps=(Step(turn=turn),), answer="") for turn in turns]
    batch = moved(pack([reinforce(episode, 0.0) for episode in episodes]), where(model))
    at_S = predicted_places(batch)
    logprob_S, _ = predicted_logprobs(model, batch, at_S, temperature)
    return float((logprob_S - batch.logprob_BT.flatten()[at_S]).abs().max())


class PolicyLearner:
    """Holds the actor's weights and optimisers. Implements the `Learner` seam.

    Matrices inside the blocks are stepped by Muon, everything else (embeddings, norms, biases) by AdamW.
    Parameters of fewer bits than float32 are stepped as a float32 copy and then rounded: bfloat16 has 8 bits
    for a value, and a step of a thousandth would be rounded away each time.
    With `checkpointing` activations are computed twice and not kept (`recompute.py`).
    The rows of a batch are shared out among the `crew`; with as many of them, the same batches give the same
    bits.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        *,
        lr_matrix: float,
        lr_other: float,
        clip: Clip,
        policy: float = 1.0,
        objective: Objective | None = None,
        temperature: float = 1.0,
        optimiser: str = "muon",
        checkpointing: bool = False,
        crew: Crew = ALONE,
    ) -> None:
        if optimiser not in ("muon", "adamw"):
            raise ModelError(f"optimiser = {optimiser!r} is not known", "give one of muon, adamw")
        output_head(model)  # raises where the model's logits are another function
        self.model = model
        self.device = where(model)
        self.clip = clip
        self.objective = objective or Objective()
        self.policy = policy
        self.temperature = temperature
        self.crew = crew
        self._recompute = Recompute(model) if checkpointing else None
        self.rates = {"matrix": lr_matrix, "other": lr_other}
        matrices, others = _sorted_parameters(model)
        self.learned = [m.weight for m in matrices] + others
        if not self.learned:
            raise ModelError(f"{type(model).__name__} is frozen whole", "let some of its parameters learn")
        # What is stepped: the parameter itself, or its float32 copy.
        self._master = {p: p if p.dtype.itemsize >= 4 else _float32(p) for p in self.learned}
        matrices = [replace(m, weight=self._master[m.weight]) for m in matrices]
        others = [self._master[p] for p in others]
        if optimiser == "adamw":
            others, matrices = others + [m.weight for m in matrices], []
        self.optimisers: dict[str, torch.optim.Optimizer] = {}
        if others:
            self.optimisers["other"] = torch.optim.AdamW(
                others, lr=lr_other, betas=(0.9, 0.95), weight_decay=0.0, fused=fused(self.device)
            )
        if matrices:
            self.optimisers["matrix"] = Muon(matrices, lr=lr_matrix, momentum=MOMENTUM, crew=crew)

    def step(self, batch: Batch, rate: float = 1.0) -> LearnReport:
        """One update. On NaN or infinity nothing changes and the report says `skipped`.

        Raises ModelError where memory runs out, naming the size to try; then nothing has changed either.
        """
        began = time.perf_counter()
        batch = moved(batch, self.device)
        whole = _Weights.of(batch, self.objective)
        if not whole.nll + whole.policy:
            raise ValueError("the batch has no token with a weight; give it a completion to learn from")
        self.model.train(False)
        try:
            with self._recompute.on() if self._recompute else nullcontext():
                found = self.crew.map(
                    lambda share: self._gradients(share, whole), _shares(batch, self.crew.size)
                )
        except (MemoryError, RuntimeError) as error:
            if not ran_out(error):
                raise
            raise ModelError(
                f"an update on {batch.tokens} tokens, in rows of {batch.ids_BT.shape[1]}, ran out of memory",
                f"try learn.batch_tokens = {max(64, batch.tokens // 2)}, or an adapter (model.lora_rank)"
                + advice(self.device),
            ) from error
        parts = {name: sum(part[name] for _, part in found) for name in found[0][1]}
        stepped = list(self._master.values())
        for at, p in enumerate(stepped):
            p.grad = sum((g[at].to(p.dtype) for g, _ in found[1:]), start=found[0][0][at].to(p.dtype))
        norm = float(nn.utils.clip_grad_norm_(stepped, MAX_GRAD_NORM))
        skipped = ""
        if not all(map(math.isfinite, (parts["loss"], norm, whole.nll, whole.policy))):
            skipped = f"loss {parts['loss']}, gradient norm {norm} or the batch's weights are not finite"
        else:
            for name, optimiser in self.optimisers.items():
                for group in optimiser.param_groups:
                    group["lr"] = self.rates[name] * rate
                optimiser.step()
            for p, master in self._copied():
                p.data.copy_(master.data)
        return LearnReport(
            **parts,
            grad_norm=norm,
            tokens=batch.tokens,
            seconds=time.perf_counter() - began,
            skipped=skipped,
        )

    def gradient_of(self, part: Batch, whole: Batch) -> list[Tensor]:
        """The gradient of a part's share in the loss of a whole batch, a tensor a learned parameter.

        Over parts that make up the whole they add up to what `step` steps along, before it is clipped.
        """
        self.model.train(False)
        return self._gradients(part, _Weights.of(whole, self.objective))[0]

    def gradient_of_logprob(self, batch: Batch) -> tuple[float, list[Tensor]]:
        """The sum of log-probabilities of all weighed tokens, in nats at temperature 1, and its gradient."""
        self.model.train(False)
        batch = moved(batch, self.device)
        logprob_S, _ = predicted_logprobs(self.model, batch, predicted_places(batch))
        total = logprob_S.sum()
        found = torch.autograd.grad(total, self.learned, allow_unused=True, materialize_grads=True)
        return float(total.detach()), list(found)

    def _gradients(self, share: Batch, whole: _Weights) -> tuple[list[Tensor], dict[str, float]]:
        """The gradient of a share's part in the loss of the whole batch, and its part in each figure."""
        share = moved(share, self.device)
        at_S = predicted_places(share)
        if not len(at_S):
            return [torch.zeros_like(p) for p in self.learned], dict.fromkeys(_FIGURES, 0.0)
        logprob_S, entropy_S = predicted_logprobs(self.model, share, at_S, self.temperature)
        loss, parts = self._loss(share, logprob_S, at_S, whole)
        parts |= {"loss": float(loss.detach()), "entropy": float(entropy_S.sum()) / whole.places}
        gradients = torch.autograd.grad(loss, self.learned, allow_unused=True, materialize_grads=True)
        return list(gradients), parts

    def _loss(
        self, share: Batch, logprob_S: Tensor, at_S: Tensor, whole: _Weights
    ) -> tuple[Tensor, dict[str, float]]:
        """The weighted sum of both streams, and its parts for the report; over all shares they add up."""

        def taken(tensor_BT: Tensor) -> Tensor:
            return tensor_BT.flatten()[at_S]

        nll_S, policy_S = taken(share.nll_BT), taken(share.policy_BT)
        parts = dict.fromkeys(_FIGURES, 0.0)
        # Each stream by its share of the batch: as a mean of its own, the few attempts that earned credit
        # would outweigh every imitated token beside them.
        total = whole.nll + whole.policy
        loss = logprob_S.new_zeros(())
        if whole.nll:
            nll = imitation(logprob_S, nll_S) * (nll_S.sum() / whole.nll)
            parts["nll"] = float(nll.detach())
            loss = loss + nll * (whole.nll / total)
        if whole.policy:
            sequence_S = sequences_at(share, at_S)
            weight_S = self.objective.weights(policy_S, sequence_S)
            loss_S, binding_S = self.objective.losses(
                logprob_S,
                taken(share.logprob_BT),
                taken(share.advantage_BT),
                policy_S,
                sequence_S,
                self.clip,
            )
            mine = weight_S.sum() / whole.divisor
            surrogate = weighted_mean(loss_S, weight_S)
            kl = reference_kl(logprob_S, taken(share.reference_BT), weight_S)
            parts |= {name: float((x * mine).detach()) for name, x in (("policy", surrogate), ("kl", kl))}
            parts["clipped"] = float(weighted_mean(binding_S, policy_S) * (policy_S.sum() / whole.policy))
            loss = loss + (surrogate + self.clip.kl * kl) * mine * self.policy * (whole.policy / total)
        return loss, parts

    # ── state, for checkpoints ───────────────────────────────────────────────────────────────────────────

    def state(self) -> dict[str, Tensor]:
        """Optimiser state as flat named tensors: `<optimiser>/<parameter>/<kind>`; float32 copies as
        `master`.
        """
        copies = {master for _, master in self._copied()}
        return {
            f"{prefix}/{kind}": value.detach().clone()
            for prefix, optimiser, p in self._stepped()
            for kind, value in (optimiser.state.get(p, {}) | ({"master": p} if p in copies else {})).items()
        }

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """The inverse of `state`, once the model has the weights that go with it: a float32 copy that the
        state does not have is taken from them. Raises ValueError for state of a parameter this learner does
        not step.
        """
        found: dict[str, dict[str, Tensor]] = {}
        for name, tensor in tensors.items():
            prefix, _, kind = name.rpartition("/")
            found.setdefault(prefix, {})[kind] = tensor.clone()
        for optimiser in self.optimisers.values():
            optimiser.state.clear()
        for p, master in self._copied():
            master.data.copy_(p.data)
        for prefix, optimiser, p in self._stepped():
            if prefix in found:
                state = found.pop(prefix)
                if "master" in state:
                    p.data.copy_(state.pop("master"))
                if state:
                    # AdamW counts its steps on the processor, unless one kernel does all of it.
                    optimiser.state[p] = {
                        kind: t if kind == "step" and not fused(self.device) else t.to(p.device)
                        for kind, t in state.items()
                    }
        if found:
            raise ValueError(
                f"optimiser state for {', '.join(sorted(found)[:3])} fits no parameter of this learner; restore "
                "it into the model and optimiser it was saved from"
            )

    def _stepped(self) -> Iterator[tuple[str, torch.optim.Optimizer, nn.Parameter]]:
        names = {self._master[p]: name for name, p in self.model.named_parameters() if p in self._master}
        for kind, optimiser in self.optimisers.items():
            for p in optimiser.param_groups[0]["params"]:
                yield f"{kind}/{names[p]}", optimiser, p

    def _copied(self) -> list[tuple[nn.Parameter, nn.Parameter]]:
        """Parameters that are stepped as a float32 copy, each with it."""
        return [(p, master) for p, master in self._master.items() if p is not master]


def _float32(parameter: nn.Parameter) -> nn.Parameter:
    return nn.Parameter(parameter.detach().float())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Weights:
    """What a whole batch's means divide by: the weights of both streams, and the predicted places. `divisor`
    is that of the policy gradient's mean, by its algorithm.
    """

    nll: float
    policy: float
    divisor: float
    places: int

    @classmethod
    def of(cls, batch: Batch, objective: Objective = Objective()) -> _Weights:  # noqa: B008
        return cls(
            nll=float(batch.nll_BT.sum()),
            policy=float(batch.policy_BT.sum()),
            divisor=objective.divisor(batch),
            places=int(((batch.nll_BT > 0) | (batch.policy_BT > 0)).sum()),
        )


def _shares(batch: Batch, count: int) -> list[Batch]:
    """The batch's rows in `count` even parts, or as many as there are rows."""
    count = min(count, len(batch.ids_BT))
    if count == 1:
        return [batch]
    cut = {field.name: getattr(batch, field.name).tensor_split(count) for field in fields(batch)}
    return [Batch(**{name: parts[at] for name, parts in cut.items()}) for at in range(count)]


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
