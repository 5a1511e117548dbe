"""A run: its parts put together from a charter, what it knows, and how that is saved and taken up again.

`loop.py` says what happens; this file says what it happens to.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor

from autotelic.attempt.tokens import Tokens
from autotelic.charter import Charter
from autotelic.credit.advantage import GroupAdvantage
from autotelic.domains import load_domain
from autotelic.engine import sampling
from autotelic.errors import RunError
from autotelic.exam.sealed import Exam
from autotelic.judge.critic import Critic
from autotelic.judge.sources import Mixed
from autotelic.learn.learner import PolicyLearner, warmup_then_cooldown
from autotelic.learn.losses import Clip
from autotelic.models.adapter import add_adapter, frozen_twin
from autotelic.models.crew import Crew
from autotelic.models.weights import copy_of, digest_of, put_back
from autotelic.oversee.gate import PairedGate
from autotelic.propose.curriculum import Curriculum
from autotelic.propose.novelty import Novelty
from autotelic.record import Record, RunFolder
from autotelic.record import checkpoint as checkpoints
from autotelic.record.rows import Event
from autotelic.sandbox import Limits, Sandbox
from autotelic.streams import seed_of
from autotelic.types import Task

REMEMBERED = 16_000
"""Tasks kept at hand, to replay and to show to the proposer."""

Watch = Callable[[Event], None]


@dataclass(slots=True)
class Champion:
    """The best weights so far, with the optimisers' state to go on from them."""

    weights: dict[str, Tensor]
    optimiser: dict[str, Tensor]
    digest: str
    generation: int = 0


@dataclass(slots=True)
class Counters:
    """What has been spent and done so far; plain numbers, saved with every checkpoint."""

    generation: int = 0
    step: int = 0
    trained: int = 0
    decoded: int = 0
    flops: float = 0.0
    seconds: float = 0.0
    admitted: float = 1.0  # share of proposals that became tasks, smoothed
    empty: int = 0  # generations in a row that gave nothing to learn from


@dataclass(frozen=True, slots=True)
class Spent:
    """What one generation used."""

    seconds: float
    trained: int
    decoded: int
    decode_seconds: float


@dataclass(slots=True)
class OwnExam:
    """The model's own exam in the making: tasks set aside, and how each set of weights fared on them."""

    pool: list[Task] = field(default_factory=list)
    rates: dict[str, list[float]] = field(default_factory=dict)
    frozen: Exam | None = None


