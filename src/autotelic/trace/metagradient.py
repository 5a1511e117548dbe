"""How an answer's log-probability changes with the weight of each sequence, through every update in between.

    state ──► update(weights of sequences) ──► state ──► update ──► ... ──► log-probability of the answer
      ◄── adjoint ◄── adjoint ◄───────────────────────────────────────────── its gradient

The updates are computed once, and their states kept. Then each is differentiated, the last one first, with respect to
the state before it and to a weight of 1 on each of its sequences (metagradients: Engstrom et al. 2025,
arXiv:2503.13751; MAGIC: Ilyas and Engstrom 2025, arXiv:2504.16430). What TracIn leaves out is in it: clipping, the
means that a batch divides by, momentum, orthogonal steps, Adam's scale, and how an early update changes a later one.
What stays is first order: half of the sequences are a large change, and one of them is a small one.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from autotelic.errors import ModelError
from autotelic.learn.learner import MAX_GRAD_NORM, PolicyLearner, predicted_logprobs, predicted_places
from autotelic.learn.losses import reference_kl, weighted_mean
from autotelic.learn.muon import Muon, orthogonalise
from autotelic.learn.objective import sequences_at
from autotelic.learn.pack import Trace, arrange
from autotelic.types import Batch

State = dict[str, Tensor]
"""What an update begins from: `weight/NAME`, and the optimisers' tensors as `PolicyLearner.state` names them."""
_LEAST = 1e-30
"""Below it Adam's second moment counts as none: its root has no derivative at 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One update of a tape: the state before it, its batch, the sequence of each token, [B, T], -1 for none."""

    before: State
    batch: Batch
    owner_BT: Tensor
    sequences: int
    rate: float


class Tape:
    """Updates as they are made, so that they can be differentiated afterwards.

    Raises ModelError for weights of fewer bits than float32, which are stepped as a copy.
    """

    def __init__(self, learner: PolicyLearner) -> None:
        if any(p.dtype.itemsize < 4 for p in learner.model.parameters() if p.requires_grad):
            raise ModelError(
                f"weights in {learner.model.dtype} are stepped as a copy, which is not differentiated",
                "attribute a run whose model.dtype is float32, or leave --method out",
            )
        self.learner = learner
        self.taken: list[Taken] = []

    def step(self, batch: Batch, traces: Sequence[Trace], threads: int, rate: float) -> None:
        """Make an update, and keep what it began from. `batch` is of these traces, packed for so many threads."""
        before = {f"weight/{n}": p.detach().clone() for n, p in _learned(self.learner)} | self.learner.state()
        taken = Taken(
            before=before,
            batch=batch,
            owner_BT=owners(traces, threads),
            sequences=len(traces),
            rate=rate,
        )
        self.taken.append(taken)
        self.learner.step(batch, rate)

    def scores(
        self, answers: Sequence[Batch], watch: Callable[[int, int], None] = lambda done, of: None
    ) -> list[list[Tensor]]:
        """For each answer and update the derivative of its log-probability by the weight of each sequence, in nats.

        Leaves the learner's weights as they were before the first update.
        """
        learner, done, of = self.learner, 0, len(answers) * len(self.taken)
        adjoints: list[State] = []
        for answer in answers:
            _, slopes = learner.gradient_of_logprob(answer)
            adjoints.append({f"weight/{n}": g for (n, _), g in zip(_learned(learner), slopes, strict=True)})
        found: list[list[Tensor]] = [[] for _ in answers]
        for taken in reversed(self.taken):
            with sdpa_kernel(SDPBackend.MATH):  # the fused kernels have no second derivative
                inputs, weight_N, outputs = _graph(learner, taken)
                for at, adjoint in enumerate(adjoints):
                    keys = [key for key in outputs if key in adjoint]
                    gradients = torch.autograd.grad(
                        [outputs[key] for key in keys],
                        [*inputs.values(), weight_N],
                        [adjoint[key] for key in keys],
                        retain_graph=at + 1 < len(adjoints),
                        allow_unused=True,
                        materialize_grads=True,
                    )
                    adjoints[at] = dict(zip(inputs, gradients[:-1], strict=True))
                    found[at].insert(0, gradients[-1])
                    done += 1
                    watch(done, of)
        return found


def owners(traces: Sequence[Trace], threads: int) -> Tensor:
    """The sequence that each token of their batch belongs to; -1 where several share it, and on padding. [B, T]"""
    places, shape = arrange(traces, threads)
    owner_BT = torch.full(shape, -1, dtype=torch.long)
    for i, (trace, place) in enumerate(zip(traces, places, strict=True)):
        owner_BT[place.row, place.start : place.start + len(trace) - place.shared] = i
    return owner_BT


def _learned(learner: PolicyLearner) -> list[tuple[str, nn.Parameter]]:
    """What the learner steps, by name, in the order of its gradients."""
    names = {p: name for name, p in learner.model.named_parameters()}
    return [(names[p], p) for p in learner.learned]


