"""What can be rebuilt from the charter anywhere: domain, sandbox, tokenizer, sampler, learner, critic.

A service holds no decision of the run: what was decided is in the state, and weights pass the one door.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from autotelic.archive import archives
from autotelic.attempt.rollout import Rollout
from autotelic.charter import Charter
from autotelic.credit import credit_of
from autotelic.domains.capabilities import capabilities_of
from autotelic.domains.guard import Guarded
from autotelic.domains.math.verify import MATH_VERIFY, open_verifier
from autotelic.domains.registry import load_domain
from autotelic.engine.clock import Clock, Meter, Spent
from autotelic.engine.cluster.seams import FarLearner, FleetSampler, ScatteredDomain, Seams
from autotelic.engine.learner import learner_of
from autotelic.engine.sampler import sampler_of
from autotelic.errors import BrakedError, RunError
from autotelic.judge import Critic, Mixed
from autotelic.learn.entropy import mean_entropies
from autotelic.learn.learner import PolicyLearner, warmup_then_cooldown
from autotelic.learn.probe import OURS, SERVERS, probe
from autotelic.machine import Machine
from autotelic.messages import Dropped, Probed
from autotelic.models.adapter import add_adapter, frozen_twin
from autotelic.models.context import context_of, vocabulary_of
from autotelic.models.crew import Crew
from autotelic.models.decode import Decoder
from autotelic.models.eyes import eyes_of
from autotelic.models.placement import device_of, placed
from autotelic.models.remote import RemoteSampler
from autotelic.models.tokens import Tokens
from autotelic.oversee.guard import Guard
from autotelic.oversee.reports import Reports
from autotelic.oversee.supervision import Supervision
from autotelic.pictures import Gallery
from autotelic.protocols import Credit, Demonstrating, Domain, Proposable
from autotelic.record import RunFolder
from autotelic.sandbox import Limits, Sandbox
from autotelic.streams import seed_of
from autotelic.types import Cell, Decision, Scale
from autotelic.weights.door import Weights
from autotelic.weights.store import Store
from autotelic.weights.warrant import Role, Warrant

WARMUP = 20
"""Updates over which the learning rate rises: enough for the optimisers to have averages to go by."""
OUTPUT_KB = 64
"""KiB of a program's output that are read; the longest right answer is a hundredth of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Controls:
    """What an experiment turns that no charter can: the share of groups whose verdicts are dealt out anew, whether
    there is an archive of good answers, and what reward is compared with.

    They are dealt out just before credit, so that all else is as ever; with `early` as soon as they are given,
    so that nothing that follows from a verdict, own right answers among it, says anything of the attempt.
    """

    shuffle: float = 0.0
    early: bool = False
    archive: bool = True
    baseline: Literal["critic", "siblings"] = "critic"

    def as_json(self) -> dict[str, Any]:
        """What differs from the ordinary run; empty for an ordinary run."""
        return {key: value for key, value in asdict(self).items() if value != getattr(Controls(), key)}


@dataclass(slots=True, kw_only=True)
class World:
    """What a run needs that is no model: where programs run, and what can be learned. `verifier` is what the domain
    reads answers with besides its own reader: `math-verify` or `none`. `pictures` are those that the domain shows,
    `versions` what draws or judges them, by name.
    """

    sandbox: Sandbox
    domain: Domain
    capabilities: tuple[str, ...]
    verifier: str
    pictures: Gallery
    versions: Mapping[str, str]

    def shown_to(self, model: PreTrainedModel) -> None:
        """Let a model that sees look up pictures where the domain puts them."""
        if (eyes := eyes_of(model)) is not None:
            eyes.gallery = self.pictures


def open_world(
    charter: Charter, machine: Machine, resources: ExitStack, pictures: Gallery | None = None
) -> World:
    """The sandbox and the domain of a charter. `resources` closes them. `pictures` are those of a run's record."""
    gallery = Gallery() if pictures is None else pictures
    sandbox = Sandbox(
        Limits(
            wall_s=charter.limits.seconds,
            cpu_s=charter.limits.seconds,
            memory_mb=charter.limits.memory_mb,
            output_kb=OUTPUT_KB,
        ),
        workers=machine.workers,
        require=charter.limits.require,
    )
    resources.callback(sandbox.close)
    verifier = open_verifier(machine.verifier, machine.workers)
    if verifier is not None:
        resources.callback(verifier.close)
    domain = load_domain(
        charter.domain,
        sandbox=sandbox,
        verifier=verifier,
        exam_levels=charter.exam.levels,
        pictures=gallery,
    )
    inner = domain.domain if isinstance(domain, Guarded) else domain
    used = verifier is not None and getattr(inner, "verifier", None) is verifier
    return World(
        sandbox=sandbox,
        domain=domain,
        capabilities=capabilities_of(domain),
        verifier=MATH_VERIFY if used else "none",
        pictures=gallery,
        versions=dict(getattr(inner, "versions", {})),
    )


