"""A few tasks, attempts and proposals to look at: what the numbers are numbers of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from autotelic.dashboard.story import Story
from autotelic.dashboard.wording import short, words_of
from autotelic.messages import Admitted, Judged, Outcome, Proposed
from autotelic.record import Journal
from autotelic.types import RULES, Cell, Json, Lineage, Proposal, Task, Verdict

_GENERATIONS_SEARCHED = 3
"""The last generations are searched for specimens: they show what the model does now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Specimen:
    """One attempt at one task, or one proposal, as text. `good` is whether it is the better of its pair;
    `link` is what `autotelic inspect` takes. `task` is the id of what was attempted, `expected` what only its judge
    knows; a proposal has neither.
    """

    link: str
    cell: Cell
    role: str
    author: str
    prompt: str
    generation: int
    completion: str
    good: bool
    outcome: str
    task: str = ""
    expected: Mapping[str, Json] = field(default_factory=dict)


def choose(journal: Journal, story: Story) -> list[Specimen]:
    """For each mode the hardest attempt of the last generations that passed, and one that failed; and the
    same of proposals. Without success, those of the highest and the lowest reward.

    The order of the journal decides between equals, so that a report made again is the same.
    """
    numbers = [g.number for g in story.generations][-_GENERATIONS_SEARCHED:]
    return [*_attempts(journal, numbers), *_proposals(journal, numbers)]


def _attempts(journal: Journal, generations: list[int]) -> Iterator[Specimen]:
    best: dict[tuple[str, bool], tuple[float, int, int, Task, Verdict]] = {}
    for number in generations:
        for message in journal.read(kinds=(Judged.kind,), generation=number):
            for group in message.groups if isinstance(message, Judged) else ():
                for episode, verdict in zip(group.episodes, group.verdicts, strict=True):
                    for good, rank in _sides(verdict):
                        place = (group.task.mode, good)
                        new = (rank, group.task.level, episode.id, group.task, verdict)
                        if place not in best or new[:2] >= best[place][:2]:
                            best[place] = new
    for (_, good), (_, _, id_, task, verdict) in sorted(
        best.items(), key=lambda item: (item[0][0], not item[0][1])
    ):
        stored = journal.episode(id_)
        if stored is not None:
            yield Specimen(
                link=f"attempt:{id_}",
                cell=task.cell,
                role="solver",
                author=author_of(task.lineage),
                prompt=words_of(task.prompt),
                generation=stored.generation,
                completion="\n\n".join(stored.texts) or stored.episode.answer,
                good=good,
                outcome=outcome_of(verdict),
                task=task.id,
                expected=task.secret,
            )


def _sides(verdict: Verdict) -> list[tuple[bool, float]]:
    """Which of a pair an attempt may be, and how well it would do as that."""
    if verdict.passed is not None:
        return [(verdict.passed, 0.0)]
    return [(True, verdict.reward), (False, -verdict.reward)]


def _proposals(journal: Journal, generations: list[int]) -> Iterator[Specimen]:
    best: dict[tuple[str, bool], tuple[Proposal, Outcome]] = {}
    for number in generations:
        written: dict[int, Proposal] = {}
        for message in journal.read(kinds=(Proposed.kind, Admitted.kind), generation=number):
            if isinstance(message, Proposed):
                written = {proposal.id: proposal for proposal in message.proposals}
            for outcome in message.outcomes if isinstance(message, Admitted) else ():
                proposal = written[outcome.proposal]
                place = (proposal.cell.mode, bool(outcome.task))
                if place not in best or proposal.cell.level >= best[place][0].cell.level:
                    best[place] = (proposal, outcome)
    for (_, good), (proposal, outcome) in sorted(best.items(), key=lambda item: (item[0][0], not item[0][1])):
        shown = [words_of(task.prompt) for task in journal.tasks(proposal.lineage.references)]
        yield Specimen(
            link=f"proposal:{proposal.id}",
            cell=proposal.cell,
            role="proposer",
            author=author_of(proposal.lineage),
            prompt="\n\n".join(shown),
            generation=proposal.lineage.generation,
            completion=proposal.text,
            good=good,
            outcome=f"task {outcome.task}" if good else f"no task ({outcome.reason})",
        )


def outcome_of(verdict: Verdict) -> str:
    """A verdict in a word or two."""
    if verdict.passed is None:
        return f"reward {verdict.reward:g}"
    word = "passed" if verdict.passed else "failed"
    return f"{word} ({verdict.reason})" if verdict.reason else word


def author_of(lineage: Lineage) -> str:
    """Who wrote a task, in words."""
    return "the rules" if lineage.author == RULES else f"the actor (weights {short(lineage.author)})"
