"""The stage: which tasks are attempted, the attempts, and the failures that become tasks of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from autotelic.archive import family_of
from autotelic.attempt.rollout import fitting
from autotelic.attempt.search import search
from autotelic.messages import Admitted, Attempted, Dropped, Judged, Message, Repairing, Resampling
from autotelic.protocols import Checkable, Repairable
from autotelic.streams import seed_of, stream
from autotelic.types import RULES, Group, Lineage, Purpose, Task, Verdict

if TYPE_CHECKING:
    from autotelic.engine.services import Services
    from autotelic.state import State

REPAIRED = 4
"""One repair for so many tasks attempted: a further turn teaches the same program again."""


def attempt(
    services: Services, state: State, message: Admitted | Repairing | Resampling
) -> Iterator[Message]:
    """A group of siblings at some of the new tasks, or at every repair, or at what is sampled again."""
    if isinstance(message, Resampling):
        yield from _attempts(services, state, message.tasks, "attempt", message.round)
        return
    if isinstance(message, Admitted):
        yield from _attempts(services, state, probes(services, state, message.tasks), "attempt")
    else:
        yield from _attempts(services, state, message.tasks, "repair")


def draft(services: Services, state: State, admitted: Admitted, judged: Judged) -> Iterator[Message]:
    """One attempt each at a share of the new tasks, for the failures that repair is learned from.

    The groups leave a dozen in a generation, too few to learn to read a failure from. Only modes whose
    failures print something, once the actor is right in them at times: what a novice writes fails in ways of
    no use.
    """
    drafts = services.imitates and isinstance(
        services.domain, Repairable
    )  # else nothing would be learned from them
    share = services.charter.repair.share if drafts else 0.0
    printing = {g.task.mode for g in judged.groups if any(v.feedback and not v.passed for v in g.verdicts)}
    begun = {g.task.mode for g in judged.groups if any(v.passed for v in g.verdicts)}
    open_to = [task for task in admitted.tasks if task.mode in printing & begun]
    rng = stream(services.charter.seed, "draft", state.generation)
    drawn = rng.permutation(len(open_to))[: round(share * len(open_to))]
    yield from _attempts(services, state, [open_to[int(i)] for i in drawn], "draft")


def seek(services: Services, state: State, judged: Judged) -> Attempted:
    """A search at each task that every sibling failed, as far as the domain can check an answer by what the task
    shows. Each search that found something is a group of what passed its own checks and one try that did not.
    """
    most = services.charter.search.samples
    if not most or not isinstance(services.domain, Checkable):
        return Attempted(purpose="search", groups=())
    missed = [g.task for g in judged.groups if g.verdicts and not any(v.passed for v in g.verdicts)]
    found = search(
        services.policy,
        services.domain,
        missed,
        budget=most,
        temperature=services.charter.roles.temperature,
        seed=seed_of(services.charter.seed, "search", state.generation),
        repairs=bool(services.charter.repair.share),
    )
    groups = []
    for one in found:
        chosen = one.chosen(services.domain) if one.passed else None
        failed = [e for e, check in zip(one.tried, one.checks, strict=True) if check and not check.passed]
        if chosen is not None and failed and chosen.turns[0].prompt_ids == failed[0].turns[0].prompt_ids:
            groups.append(Group(task=one.task, episodes=(failed[0], chosen)))
    return Attempted(purpose="search", groups=tuple(groups))


def probes(services: Services, state: State, tasks: Sequence[Task]) -> list[Task]:
    """The tasks of this generation to attempt in groups: the actor's own first, then those of the rules."""
    rng = stream(services.charter.seed, "probe", state.generation)
    order = [tasks[int(i)] for i in rng.permutation(len(tasks))]
    order.sort(key=lambda task: task.lineage.author == RULES)
    most = services.charter.curriculum.probe_tasks
    # A model that can do nothing yet writes until it is cut off: where demonstrations teach, a few attempts
    # show that as well as many.
    standing = state.curriculum.standing.values()
    nothing_yet = services.imitates and all(s.p == 0 for s in standing)
    return order[: most // 4 if nothing_yet else most]


def _attempts(
    services: Services, state: State, tasks: Sequence[Task], purpose: Purpose, *rounds: int
) -> Iterator[Message]:
    """`rounds` names the randomness of what is sampled again."""
    groups, left_out = fitting(
        services.policy.attempt(
            tasks,
            siblings=1 if purpose == "draft" else services.charter.curriculum.group_size,
            temperature=services.charter.roles.temperature,
            seed=seed_of(
                services.charter.seed, "draft" if purpose == "draft" else "attempt", state.generation, *rounds
            ),
        )
    )
    if left_out:
        why = f"the prompt leaves no room for an answer in {services.context} tokens"
        yield Dropped(what="task", n=left_out, why=why)
    yield from services.dropped()
    yield Attempted(purpose=purpose, groups=tuple(groups))


def repair(services: Services, state: State, judged: Judged) -> Repairing:
    """Failures as tasks: what was written, what its tests printed, write it better.

    One a group, from its first attempt that failed with something to read. Of drafts all are taken, of groups
    at most a quarter as many as are attempted in a generation. A task whose behaviour an exam asks is none.
    """
    drafted = judged.purpose == "draft"
    if services.archives:
        return Repairing(drafted=drafted, tasks=_showing(services, state, judged))
    most = len(judged.groups) if drafted else services.charter.curriculum.probe_tasks // REPAIRED
    found: list[Task] = []
    if isinstance(services.domain, Repairable) and services.charter.repair.share:
        for group in judged.groups:
            if len(found) >= most:
                break
            task = _repair_of(services.domain, group, state.generation)
            if task is not None and task.signature not in state.novelty.sealed:
                found.append(task)
    return Repairing(drafted=drafted, tasks=tuple(found))


def _showing(services: Services, state: State, judged: Judged) -> tuple[Task, ...]:
    """Some of the tasks again, each with an answer from the archive to be written better: `repair.share` of them."""
    domain, share = services.domain, services.charter.repair.share
    if judged.purpose != "attempt" or not share or not isinstance(domain, Repairable):
        return ()
    rng = stream(services.charter.seed, "archive", state.generation)
    found: list[Task] = []
    for group in judged.groups[: round(share * len(judged.groups))]:
        for elite in state.archive.draw(family_of(group.task), 1, rng):
            lineage = Lineage(
                author=elite.author, generation=state.generation, references=(group.task.id, elite.task)
            )
            verdict = Verdict(reward=elite.mean, passed=True, reason="kept")
            task = domain.repair(group.task, elite.answer, verdict, lineage)
            if task is not None and task.signature not in state.novelty.sealed:
                found.append(task)
    return tuple(found)


def _repair_of(domain: Repairable, group: Group, generation: int) -> Task | None:
    for tried, verdict in zip(group.episodes, group.verdicts, strict=True):
        if verdict.passed or not verdict.feedback:
            continue
        lineage = Lineage(author=tried.turns[-1].weights, generation=generation, references=(group.task.id,))
        task = domain.repair(group.task, tried.answer, verdict, lineage)
        if task is not None:
            return task
    return None
