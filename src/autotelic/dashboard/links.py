"""What in a journal belongs together: a task and its proposal, an attempt and the updates made of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from autotelic.messages import Admitted, Credited, Earned, Outcome, Proposed, Repairing, Updated
from autotelic.record import Journal
from autotelic.record.paging import updates_holding
from autotelic.types import Entry, Kind, Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A sequence of an update."""

    update: Updated
    entry: Entry
    superseded: bool


SEARCHED = 20_000
"""Updates that are searched on a page for what used a thing, from the first that could have."""


def uses_of_any(journal: Journal, wanted: Collection[tuple[Kind, str]], first: int) -> list[Use]:
    """Where any of these (kind, reference) was learned from, by one look at each of the `SEARCHED` updates after
    the message `first`, oldest first.
    """
    found: list[Use] = []
    for id_ in updates_holding(journal, wanted, first, SEARCHED):
        update = journal.message(id_)
        for entry in update.batch if isinstance(update, Updated) else ():
            if (entry.kind, entry.ref) in wanted and isinstance(update, Updated):
                found.append(Use(update=update, entry=entry, superseded=journal.is_superseded(id_)))
    return found


def uses(journal: Journal, kinds: tuple[Kind, ...], ref: str) -> Iterator[Use]:
    """Where a task, an attempt or a proposal was learned from, oldest first. Looks at every update."""
    found = sorted({id_ for kind in kinds for id_ in journal.messages_with(kind, ref)})
    for id_ in found:
        update = journal.message(id_)
        for entry in update.batch if isinstance(update, Updated) else ():
            if entry.kind in kinds and entry.ref == ref and isinstance(update, Updated):
                yield Use(update=update, entry=entry, superseded=journal.is_superseded(id_))


def proposals_of(journal: Journal, task: Task) -> list[int]:
    """The ids of the proposals that became a task; none where it was posed again from one for another mode."""
    return [
        outcome.proposal
        for message in journal.read(
            kinds=(Admitted.kind,), generation=task.lineage.generation, superseded=True
        )
        if isinstance(message, Admitted)
        for outcome in message.outcomes
        if outcome.task == task.id
    ]


def fate_of(journal: Journal, proposal: int, generation: int) -> tuple[Outcome | None, Earned | None]:
    """What became of a proposal, and what it earned where it was credited."""
    outcome: Outcome | None = None
    earned: Earned | None = None
    kinds = (Admitted.kind, Credited.kind)
    for message in journal.read(kinds=kinds, generation=generation, superseded=True):
        for each in message.outcomes if isinstance(message, Admitted) else ():
            outcome = each if each.proposal == proposal else outcome
        for one in message.earned if isinstance(message, Credited) else ():
            earned = one if one.role == "proposer" and one.id == proposal else earned
    return outcome, earned


def is_superseded(journal: Journal, proposal: int, generation: int) -> bool:
    """Whether a resume went back on a proposal."""
    for message in journal.read(kinds=(Proposed.kind,), generation=generation, superseded=True):
        if isinstance(message, Proposed) and any(p.id == proposal for p in message.proposals):
            return journal.is_superseded(message.id)
    return False


def repairs_of(journal: Journal, task: Task, generations: set[int]) -> list[Task]:
    """The repairs of answers to a task, written in the generations in which it was attempted."""
    found: dict[str, Task] = {}
    for generation in sorted(generations):
        for message in journal.read(kinds=(Repairing.kind,), generation=generation, superseded=True):
            for repair in message.tasks if isinstance(message, Repairing) else ():
                if task.id in repair.lineage.references:
                    found[repair.id] = repair
    return list(found.values())
