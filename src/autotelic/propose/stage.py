"""The stages: tasks are asked of the actor and of the rules, and admitted if they are tasks, new, and in no
exam.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from autotelic.messages import Admitted, Dropped, Message, Outcome, Proposed
from autotelic.propose import proposer
from autotelic.protocols import Proposable
from autotelic.references import draw_references
from autotelic.streams import stream
from autotelic.types import Cell, Proposal, Rejection, Task

if TYPE_CHECKING:
    from autotelic.engine.services import Services
    from autotelic.state import State

ASK_MOST = 1.4
"""At most this many proposals for a task wanted, however few were admitted lately."""
SIBLINGS = 4
"""Proposals written after the same references: reading these costs more than writing a task."""
CLUSTER_QUOTA = 0.25
"""The largest share of a generation's proposals that may behave alike, lest a proposer writes one thing
only.
"""
SET_ASIDE = 4
"""Proposals of the actor a generation that are kept from training, for its own exam."""
POOL = 4
"""Times the own exam's size that are set aside before it can be frozen."""


def propose(services: Services, state: State) -> Iterator[Message]:
    """Ask the actor for its share of new tasks, and the rules for the rest; all by the rules at first."""
    charter, g = services.charter, state.generation
    settings = charter.curriculum
    rng = stream(charter.seed, "curriculum", g)
    count = settings.tasks_per_generation
    if g <= charter.learn.form_generations:  # what is written before there is any form is of no use
        count = 0
    elif services.imitates:  # the first generation has nothing to replay
        count = round(count * (1 - settings.replay * bool(state.pool)))
    else:  # without demonstrations a task teaches by being attempted alone
        count = min(count, settings.probe_tasks)
    bootstrap = g <= settings.bootstrap_generations
    by_actor = (
        0 if bootstrap or not isinstance(services.domain, Proposable) else round(count * settings.actor_share)
    )
    wanted: Counter[Cell] = Counter()
    written: list[Proposal] = []
    if by_actor and isinstance(services.domain, Proposable):
        wanted = Counter(state.curriculum.allocate(by_actor, rng))
        cells = asked_cells(wanted, state.counters.admitted)
        written = proposer.propose(
            services.sampler,
            services.tokens,
            services.domain,
            cells,
            draw_references(state.pool, cells, charter.roles.references, rng),
            siblings=SIBLINGS,
            generation=g,
            temperature=charter.roles.temperature,
            max_tokens=charter.roles.max_tokens,
            context=services.context,
            seed=charter.seed,
        )
        if missing := SIBLINGS * len(cells) - len(written):
            why = f"the question leaves no room for an answer in {services.context} tokens"
            yield Dropped(what="proposal", n=missing, why=why)
    by_rules = services.domain.tasks(
        stream(charter.seed, "rules", g), state.curriculum.allocate(count - by_actor, rng)
    )
    yield from services.dropped()
    yield Proposed(
        bootstrap=bootstrap,
        wanted={str(cell): n for cell, n in wanted.items()},
        proposals=tuple(written),
        tasks=tuple(by_rules),
    )


def asked_cells(wanted: Counter[Cell], admitted: float) -> list[Cell]:
    """What to ask the actor for, each `SIBLINGS` times, when a proposal is posed in every mode that wants its
    level.

    One program can be run forwards, be inverted, and be guessed from what it does, and writing it is what
    costs; so of each level as many are asked for as its most wanted mode needs, in the modes by turns.
    """
    asked: list[Cell] = []
    for level in sorted({cell.level for cell in wanted}):
        cells = sorted((cell for cell in wanted if cell.level == level), key=lambda cell: -wanted[cell])
        count = wanted[cells[0]] * min(ASK_MOST, 1 / max(admitted, 1 / ASK_MOST))
        asked += [cells[i % len(cells)] for i in range(round(count / SIBLINGS))]
    return asked


def posed(proposals: Sequence[Proposal], wanted: Counter[Cell]) -> list[Proposal]:
    """Each proposal again, in the other modes that want tasks of its level."""
    return [
        replace(proposal, cell=cell, turn=None)
        for proposal in proposals
        for cell in sorted(wanted)
        if cell.level == proposal.cell.level and cell != proposal.cell
    ]