class Run:
    """Everything one run holds. Made by `begin` or `take_up`; use as a context manager."""

    def __init__(self, folder: RunFolder, charter: Charter, watch: Watch | None, threads: int) -> None:
        self.folder = folder
        self.charter = charter
        self.watch = watch or (lambda event: None)
        self.began = time.monotonic()
        self.counters = Counters()
        self.stage_seconds: dict[str, float] = {}
        self.recent: deque[Task] = deque(maxlen=REMEMBERED)
        self.own = OwnExam()
        self._spent: tuple[float, int, int, float] = (0.0, 0, 0, 0.0)
        self._prefilled = 0
        torch.set_num_threads(1)  # what is heavy is shared out among the crew
        self.crew = Crew(threads)
        limits = charter.limits
        self.box = Sandbox(
            Limits(
                wall_s=limits.wall_s,
                cpu_s=limits.cpu_s,
                memory_mb=limits.memory_mb,
                output_kb=limits.output_kb,
            ),
            workers=limits.workers,
            require=limits.require,
        )
        spans = (charter.domain.levels, charter.exam.levels)
        levels = range(min(s[0] for s in spans), max(s[1] for s in spans) + 1)
        self.domain = load_domain(
            charter.domain.name, self.box, levels=tuple(levels), style=charter.domain.style
        )
        self.curriculum = Curriculum(
            modes=charter.domain.modes,
            levels=charter.domain.levels,
            unlock=charter.curriculum.unlock,
            retention=charter.curriculum.retention,
            explore=charter.curriculum.explore,
            lead=charter.curriculum.lead,
        )
        self.novelty = Novelty()
        self.gate = PairedGate(charter.gate.level)
        self.rate = warmup_then_cooldown(charter.learn.warmup_steps, charter.learn.cooldown)
        self.record: Record
        self.tokens: Tokens
        self.sealed: Exam

    # ── putting together ─────────────────────────────────────────────────────────────────────────────────

    def equip(self, model: Any, tokenizer: Any) -> None:
        """Everything that depends on the model."""
        charter = self.charter
        if charter.model.lora_rank:
            add_adapter(model, charter.model.lora_rank, seed_of(charter.seed, "adapter"))
        self.model = model
        self.tokens = Tokens(tokenizer, chat=charter.domain.style == "natural")
        self.anchor = frozen_twin(model)
        self.sampler = sampling.sampler_of(charter, model, self.tokens, self.crew, self.folder)
        learn = charter.learn
        self.learner = PolicyLearner(
            model,
            lr_matrix=learn.lr_matrix,
            lr_other=learn.lr_other,
            clip=Clip(low=learn.clip_low, high=learn.clip_high, kl=learn.kl),
            policy=learn.policy,
            max_grad_norm=learn.max_grad_norm,
            checkpointing=charter.model.checkpointing,
            momentum=learn.momentum,
            optimiser=learn.optimiser,
            crew=self.crew,
        )
        feedback = charter.feedback
        self.critic = Critic(
            vocabulary=len(tokenizer),
            context=charter.model.context,
            width=feedback.critic_width,
            lr=feedback.critic_lr,
            seed=seed_of(charter.seed, "critic"),
            max_ece=feedback.max_ece,
            min_auroc=feedback.min_auroc,
        )
        self.feedback = Mixed(
            self.domain,
            self.critic,
            verifier=feedback.verifier,
            critic_weight=feedback.critic,
            consensus=feedback.consensus,
            certainty=feedback.certainty,
            withhold=feedback.withhold,
            shuffle=feedback.shuffle,
            seed=charter.seed,
        )
        self.credit = GroupAdvantage(prior=self.critic.baseline if feedback.baseline == "critic" else None)
        self.parameters = sum(p.numel() for p in model.parameters())
        self.learned = sum(p.numel() for p in model.parameters() if p.requires_grad)
        self.champion = Champion(weights=copy_of(model), optimiser={}, digest=digest_of(model))

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *error: object) -> None:
        self.box.close()
        self.crew.close()
        if hasattr(self, "record"):
            self.record.close()

    # ── telling ──────────────────────────────────────────────────────────────────────────────────────────

    @property
    def generation(self) -> int:
        return self.counters.generation

    @property
    def seconds(self) -> float:
        """Wall time the run has used, over all its processes."""
        return self.counters.seconds + time.monotonic() - self.began

    def tell(self, kind: str, **data: Any) -> None:
        """One event: into the record, and to whoever watches."""
        self.record.emit(kind, generation=self.generation, **data)
        self.show(kind, **data)

    def show(self, kind: str, **data: Any) -> None:
        """To whoever watches only."""
        self.watch(Event(id=0, time=time.time(), generation=self.generation, kind=kind, data=data))

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time one stage of a generation, and say that it began."""
        self.show("stage", name=name)
        began = time.perf_counter()
        yield
        spent = time.perf_counter() - began
        self.stage_seconds[name] = self.stage_seconds.get(name, 0.0) + spent

    def spend(self) -> Spent:
        """What was used since the last call; adds it to the totals."""
        now = (self.seconds, self.counters.trained, self.sampler.tokens, self.sampler.seconds)
        spent = Spent(*(a - b for a, b in zip(now, self._spent, strict=True)))  # type: ignore[arg-type]
        prefilled = self.sampler.prefilled - self._prefilled
        self._spent, self._prefilled = now, self.sampler.prefilled
        self.counters.decoded += spent.decoded
        # Per token 2 a parameter forward, 2 backward through it, and 2 for its own gradient where it learns
        # (Kaplan et al. 2020, arXiv:2001.08361).
        self.counters.flops += self.parameters * (4.0 * spent.trained + 2.0 * (spent.decoded + prefilled))
        self.counters.flops += self.learned * 2.0 * spent.trained
        return spent

    def deploy(self) -> None:
        """Give the learner's weights to the sampler, and see that they arrived."""
        digest = digest_of(self.model)
        if (arrived := self.sampler.load(self.model.state_dict())) != digest:
            raise RunError(
                f"the sampler has the weights {arrived}, the learner {digest}",
                "the two must be equal: resume from the last checkpoint",
            )
        if self.charter.model.server:  # whose digest is what it was sent, which is not what it computes with
            self.tell("probe", **self.probe())

    def probe(self) -> dict[str, Any]:
        """See that sampler and learner compute the same (`learn/probe.py`), or raise RunError. No work is counted."""
        sampler = self.sampler
        tokens, seconds, prefilled = sampler.tokens, sampler.seconds, sampler.prefilled
        found = sampling.probed(self.charter, sampler, self.model, self.tokens, self.domain, self.folder)
        at, trained, decoded, decoding = self._spent
        self._spent = (at, trained, decoded + sampler.tokens - tokens, decoding + sampler.seconds - seconds)
        self._prefilled += sampler.prefilled - prefilled
        return asdict(found)

    @property
    def progress(self) -> float:
        """How much of the budget is spent, in [0, 1]: of whichever limit is nearest."""
        budget, spent = self.charter.budget, self.counters
        limits = (
            (self.seconds, budget.seconds),
            (spent.trained, budget.tokens),
            (spent.generation, budget.generations),
        )
        return min(1.0, max((used / limit for used, limit in limits if limit), default=0.0))

    # ── saving and taking up ─────────────────────────────────────────────────────────────────────────────

    def save(self) -> None:
        """A checkpoint of this generation: everything a resume needs, after the record has been marked."""
        self.counters.seconds, self.began = self.seconds, time.monotonic()
        tensors, critic_state = self.critic.state()
        state = {
            "counters": asdict(self.counters),
            "curriculum": self.curriculum.state(),
            "critic": critic_state,
            "champion": {"digest": self.champion.digest, "generation": self.champion.generation},
            "sealed": self.sealed.to_json(),
            "own": {
                "pool": [task.id for task in self.own.pool],
                "rates": self.own.rates,
                "frozen": self.own.frozen.to_json() if self.own.frozen else None,
            },
            "recent": [task.id for task in self.recent],
            "clusters": list(self.novelty.recent),
        }
        self.record.mark(self.generation)
        checkpoints.save(
            self.folder.checkpoints,
            self.generation,
            {
                "actor": copy_of(self.model),
                "optimiser": self.learner.state(),
                "anchor": copy_of(self.anchor),
                "critic": tensors,
                "champion": self.champion.weights,
                "champion_optimiser": self.champion.optimiser,
            },
            state,
        )

    def restore(self, found: checkpoints.Checkpoint) -> None:
        """Take up everything `save` put down. The record has been rewound to the same place."""
        tensors, state = found.tensors, found.state
        put_back(self.model, tensors["actor"])
        self.model.tie_weights()
        self.sampler.load(tensors["actor"])
        self.learner.restore(tensors["optimiser"])
        put_back(self.anchor, tensors["anchor"])
        self.critic.restore(tensors["critic"], state["critic"])
        self.champion = Champion(
            weights=dict(tensors["champion"]),
            optimiser=dict(tensors.get("champion_optimiser", {})),
            digest=state["champion"]["digest"],
            generation=state["champion"]["generation"],
        )
        self.counters = Counters(**state["counters"])
        self.curriculum.restore(state["curriculum"])
        self.sealed = Exam.from_json(state["sealed"])
        tasks = self._recall()
        self.recent.extend(tasks[id] for id in state["recent"])
        self.novelty.recall((task.signature for task in tasks.values()), state["clusters"])
        self.own.pool = [tasks[id] for id in state["own"]["pool"]]
        self.own.rates = dict(state["own"]["rates"])
        if state["own"]["frozen"]:
            self.own.frozen = Exam.from_json(state["own"]["frozen"])
            self.novelty.seal(self.own.frozen.signatures)
        self.novelty.seal(self.sealed.signatures)
        self.novelty.seal(task.signature for task in self.own.pool)
        self._spent = (self.seconds, self.counters.trained, 0, 0.0)

    def _recall(self) -> dict[str, Task]:
        """Every task of the record by id. Repairs are left out: they ask nothing new."""
        return {
            task.id: task
            for generation in range(self.generation + 1)
            for task in self.record.tasks_of(generation)
            if task.mode != "repair"
        }