@dataclass(slots=True, kw_only=True)
class Services:
    """Everything a stage works with. `imitates` is whether demonstrations are learned from, `consults`
    whether anything asks the critic, so that it has to learn; `context` is the
    most tokens a sequence may have; `reference` is the champion's model, from which the policy's distance is
    priced.
    """

    charter: Charter
    machine: Machine
    controls: Controls
    world: World
    crew: Crew
    model: PreTrainedModel
    reference: PreTrainedModel
    tokens: Tokens
    sampler: Decoder | RemoteSampler | FleetSampler
    policy: Rollout
    learner: PolicyLearner | FarLearner
    critic: Critic
    feedback: Mixed
    credit: Credit
    supervision: Supervision | None = None
    reports: Reports = field(default_factory=lambda: Reports(_unheard))
    weights: Weights
    store: Store
    clock: Clock
    meter: Meter
    rate: Callable[[int, float], float]
    context: int
    imitates: bool
    consults: bool
    parameters: int
    learned: int

    @property
    def own_learner(self) -> PolicyLearner:
        """The learner of this process. Raises RunError where it is a worker of a cluster."""
        if isinstance(self.learner, FarLearner):
            raise RunError("the learner is a worker of a cluster", "open the run with the engine local")
        return self.learner

    @property
    def overseen(self) -> Supervision:
        """The run's oversight. Raises BrakedError where there is none: nothing is trained without."""
        if self.supervision is None:
            raise BrakedError("these services are under no oversight", "train with `autotelic run`")
        return self.supervision

    @property
    def guard(self) -> Guard:
        """What lets the trainer take a step, or raises BrakedError."""
        return self.overseen.guard

    @property
    def archives(self) -> bool:
        """Whether good answers are kept, shown again and learned from at other tasks of their family."""
        return self.controls.archive and archives(self.domain)

    def claim(self, candidate: str) -> Decision:
        """Ask for stored weights to be certified, and say what came of it.

        Raises BrakedError where the brake was set meanwhile, or the lease is no longer in force.
        """
        try:
            found = self.overseen.claim(candidate, self.weights.blobs[candidate], {})
        except BrakedError as error:
            self.guard.beat()  # a no is one answer; a brake that is set is another, and ends the trainer
            return Decision(verdict="train on", reasons=(error.cause,))
        reasons = tuple(f"{review.name}: {why}" for review in found.reviews for why in review.body["reasons"])
        return Decision(
            verdict="promote", reasons=reasons, certificate=found.countersigned.body["generation"]
        )

    @property
    def domain(self) -> Domain:
        return self.world.domain

    def dropped(self) -> list[Dropped]:
        """What the domain did wrong since the last time: named and counted."""
        domain = self.domain
        found = domain.take_dropped() if isinstance(domain, Guarded | ScatteredDomain) else []
        found += self.sampler.take_notes() if isinstance(self.sampler, RemoteSampler) else []
        return [Dropped(what=what, n=n, why=why) for what, n, why in found]

    def take(self, ref: str, role: Role) -> None:
        """Put stored weights into the model, and see that the sampler has them."""
        self.weights.activate(ref, Warrant(role=role, ref=ref))
        self.sync()

    def sync(self) -> None:
        """Let the sampler take up the learner's weights. Raises RunError where something else arrives."""
        digest = self.weights.digest()
        if (arrived := self.sampler.sync()) != digest:
            raise RunError(
                f"the sampler has the weights {arrived}, the learner {digest}",
                "the two must be equal: resume from the last checkpoint",
            )

    def optimiser_of(self, ref: str) -> Mapping[str, Tensor]:
        """The optimiser's state that was stored under a reference; empty for that of the start."""
        return self.store.get(ref) if ref else {}

    def flops(self, spent: Spent) -> float:
        """Floating-point operations of a generation.

        Per token 2 a parameter forward, 2 backward through it, and 2 for its own gradient where it learns
        (Kaplan et al. 2020, arXiv:2001.08361).
        """
        forward = 2.0 * (spent.decoded + spent.prefilled)
        return self.parameters * (4.0 * spent.trained + forward) + self.learned * 2.0 * spent.trained

    def probe(self) -> Probed:
        """See that sampler and learner compute the same, or raise RunError."""
        charter, away = self.charter, self.machine.server
        found = probe(
            self.sampler,
            self.model,
            self.tokens.prompts(self._asked()),
            allowed=(SERVERS if away else OURS)[charter.model.dtype],
            temperature=charter.roles.temperature,
            max_tokens=charter.roles.max_tokens,
            seed=seed_of(charter.seed, "probe"),
        )
        if found.passed:
            return Probed(gap=found.gap, allowed=found.allowed, tokens=found.tokens, weights=found.weights)
        raise RunError(
            f"log-probabilities of {away or 'the decode loop'} are up to {found.gap:.2g} from the learner's, and "
            f"{found.allowed:g} is allowed in {charter.model.dtype}",
            "serve the model that the run began from, in the same type, with raw log-probabilities and adapters "
            "that may be loaded"
            if away
            else "the decode loop does not fit this model: report it, and sample from a server (--server) meanwhile",
        )

    def _asked(self) -> Sequence[Any]:
        """Prompts of the kind that the run will see."""
        domain, low = self.domain, self.charter.domain.levels[0]
        cells = [Cell(mode=mode, level=low) for mode in self.charter.domain.modes or domain.spec.modes]
        if isinstance(domain, Proposable):
            return [domain.ask(cell, ()) for cell in cells]
        import numpy as np

        return [task.prompt for task in domain.tasks(np.random.default_rng(0), cells)]