def admit(services: Services, state: State, proposed: Proposed) -> Iterator[Message]:
    """The tasks that are tasks, new, and sealed by no exam. Some proposals of the actor's are set aside for
    its exam.
    """
    proposals, wanted = (
        list(proposed.proposals),
        Counter({Cell.parse(c): n for c, n in proposed.wanted.items()}),
    )
    others = posed(proposals, wanted)
    judged: list[Task | Rejection] = []
    if proposals and isinstance(services.domain, Proposable):
        judged = services.domain.admit([*proposals, *others])
    first, again = judged[: len(proposals)], judged[len(proposals) :]
    screened = state.novelty.screen(first, CLUSTER_QUOTA)
    further = state.novelty.screen(_with_room(screened, again, wanted), CLUSTER_QUOTA)
    kept = [item for item in [*screened, *further] if isinstance(item, Task)]
    aside, sealed, lost = _set_aside(services, state, proposals, screened, [*zip(others, again, strict=True)])
    if lost:
        yield Dropped(what="task", n=lost, why="its proposal is kept for the exam that the actor sets itself")
    # Rules may repeat what is known (a small cell has few behaviours), but never what is sealed.
    by_rules = [
        t for t in proposed.tasks if t.signature not in state.novelty.sealed and t.signature not in sealed
    ]
    if missing := len(proposed.tasks) - len(by_rules):
        yield Dropped(what="task", n=missing, why="an exam asks it")
    yield Admitted(
        outcomes=tuple(_outcome(p, item) for p, item in zip(proposals, screened, strict=True)),
        sealed=tuple(sorted(sealed)),
        tasks=tuple([task for task in kept if task.signature not in sealed] + by_rules),
        set_aside=tuple(aside),
    )


def _with_room(
    screened: Sequence[Task | Rejection], again: Sequence[Task | Rejection], wanted: Counter[Cell]
) -> list[Task | Rejection]:
    """Of what was posed in other modes, what is a task, no repetition, and still wanted."""
    kept = [item for item in screened if isinstance(item, Task)]
    met = {task.signature for task in kept}
    room = wanted - Counter(task.cell for task in kept)
    found: list[Task | Rejection] = []
    for item in again:
        if isinstance(item, Task) and room[item.cell] > 0 and item.signature not in met:
            room[item.cell] -= 1
            found.append(item)
    return found


def _set_aside(
    services: Services,
    state: State,
    proposals: Sequence[Proposal],
    screened: Sequence[Task | Rejection],
    others: Sequence[tuple[Proposal, Task | Rejection]],
) -> tuple[list[Task], set[str], int]:
    """Whole proposals for the own exam, until it is frozen: one task of each, and what nothing may be trained
    on.

    One program posed in two modes shows in the prompt of one what the other asks, so what is set aside is the
    proposal: its tasks in every mode, and those of whoever wrote the same. -> (tasks, signatures to seal,
    other tasks given up)
    """
    most = services.charter.exam.own_items
    if state.own.frozen is not None or len(state.own.pool) >= most * POOL or not most:
        return [], set(), 0
    candidates = [i for i, item in enumerate(screened) if isinstance(item, Task)]
    rng = stream(services.charter.seed, "own", state.generation)
    chosen = [candidates[int(i)] for i in rng.permutation(len(candidates))[:SET_ASIDE]]
    texts = {proposals[i].text for i in chosen}
    together = [*zip(proposals, screened, strict=True), *others]
    related = [item for p, item in together if p.text in texts and isinstance(item, Task)]
    aside: dict[str, Task] = {}
    for i in chosen:
        item = screened[i]
        if isinstance(item, Task):
            aside.setdefault(proposals[i].text, item)
    signatures = {task.signature for task in related}
    return list(aside.values()), signatures, len(signatures) - len(aside)


def _outcome(proposal: Proposal, item: Task | Rejection) -> Outcome:
    if isinstance(item, Rejection):
        return Outcome(proposal=proposal.id, reason=item.reason, detail=item.detail)
    return Outcome(proposal=proposal.id, task=item.id)
