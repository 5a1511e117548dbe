"""New tasks: asked of the actor and of the rules, admitted, and what the proposer earned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from autotelic.engine import examining
from autotelic.engine.run import Run
from autotelic.propose import proposer
from autotelic.streams import stream
from autotelic.types import Cell, Group, Proposal, Rejection, Task, Verdict

ASK_MOST = 1.4
"""At most this many proposals for a task wanted, however few were admitted lately."""
SIBLINGS = 4
"""Proposals written after the same references."""


@dataclass(slots=True)
class Proposed:
    """What was asked for and written: by the actor (`written`), and by the rules.

    `wanted` is how many tasks of each cell the actor's share is to have.
    """

    wanted: Counter[Cell] = field(default_factory=Counter)
    written: list[Proposal] = field(default_factory=list)
    references: list[list[Task]] = field(default_factory=list)
    from_rules: list[Task] = field(default_factory=list)
    verdicts: list[Task | Rejection] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    bootstrap: bool = False


def propose(run: Run) -> Proposed:
    """Ask the actor for its share of new tasks, and the rules for the rest; all by the rules at first."""
    settings, g = run.charter.curriculum, run.generation
    rng = stream(run.charter.seed, "curriculum", g)
    # The first generation has nothing to replay.
    wanted = round(settings.tasks_per_generation * (1 - settings.replay * bool(run.recent)))
    proposed = Proposed(bootstrap=g <= settings.bootstrap_generations)
    by_actor = 0 if proposed.bootstrap else round(wanted * settings.actor_share)
    if by_actor:
        proposed.wanted = Counter(run.curriculum.allocate(by_actor, rng))
        cells = asked_cells(proposed.wanted, run.counters.admitted)
        proposed.references = proposer.draw_references(run.recent, cells, run.charter.roles.references, rng)
        proposed.written = proposer.propose(
            run.sampler,
            run.tokens,
            run.domain,
            cells,
            proposed.references,
            siblings=SIBLINGS,
            generation=g,
            temperature=run.charter.roles.proposer_temperature,
            max_tokens=run.charter.roles.max_tokens,
            seed=run.charter.seed,
        )
    rules_rng = stream(run.charter.seed, "rules", g)
    proposed.from_rules = run.domain.rules(rules_rng, run.curriculum.allocate(wanted - by_actor, rng))
    return proposed


def asked_cells(wanted: Counter[Cell], admitted: float) -> list[Cell]:
    """What to ask the actor for, each `SIBLINGS` times, when a proposal is posed in every mode that wants its level.

    One program can be run forwards, be inverted, and be guessed from what it does, and writing it is what
    costs; so of each level as many are asked for as its most wanted mode needs, in the modes by turns.
    """
    asked: list[Cell] = []
    for level in sorted({cell.level for cell in wanted}):
        cells = sorted((cell for cell in wanted if cell.level == level), key=lambda cell: -wanted[cell])
        count = wanted[cells[0]] * min(ASK_MOST, 1 / max(admitted, 1 / ASK_MOST))
        asked += [cells[i % len(cells)] for i in range(round(count / SIBLINGS))]
    return asked


def posed(proposed: Proposed) -> list[Proposal]:
    """Each proposal again, in the other modes that want tasks of its level."""
    return [
        replace(proposal, cell=cell, turn=None)
        for proposal in proposed.written
        for cell in sorted(proposed.wanted)
        if cell.level == proposal.cell.level and cell != proposal.cell
    ]


def admit(run: Run, proposed: Proposed) -> list[Task]:
    """The tasks that are tasks, new, and sealed by no exam. Some of the actor's are set aside for its exam."""
    quota = run.charter.curriculum.cluster_quota
    others = posed(proposed)
    judged = run.domain.admit([*proposed.written, *others])
    first = len(proposed.written)
    proposed.verdicts = run.novelty.admit(judged[:first], quota)
    proposed.reasons.update(v.reason for v in proposed.verdicts if isinstance(v, Rejection))
    by_actor = [v for v in proposed.verdicts if isinstance(v, Task)]
    if proposed.written:
        share = len(by_actor) / len(proposed.written)
        run.counters.admitted = 0.8 * run.counters.admitted + 0.2 * share
    room = proposed.wanted - Counter(task.cell for task in by_actor)
    further: list[Task] = []
    for item in judged[first:]:
        if isinstance(item, Task) and room[item.cell] > 0:
            room[item.cell] -= 1
            further.append(item)
    by_actor += [t for t in run.novelty.admit(further, quota) if isinstance(t, Task)]
    by_actor = examining.set_aside(run, by_actor)
    # Rules may repeat what is known (a small cell has few behaviours), but never what is sealed.
    by_rules = [t for t in proposed.from_rules if t.signature not in run.novelty.sealed]
    for task in by_rules:
        run.novelty.remember(task)
    fresh = by_actor + by_rules
    run.recent.extend(fresh)
    return fresh


def credited_proposals(run: Run, proposed: Proposed, groups: Sequence[Group]) -> list[Group]:
    """Proposals that were attempted, and a like share of those that were no task, as groups for credit."""
    attempted = {group.task.id: group for group in groups}
    earned: list[tuple[Proposal, Verdict]] = []
    refused: list[tuple[Proposal, Verdict]] = []
    for proposal, item in zip(proposed.written, proposed.verdicts, strict=True):
        if isinstance(item, Rejection):
            refused.append((proposal, Verdict(reward=-1.0, passed=False, reason=item.reason)))
        elif item.id in attempted:
            worth = proposer.reward(attempted[item.id], 1.0 - run.novelty.share(item.cluster))
            earned.append((proposal, Verdict(reward=worth, passed=worth > 0, reason="task")))
    # As many refusals as their share of all that was written: the mean is then what a proposal earns.
    share = len(refused) / max(1, len(proposed.written))
    both = earned + refused[: round(len(earned) * share / max(1e-9, 1 - share))]
    return proposer.as_groups([p for p, _ in both], [v for _, v in both])