def _unheard(leaves: object, level: int, reason: str) -> None:
    """Where a run is under no oversight yet, nothing is owed to it."""


def equip(
    charter: Charter,
    machine: Machine,
    controls: Controls,
    world: World,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    folder: RunFolder,
    crew: Crew,
    clock: Clock,
    away: Callable[[PreTrainedModel], Seams] | None = None,
) -> Services:
    """Everything that depends on the model. `away` gives what is done by workers of a cluster."""
    torch.set_num_threads(1)  # the rows of a batch are shared out among the crew instead
    world.shown_to(model)
    if charter.model.lora_rank:
        add_adapter(model, charter.model.lora_rank, seed_of(charter.seed, "adapter"))
    if away is None:
        placed(model, device_of(machine.device))
    tokens = Tokens(tokenizer, chat=charter.domain.style == "natural", eyes=eyes_of(model))
    context = context_of(model)
    store = Store(folder.weights)
    weights = Weights(model, store, folder.start)
    weights.check_exportable()
    seams = None if away is None else away(model)
    world = world if seams is None else replace(world, domain=seams.domain)
    far = None if seams is None else seams.sampler
    sampler = far or sampler_of(charter, machine, model, tokens, crew, folder)
    learner = learner_of(charter, machine, model, crew) if seams is None else seams.learner
    critic = _critic(charter, model, world.domain.spec.scale)
    reference = frozen_twin(model)
    policy = Rollout(
        sampler,
        tokens,
        world.domain,
        max_tokens=charter.roles.max_tokens,
        context=context,
        champion=Decoder(reference, end_id=tokens.end_id, crew=crew),
    )
    return Services(
        charter=charter,
        machine=machine,
        controls=controls,
        world=world,
        crew=crew,
        model=model,
        reference=reference,
        tokens=tokens,
        sampler=sampler,
        policy=policy,
        learner=learner,
        critic=critic,
        feedback=_feedback(charter, controls, world.domain, critic, model),
        credit=_credit(charter, controls, critic),
        weights=weights,
        store=store,
        clock=clock,
        meter=Meter(clock, sampler),
        rate=warmup_then_cooldown(WARMUP, charter.learn.cooldown),
        context=context,
        imitates=bool(charter.learn.imitation) and isinstance(world.domain, Demonstrating),
        consults=_prior(charter, controls) or bool(charter.feedback.critic or charter.feedback.withhold),
        parameters=sum(p.numel() for p in model.parameters()),
        learned=sum(p.numel() for p in model.parameters() if p.requires_grad),
    )


def _critic(charter: Charter, model: PreTrainedModel, scale: Scale) -> Critic:
    return Critic(
        vocabulary=vocabulary_of(model),
        context=context_of(model),
        seed=seed_of(charter.seed, "critic"),
        scale=scale,
        trust=charter.feedback.trust,
    )


def _prior(charter: Charter, controls: Controls) -> bool:
    """Whether the critic's guess is part of the baseline. PPO has no other: its advantages are made of values."""
    asked = charter.learn.baseline == "critic" or charter.learn.parts.values
    return asked and controls.baseline == "critic"


def _credit(charter: Charter, controls: Controls, critic: Critic) -> Credit:
    """The charter's algorithm; the siblings alone are its baseline where nothing asks the critic."""
    known = _prior(charter, controls)
    return credit_of(
        charter.learn.algorithm,
        prior=critic.baseline if known else None,
        values=critic.values if known else None,
        scale=critic.scale,
    )


def _feedback(
    charter: Charter, controls: Controls, domain: Domain, critic: Critic, model: PreTrainedModel
) -> Mixed:
    feedback = charter.feedback
    return Mixed(
        domain,
        critic,
        verifier=feedback.verifier,
        critic_weight=feedback.critic,
        consensus=feedback.consensus,
        certainty=feedback.certainty,
        entropy=feedback.entropy,
        measure=partial(mean_entropies, model, temperature=charter.roles.temperature),
        withhold=feedback.withhold,
        shuffle=controls.shuffle,
        early=controls.early,
        seed=charter.seed,
    )
