"""Both streams into one set of updates: imitation of what was verified, credit for what was tried."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn, Protocol, runtime_checkable

import numpy as np
import torch

from autotelic.attempt.tokens import Span
from autotelic.engine.crowning import crown
from autotelic.engine.proposing import Proposed, credited_proposals
from autotelic.engine.run import Run
from autotelic.errors import RunError
from autotelic.learn.learner import predicted_logprobs
from autotelic.learn.pack import Trace, arrange, evened, imitate, pack, reinforce, split
from autotelic.propose import proposer
from autotelic.streams import stream
from autotelic.types import RULES, Cell, Experience, Group, LearnReport, Source, Task

CHUNK = 128
"""Traces that the anchor scores at once."""
EMPTY_LIMIT = 5
"""Generations without anything to learn from, after which the run stops rather than burn its budget."""


@runtime_checkable
class Telling(Protocol):
    """A domain whose prompts tell more than is asked: parts of them follow from the solution."""

    def told(self, task: Task) -> Sequence[Span]:
        """These parts of the task's prompt, in characters. To predict them is to have found the solution."""


@dataclass(slots=True)
class Learned:
    """What a generation's updates did: their reports, and what they were made of."""

    reports: list[LearnReport]
    tokens_by_author: Counter[str]
    kept: int
    dropped: int
    replayed: int
    mended: int


def learn(
    run: Run, fresh: Sequence[Task], groups: Sequence[Group], broken: Sequence[Task], proposed: Proposed
) -> Learned:
    """Both streams into one set of updates: imitation of what was verified, and credit for what was tried.

    `broken` are repairs to learn from without having been tried.
    """
    seed, g = run.charter.seed, run.generation
    rng = stream(seed, "learn", g)
    replayed = replay(run, len(fresh), rng)
    mended = [group.task for group in groups if group.task.mode == "repair"]
    experience = solved(run, run.feedback.executed([*fresh, *replayed, *mended, *broken]))
    experience += preferred(groups, run.feedback.leader)
    experience += practice(run, rng)
    authors: Counter[str] = Counter()
    spent: dict[Cell, list[int]] = {}
    for item in experience:
        size = len(item.prompt_ids) + len(item.completion_ids)
        if item.cell.mode != "repair":  # the failure is the actor's and the task perhaps not: neither's
            authors[item.author] += size
        if item.role == "solver":
            spent.setdefault(item.cell, []).append(size)
    run.curriculum.weigh({cell: sum(sizes) / len(sizes) for cell, sizes in spent.items()})

    traces = [imitate(item) for item in experience]
    credited = [*groups, *credited_proposals(run, proposed, groups)]
    advantages = run.credit.assign(credited)
    traces += anchored(run, credited, advantages)
    reports: list[LearnReport] = []
    for batch in split(traces, run.charter.learn.batch_tokens, rng) if traces else []:
        report = run.learner.step(pack(batch, run.crew.size), run.rate(run.counters.step, run.progress))
        run.record.update(report, g, run.counters.step)
        if report.skipped:
            _stop(run, batch, report)
        run.counters.step += 1
        run.counters.trained += report.tokens
        reports.append(report)
    if not reports:
        run.counters.empty += 1
        run.tell("dropped", what="generation", n=1, why="nothing to learn from")
        if run.counters.empty >= EMPTY_LIMIT:
            raise RunError(
                f"{EMPTY_LIMIT} generations gave nothing to learn from",
                "look at `dropped` and `generation` events with `autotelic inspect`",
            )
    else:
        run.counters.empty = 0
    run.deploy()
    if g % run.charter.learn.anchor_every == 0:
        run.anchor.load_state_dict(run.model.state_dict())
    kept = sum(a is not None for a in advantages[: len(groups)])
    return Learned(
        reports=reports,
        tokens_by_author=authors,
        kept=kept,
        dropped=len(groups) - kept,
        replayed=len(replayed),
        mended=len(mended) + len(broken),
    )


def _stop(run: Run, batch: Sequence[Trace], report: LearnReport) -> NoReturn:
    """Tell of an update that is not finite, leave the best weights in the run folder, and raise RunError."""
    tokens = sum(map(len, batch))
    named = f"update {run.counters.step} of generation {run.generation}, {len(batch)} sequences of {tokens} tokens"
    run.tell("dropped", what="update", n=1, why=f"{named}: {report.skipped}")
    run.record.commit()
    crown(run)
    raise RunError(
        f"{named}: {report.skipped}; the best weights before it are in {run.folder.champion}",
        f"go on from them with a lower learn.lr_matrix and learn.lr_other: `autotelic run --from {run.folder.path}`",
    )