def _graph(learner: PolicyLearner, taken: Taken) -> tuple[State, Tensor, State]:
    """An update as a graph: what it began from, the sequences' weights [N], and what came out."""
    parameters = dict(_learned(learner))
    inputs: State = {}
    for key, value in taken.before.items():
        if key.startswith("weight/"):
            parameter = parameters[key.removeprefix("weight/")]
            parameter.data.copy_(value)
            inputs[key] = parameter
        elif not key.endswith("/step"):
            inputs[key] = value.clone().requires_grad_()
    weight_N = torch.ones(taken.sequences, requires_grad=True)
    loss = weighted_loss(learner, taken.batch, taken.owner_BT, weight_N)
    gradients = torch.autograd.grad(
        loss, list(parameters.values()), create_graph=True, allow_unused=True, materialize_grads=True
    )
    norm = torch.sqrt(sum((g.square().sum() for g in gradients), start=torch.zeros(())))
    shrink = (MAX_GRAD_NORM / (norm + 1e-6)).clamp(max=1.0)
    named = {name: g * shrink for name, g in zip(parameters, gradients, strict=True)}
    outputs: State = {}
    for kind, optimiser in learner.optimisers.items():
        own = {id(p) for p in optimiser.param_groups[0]["params"]}
        mine = {name: g for name, g in named.items() if id(parameters[name]) in own}
        rate = learner.rates[kind] * taken.rate
        stepped = _muon if isinstance(optimiser, Muon) else _adam
        outputs |= stepped(kind, optimiser, parameters, mine, inputs, taken.before, rate)
    return inputs, weight_N, outputs


def weighted_loss(learner: PolicyLearner, batch: Batch, owner_BT: Tensor, weight_N: Tensor) -> Tensor:
    """The learner's loss with a weight on each sequence. With weights of 0 and 1 it is that of those with a 1."""
    at_S = predicted_places(batch)
    owner_S = owner_BT.flatten()[at_S]
    weight_S = weight_N[owner_S]
    logprob_S, _ = predicted_logprobs(learner.model, batch, at_S, learner.temperature)

    def taken(tensor_BT: Tensor) -> Tensor:
        return tensor_BT.flatten()[at_S]

    nll_S, policy_S = taken(batch.nll_BT) * weight_S, taken(batch.policy_BT) * weight_S
    total = nll_S.sum() + policy_S.sum()
    loss = -(logprob_S * nll_S).sum() / total
    mask_S = taken(batch.policy_BT)
    if not bool((mask_S > 0).any()):
        return loss
    objective, sequence_S = learner.objective, sequences_at(batch, at_S)
    each_S = objective.weights(mask_S, sequence_S) * weight_S
    loss_S, _ = objective.losses(
        logprob_S, taken(batch.logprob_BT), taken(batch.advantage_BT), mask_S, sequence_S, learner.clip
    )
    learning_N = torch.zeros_like(weight_N).index_fill(0, owner_S[mask_S > 0].unique(), 1.0)
    by_token = objective.algorithm.mean == "token"
    divisor = policy_S.sum() if by_token else (weight_N * learning_N).sum()
    surrogate = weighted_mean(loss_S, each_S)
    kl = reference_kl(logprob_S, taken(batch.reference_BT), each_S)
    policy = (surrogate + learner.clip.kl * kl) * each_S.sum() / divisor
    return loss + policy * learner.policy * policy_S.sum() / total


def _adam(
    kind: str,
    optimiser: torch.optim.Optimizer,
    parameters: Mapping[str, nn.Parameter],
    gradients: Mapping[str, Tensor],
    inputs: State,
    before: State,
    rate: float,
) -> State:
    """AdamW without decay (Loshchilov and Hutter 2019, arXiv:1711.05101, algorithm 2)."""
    group, outputs = optimiser.param_groups[0], State()
    first, second = group["betas"]
    for name, gradient in gradients.items():
        prefix = f"{kind}/{name}"
        none = torch.zeros_like(gradient)
        count = float(before.get(f"{prefix}/step", torch.zeros(()))) + 1
        mean = torch.lerp(inputs.get(f"{prefix}/exp_avg", none), gradient, 1 - first)
        square = inputs.get(f"{prefix}/exp_avg_sq", none) * second + (1 - second) * gradient.square()
        root = square.clamp(min=_LEAST).sqrt() / math.sqrt(1 - second**count)
        outputs[f"{prefix}/exp_avg"], outputs[f"{prefix}/exp_avg_sq"] = mean, square
        size = rate / (1 - first**count)
        outputs[f"weight/{name}"] = parameters[name] - size * mean / (root + group["eps"])
    return outputs


def _muon(
    kind: str,
    optimiser: torch.optim.Optimizer,
    parameters: Mapping[str, nn.Parameter],
    gradients: Mapping[str, Tensor],
    inputs: State,
    before: State,
    rate: float,
) -> State:
    """As `Muon.step`, out of place."""
    assert isinstance(optimiser, Muon)
    momentum, outputs = optimiser.param_groups[0]["momentum"], State()
    stacks: dict[tuple[int, ...], list[tuple[str, int, bool, Tensor]]] = defaultdict(list)
    blocks: dict[str, list[Tensor]] = {}
    for name, gradient in gradients.items():
        key = f"{kind}/{name}/momentum"
        past = inputs.get(key, torch.zeros_like(gradient))
        outputs[key] = torch.lerp(past, gradient, 1 - momentum)
        ahead = torch.lerp(gradient, outputs[key], momentum)
        cut = optimiser.matrices[parameters[name]].cut(ahead)
        blocks[name] = list(cut)
        for at, update in enumerate(cut):
            tall = update.shape[0] > update.shape[1]
            flat = update.mT if tall else update
            stacks[tuple(flat.shape)].append((name, at, tall, flat))
    for members in stacks.values():
        turned = orthogonalise(torch.stack([flat for *_, flat in members]))
        for (name, at, tall, _), update in zip(members, turned, strict=True):
            blocks[name][at] = update.mT if tall else update
    for name, updates in blocks.items():
        matrix = optimiser.matrices[parameters[name]]
        scaled = [update * max(1.0, update.shape[0] / update.shape[1]) ** 0.5 for update in updates]
        whole = torch.cat(scaled)
        outputs[f"weight/{name}"] = parameters[name] - rate * (whole.mT if matrix.transposed else whole)
    return outputs
