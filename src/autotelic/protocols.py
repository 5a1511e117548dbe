"""Every seam, and nothing else.

Work crosses a seam in batches: one program or one prompt at a time would cost more than the learning
(docs/adr/0002). A domain is `spec`, `tasks` and `judge`; what else it can do is a capability, found once when
a run starts (`domains.capabilities_of`) and recorded.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from autotelic.types import (
    Batch,
    Cell,
    Demonstration,
    Episode,
    Group,
    LearnReport,
    Lineage,
    Observation,
    Proposal,
    Rejection,
    Request,
    Spec,
    Task,
    Turn,
    Verdict,
)


@runtime_checkable
class Domain(Protocol):
    """What can be learned. A domain of one's own is these three; nothing else changes."""

    @property
    def spec(self) -> Spec:
        """Its name, its kinds of task, and the scale of its rewards."""

    def tasks(self, rng: np.random.Generator, cells: Sequence[Cell]) -> list[Task]:
        """One task a cell, from what a human wrote. May return fewer where the rules gave none."""

    def judge(self, episodes: Sequence[tuple[Task, Episode]]) -> list[Verdict]:
        """How good is each try? Same length and order; rewards on the scale of `spec`."""


class Sessions(Protocol):
    """Episodes in progress, one environment each, side by side."""

    def step(self, replies: Sequence[str | None]) -> list[tuple[Observation, float] | None]:
        """What each environment shows after a reply, and the reward of that turn; None where the episode is
        over.

        A reply of None is to an environment that is over already, and its answer is None.
        """


@runtime_checkable
class Interactive(Protocol):
    """A domain whose episodes have several turns. The task's prompt is the first thing shown."""

    def open(self, tasks: Sequence[Task], seeds: Sequence[int]) -> Sessions:
        """An environment for each task; the same seed gives the same environment."""


class Actor(Protocol):
    """The weights that play, asked for a seat that no episode is about."""

    def reply(
        self, modes: Sequence[str], shown: Sequence[Observation], seeds: Sequence[int], *, champion: bool
    ) -> list[str]:
        """What is answered to each observation alone, by the weights of now or by the champion's; an empty text
        to one that leaves no room for an answer.
        """


@runtime_checkable
class Seated(Protocol):
    """Sessions with further seats, which the actor may play (docs/adr/0013)."""

    def seat(self, actor: Actor) -> None:
        """Who plays them. Called once, before the first step."""


@runtime_checkable
class Proposable(Protocol):
    """A domain whose tasks the model may write."""

    def ask(self, cell: Cell, references: Sequence[Task]) -> str:
        """The text that asks for a task of this cell, showing the references to depart from."""

    def proposal(self, task: Task) -> str:
        """The text with which this task would have been proposed: `admit` accepts it."""

    def admit(self, proposals: Sequence[Proposal]) -> list[Task | Rejection]:
        """Is each a task at all? Same length and order."""


@runtime_checkable
class Demonstrating(Protocol):
    """A domain whose rules hold solutions."""

    def demonstrate(self, tasks: Sequence[Task]) -> list[Demonstration | None]:
        """A right completion for each task, working included; None where nobody knows one."""


@runtime_checkable
class Shaped(Protocol):
    """A domain that can draw an answer of the right form without knowing a right one."""

    def answers(self, tasks: Sequence[Task], rng: np.random.Generator) -> list[str | None]:
        """A valid completion for each task, drawn at random whatever would solve it; None where there is none."""


@runtime_checkable
class Repairable(Protocol):
    """A domain in which a failed answer becomes a task of its own."""

    def repair(self, task: Task, answer: str, verdict: Verdict, lineage: Lineage) -> Task | None:
        """The task (`is_repair`) of writing a failed answer better, shown what its tests printed; None where
        there is none."""


@runtime_checkable
class Posable(Protocol):
    """A domain that can read a task that a person wrote."""

    def pose(self, text: str) -> Task:
        """The task that a text puts. Raises DomainError for a text that puts none."""


@runtime_checkable
class Checkable(Protocol):
    """A domain whose tasks show something that an answer can be tried on."""

    def check(self, episodes: Sequence[tuple[Task, Episode]]) -> list[Verdict | None]:
        """How each answer fares on what its task shows; None where it shows nothing. What a judge holds back is not
        looked at."""


@runtime_checkable
class Answering(Protocol):
    """A domain that judges a part of a completion; without it, all of its text is the answer."""

    def answer(self, mode: str, completion: str) -> str:
        """The part that is judged."""


@runtime_checkable
class Textual(Protocol):
    """A domain with texts of its own: what a tokenizer is trained on."""

    @property
    def special(self) -> tuple[str, ...]:
        """Markers that are one token each in a tokenizer trained for it."""

    def corpus(self, rng: np.random.Generator, count: int) -> list[str]:
        """So many texts of the rules alone."""


@runtime_checkable
class Formal(Protocol):
    """A domain whose answers have a form to which decoding can be held."""

    def form(self, mode: str) -> str:
        """The pattern (a regular expression) that right completions of a mode match as a whole."""


@runtime_checkable
class Comparable(Protocol):
    """A domain that can say whether two answers are the same, which consensus needs."""

    def same(self, mode: str, answer: str) -> str:
        """One spelling for all answers that are the same; empty for an answer that has no vote."""


class Sampler(Protocol):
    """Where completions come from: our decode loop, or a server."""

    @property
    def tokens(self) -> int:
        """Completion tokens sampled so far."""

    @property
    def prefilled(self) -> int:
        """Prompt tokens read so far."""

    @property
    def seconds(self) -> float:
        """Seconds spent sampling so far."""

    def sample(self, requests: Sequence[Request]) -> list[list[Turn]]:
        """`requests[i].n` turns for each request, in order."""

    def sync(self) -> str:
        """Take up the learner's weights as they are now; the digest of what this sampler samples with from
        here on.
        """


class Policy(Protocol):
    """Who attempts tasks: weights in a sampler, in a domain whose texts they read."""

    def attempt(self, tasks: Sequence[Task], *, siblings: int, temperature: float, seed: int) -> list[Group]:
        """`siblings` attempts at each task, in order, not yet judged."""


class Ranker(Protocol):
    """Who says which of several attempts is best without having seen a verdict."""

    def predict(self, groups: Sequence[Group]) -> Sequence[Sequence[float]]:
        """One number an attempt, for each group: the higher the better."""


class Feedback(Protocol):
    """Who says how good an attempt was: verifier, critic, consensus or certainty."""

    def judge(self, groups: Sequence[Group]) -> list[list[Verdict]]:
        """One verdict an attempt, for each group. A group's own verdicts, if any, are not read."""


class Credit(Protocol):
    """Verdicts to advantages."""

    def assign(self, groups: Sequence[Group]) -> Sequence[tuple[float | tuple[float, ...], ...] | None]:
        """For each attempt one advantage, or one for each token that it sampled; None for a group that has
        nothing to teach.
        """


class Learner(Protocol):
    """A batch to new weights."""

    def step(self, batch: Batch, rate: float = 1.0) -> LearnReport:
        """One update. Raises nothing on NaN: the report says `skipped` and the weights are untouched."""