def replay(run: Run, fresh: int, rng: np.random.Generator) -> list[Task]:
    """Tasks learned before, from the cells and in the shares that the curriculum wants now."""
    settings = run.charter.curriculum
    count = round(settings.tasks_per_generation * settings.replay)
    old = list(run.recent)[: max(0, len(run.recent) - fresh)]
    if not old or not count:
        return []
    shares = run.curriculum.shares()
    weight_N = np.array([shares.get(task.cell, 0.0) for task in old])
    if weight_N.sum() <= 0:
        return []
    size_of = Counter(task.cell for task in old)
    weight_N /= np.array([size_of[task.cell] for task in old])
    count = min(count, int(np.count_nonzero(weight_N)))
    picked = rng.choice(len(old), size=count, replace=False, p=weight_N / weight_N.sum())
    return [old[int(i)] for i in picked]


def solved(run: Run, tasks: Sequence[Task]) -> list[Experience]:
    """Each task with the solution that the executor's own trace gives."""
    prompts = run.tokens.prompts([task.prompt for task in tasks])
    worked = run.tokens.completions([run.domain.worked(task) for task in tasks])
    told: list[tuple[int, ...]] = [()] * len(tasks)
    if isinstance(run.domain, Telling):
        told = run.tokens.within([task.prompt for task in tasks], [run.domain.told(task) for task in tasks])
    longest = run.charter.model.context
    found = [
        Experience(prompt_ids=p, completion_ids=c, cell=task.cell, author=task.lineage.author, told=t)
        for task, p, c, t in zip(tasks, prompts, worked, told, strict=True)
        if len(p) + len(c) <= longest
    ]
    if len(found) < len(tasks):
        run.tell("dropped", what="experience", n=len(tasks) - len(found), why=f"longer than {longest} tokens")
    return found


def practice(run: Run, rng: np.random.Generator) -> list[Experience]:
    """Examples of proposing: tasks of the rules, as if the actor had been asked for them.

    Of the rules alone. A proposer that imitates what it wrote itself narrows to it within a few generations; what
    it does better than the rules it learns from its reward.
    """
    known = [task for task in run.recent if task.lineage.author == RULES and task.mode != "repair"]
    count = round(run.charter.learn.practice * run.charter.curriculum.tasks_per_generation)
    chosen = [known[int(i)] for i in rng.permutation(len(known))[:count]]
    shown = proposer.draw_references(known, [t.cell for t in chosen], run.charter.roles.references, rng)
    return proposer.asking(run.domain, run.tokens, chosen, shown)


def preferred(groups: Sequence[Group], leader: Source) -> list[Experience]:
    """The model's own right answers, one a group, where siblings failed: what it can do but not yet reliably.

    Right by the word of `leader`: the executor's, unless the charter has it silenced.
    """
    found: list[Experience] = []
    for group in groups:
        passed = [i for i, v in enumerate(group.verdicts) if v.passed and v.source == leader]
        if 0 < len(passed) < len(group.verdicts):
            turn = group.attempts[passed[0]].turns[-1]
            found.append(
                Experience(
                    prompt_ids=turn.prompt_ids,
                    completion_ids=turn.completion_ids,
                    cell=group.task.cell,
                    author=turn.weights,
                )
            )
    return found


def anchored(
    run: Run, groups: Sequence[Group], advantages: Sequence[tuple[float, ...] | None]
) -> list[Trace]:
    """Traces of all attempts that earned credit, with the anchor's log-probabilities for the KL term."""
    kept = [
        (attempt, a)
        for group, earned in zip(groups, advantages, strict=True)
        if earned is not None
        for attempt, a in zip(group.attempts, earned, strict=True)
        if a != 0.0
    ]
    traces = [reinforce(attempt, a) for attempt, a in kept]
    if run.charter.learn.normalise == "sequence":
        traces = evened(traces)
    if not traces or run.charter.learn.kl == 0:
        return traces
    found: list[Trace] = []
    for at in range(0, len(traces), CHUNK):
        some = traces[at : at + CHUNK]
        places, (_, width) = arrange(some)
        batch = pack(some)
        at_S = (batch.policy_BT > 0).flatten().nonzero()[:, 0]
        with torch.no_grad():
            logprob_S, _ = predicted_logprobs(run.anchor, batch, at_S)
        flat = np.zeros(batch.ids_BT.numel(), np.float32)
        flat[at_S.numpy()] = logprob_S.numpy()
        for trace, (row, start, shared) in zip(some, places, strict=True):
            first = row * width + start
            own = flat[first : first + len(trace) - shared]
            found.append(replace(trace, anchor=np.concatenate([np.zeros(shared, np.float32), own])))
    return found


def means(reports: Sequence[LearnReport]) -> dict[str, Any]:
    """The updates of a generation as one: token-weighted means, and what was skipped."""
    if not reports:
        return {}
    weight_N = np.array([r.tokens for r in reports], dtype=float)
    names = ("loss", "nll", "policy", "kl", "clipped", "entropy", "grad_norm")
    return {
        name: float(np.average([getattr(r, name) for r in reports], weights=weight_N)) for name in names
    } | {"updates": len(reports), "skipped": sum(bool(r.skipped) for r in reports)}
