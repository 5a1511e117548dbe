"""The stages of a generation: each a verb that takes the run and what the stage before it made."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from autotelic.attempt import episode
from autotelic.engine import examining
from autotelic.engine.run import Run
from autotelic.errors import RunError
from autotelic.judge.calibration import Calibration
from autotelic.judge.sources import Opinions
from autotelic.learn.learner import predicted_logprobs
from autotelic.learn.pack import Trace, arrange, imitate, pack, reinforce, split
from autotelic.models.load import save_model
from autotelic.propose import proposer
from autotelic.record import Record, RunFolder
from autotelic.streams import seed_of, stream
from autotelic.types import RULES, Cell, Experience, Group, LearnReport, Proposal, Rejection, Task, Verdict

ASK_MOST = 1.4
"""At most this many proposals for a task wanted, however few were admitted lately."""
PROPOSER_SHARE = 0.25
"""Tasks of a generation that are also practised from the proposer's side."""
CHUNK = 128
"""Traces that the anchor scores at once."""
EMPTY_LIMIT = 5
"""Generations without anything to learn from, after which the run stops rather than burn its budget."""


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


@dataclass(slots=True)
class Learned:
    """What a generation's updates did: their reports, and what they were made of."""

    reports: list[LearnReport]
    tokens_by_author: Counter[str]
    kept: int
    dropped: int
    replayed: int


def propose(run: Run) -> Proposed:
    """Ask the actor for its share of new tasks, and the rules for the rest; all by the rules at first."""
    settings, g = run.charter.curriculum, run.generation
    rng = stream(run.charter.seed, "curriculum", g)
    wanted = round(settings.tasks_per_generation * (1 - settings.replay))
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
            generation=g,
            temperature=run.charter.roles.proposer_temperature,
            max_tokens=run.charter.roles.max_tokens,
            seed=run.charter.seed,
        )
    rules_rng = stream(run.charter.seed, "rules", g)
    proposed.from_rules = run.domain.rules(rules_rng, run.curriculum.allocate(wanted - by_actor, rng))
    return proposed


def asked_cells(wanted: Counter[Cell], admitted: float) -> list[Cell]:
    """What to ask the actor for, when a proposal is posed in every mode that still wants tasks of its level.

    One program can be run forwards, be inverted, and be guessed from what it does, and writing it is what
    costs; so of each level as many are asked for as its most wanted mode needs, in the modes by turns.
    """
    asked: list[Cell] = []
    for level in sorted({cell.level for cell in wanted}):
        cells = sorted((cell for cell in wanted if cell.level == level), key=lambda cell: -wanted[cell])
        count = round(wanted[cells[0]] * min(ASK_MOST, 1 / max(admitted, 1 / ASK_MOST)))
        asked += [cells[i % len(cells)] for i in range(count)]
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


def probes(run: Run, fresh: Sequence[Task]) -> list[Task]:
    """The tasks of this generation to attempt in groups: the actor's own first, then those of the rules."""
    rng = stream(run.charter.seed, "probe", run.generation)
    order = [fresh[int(i)] for i in rng.permutation(len(fresh))]
    order.sort(key=lambda task: task.lineage.author == RULES)
    most = run.charter.curriculum.probe_tasks
    # A model that can do nothing yet writes until it is cut off: a few attempts show that as well as many.
    return order[: most // 4 if run.generation <= run.charter.curriculum.bootstrap_generations else most]


def attempt(run: Run, tasks: Sequence[Task]) -> list[Group]:
    """A group of siblings at each task."""
    return episode.attempt(
        run.sampler,
        run.tokens,
        run.domain,
        tasks,
        siblings=run.charter.curriculum.group_size,
        temperature=run.charter.roles.solver_temperature,
        max_tokens=run.charter.roles.max_tokens,
        seed=seed_of(run.charter.seed, "attempt", run.generation),
    )


def judge(run: Run, tried: Sequence[Group]) -> list[Group]:
    """The executor's verdict on every attempt."""
    return run.feedback.verify(tried)


def repair(run: Run, judged: Sequence[Group]) -> list[Group]:
    """Further turns at what failed: the actor reads what the tests printed and writes a better program."""
    found: list[Group] = []
    last = list(judged)
    for _ in range(run.charter.roles.repair_turns - 1):
        tasks = episode.repairs(
            run.domain, last, generation=run.generation, most=run.charter.curriculum.probe_tasks // 4
        )
        tasks = [task for task in tasks if task.signature not in run.novelty.sealed]
        if not tasks:
            break
        last = judge(run, attempt(run, tasks))
        found += last
    return found


def criticise(run: Run, groups: Sequence[Group]) -> Opinions:
    """What the other judges say of the same attempts, before any of them learns the outcomes."""
    opinions = run.feedback.opinions(groups, run.generation)
    for note in opinions.notes:
        run.tell("dropped", what="critic's judgement", n=1, why=note)
    return opinions


def instruct(run: Run, groups: Sequence[Group]) -> Calibration:
    """The critic learns the outcomes. After the actor has learned: its guess was the actor's baseline, and a
    baseline that knew the outcome would bias the gradient."""
    run.critic.learn(groups, seed_of(run.charter.seed, "critic", run.generation))
    return run.critic.quality


def learn(run: Run, fresh: Sequence[Task], groups: Sequence[Group], proposed: Proposed) -> Learned:
    """Both streams into one set of updates: imitation of what was verified, and credit for what was tried."""
    seed, g = run.charter.seed, run.generation
    rng = stream(seed, "learn", g)
    replayed = replay(run, len(fresh), rng)
    experience = solved(
        run, [*fresh, *replayed, *(group.task for group in groups if group.task.mode == "repair")]
    )
    experience += verified(groups)
    count = round(PROPOSER_SHARE * len(fresh))
    chosen = [fresh[int(i)] for i in rng.permutation(len(fresh))[:count]]
    shown = proposer.draw_references(run.recent, [t.cell for t in chosen], run.charter.roles.references, rng)
    experience += proposer.asking(run.domain, run.tokens, chosen, shown)
    authors: Counter[str] = Counter()
    for item in experience:
        authors[item.author] += len(item.prompt_ids) + len(item.completion_ids)

    traces = [imitate(item) for item in experience]
    credited = [*groups, *credited_proposals(run, proposed, groups)]
    advantages = run.credit.assign(credited)
    traces += anchored(run, credited, advantages)
    reports: list[LearnReport] = []
    for batch in split(traces, run.charter.learn.batch_tokens, rng) if traces else []:
        report = run.learner.step(pack(batch), run.rate(run.counters.step, run.progress))
        run.record.update(report, g, run.counters.step)
        if report.skipped:
            run.tell("dropped", what="update", n=1, why=report.skipped)
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
    )


def replay(run: Run, fresh: int, rng: np.random.Generator) -> list[Task]:
    """Tasks learned before, from the cells and in the shares that the curriculum wants now."""
    share = run.charter.curriculum.replay
    count = round(fresh * share / max(1e-9, 1 - share))
    old = list(run.recent)[: max(0, len(run.recent) - fresh)]
    if not old:
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
    prompts = run.tokens.encode([task.prompt for task in tasks])
    worked = run.tokens.completions([run.domain.worked(task) for task in tasks])
    longest = run.charter.model.context
    found = [
        Experience(prompt_ids=p, completion_ids=c, cell=task.cell, author=task.lineage.author)
        for task, p, c in zip(tasks, prompts, worked, strict=True)
        if len(p) + len(c) <= longest
    ]
    if len(found) < len(tasks):
        run.tell("dropped", what="experience", n=len(tasks) - len(found), why=f"longer than {longest} tokens")
    return found


def verified(groups: Sequence[Group]) -> list[Experience]:
    """The model's own right answers, one a group, where siblings failed: what it can do but not yet reliably."""
    found: list[Experience] = []
    for group in groups:
        passed = [i for i, v in enumerate(group.verdicts) if v.passed and v.source == "verifier"]
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
        for trace, (row, start) in zip(some, places, strict=True):
            first = row * width + start
            found.append(replace(trace, anchor=flat[first : first + len(trace)]))
    return found


def examine(run: Run, *, when: Literal["before", "during", "after"]) -> None:
    """Sit the sealed exam, and the model's own once it is frozen. During a run greedily, to save time."""
    with run.stage("examine"):
        examining.sit_sealed(run, when)
        examining.sit_own(run, when)


def settle(run: Run) -> None:
    """At the end: a last decision, and the champion's weights in place, so that what is examined is what is kept."""
    with run.stage("examine"):
        if run.champion.generation != run.generation:
            examining.decide(run)
        run.sampler.load(run.champion.weights)


def review(run: Run) -> None:
    """Now and then: let the gate decide between candidate and champion, set the own exam, sit the sealed one."""
    if run.generation % run.charter.exam.every:
        return
    examining.decide(run)
    examining.compose_own(run)
    examining.sit_sealed(run, "during")
    examining.sit_own(run, "during")


def report(
    run: Run,
    proposed: Proposed,
    fresh: Sequence[Task],
    groups: Sequence[Group],
    opinions: Opinions,
    learned: Learned,
    calibration: Calibration,
) -> None:
    """Write the generation down: tasks, attempts, and one event that says what came of it."""
    run.record.tasks(fresh, run.generation)
    run.record.tasks([group.task for group in groups if group.task.mode == "repair"], run.generation)
    run.record.groups(groups, run.generation, run.tokens.decode)
    opened = run.curriculum.learn([group for group in groups if group.task.mode != "repair"])
    shares = run.curriculum.shares()
    written = len(proposed.written)
    refused = Counter(proposed.reasons)
    novel_refusals = refused["known"] + refused["sealed"] + refused["crowded"]
    valid = written - (sum(refused.values()) - novel_refusals)
    by_actor = sum(n for author, n in learned.tokens_by_author.items() if author != RULES)
    spent, before = run.spend(), learned.reports
    run.tell(
        "generation",
        bootstrap=proposed.bootstrap,
        seconds=spent.seconds,
        stage_seconds=dict(run.stage_seconds),
        tokens={"trained": spent.trained, "decoded": spent.decoded},
        total_tokens=run.counters.trained,
        total_flops=run.counters.flops,
        tokens_per_second={
            "train": spent.trained / max(1e-9, sum(r.seconds for r in before)),
            "decode": spent.decoded / max(1e-9, spent.decode_seconds),
        },
        proposals={
            "asked": written,
            "valid": valid,
            "novel": valid - novel_refusals,
            "admitted": written - sum(refused.values()),
            "reasons": dict(refused),
        },
        actor_task_share=by_actor / max(1, sum(learned.tokens_by_author.values())),
        replayed=learned.replayed,
        groups={"kept": learned.kept, "dropped_no_variance": learned.dropped},
        cells={
            str(cell): {"p": s.p, "gain": s.gain, "share": shares.get(cell, 0.0)}
            for cell, s in run.curriculum.standing.items()
        },
        opened=opened,
        learn=means(before),
        critic=asdict(calibration),
        consensus_agreement=opinions.agreement.get("consensus"),
        certainty_agreement=opinions.agreement.get("certainty"),
    )
    run.stage_seconds.clear()


def means(reports: Sequence[LearnReport]) -> dict[str, Any]:
    """The updates of a generation as one: token-weighted means, and what was skipped."""
    if not reports:
        return {}
    weight_N = np.array([r.tokens for r in reports], dtype=float)
    names = ("loss", "nll", "policy", "kl", "clipped", "entropy", "grad_norm")
    return {
        name: float(np.average([getattr(r, name) for r in reports], weights=weight_N)) for name in names
    } | {"updates": len(reports), "skipped": sum(bool(r.skipped) for r in reports)}


def abandon(run: Run) -> None:
    """Give up what is in flight: the record goes back to the last checkpoint."""
    run.record.rollback()


def crown(run: Run) -> None:
    """Leave the champion in the run folder, in Hugging Face format, whole or not at all."""
    new = run.folder.path / ".champion.new"
    shutil.rmtree(new, ignore_errors=True)
    run.model.load_state_dict(run.champion.weights)
    save_model(run.model, run.tokens.tokenizer, new)
    write_card(run, new)
    old = run.folder.path / ".champion.old"
    shutil.rmtree(old, ignore_errors=True)
    if run.folder.champion.exists():
        os.rename(run.folder.champion, old)
    os.rename(new, run.folder.champion)
    shutil.rmtree(old, ignore_errors=True)


def write_card(run: Run, folder: Path) -> None:
    """The model card, from the run's own events."""
    from autotelic.dashboard.card import model_card
    from autotelic.dashboard.publish import story_of

    card = model_card(story_of(run.folder), run.folder.path.name)
    (folder / "README.md").write_text(card, encoding="utf-8")


def finished(place: RunFolder) -> bool:
    """Whether the run spent its budget, as its record says."""
    with Record.open(place.path) as record:
        stop = record.latest("run.stop")
        resumed = record.latest("run.resume")
    return stop is not None and stop.data.get("reason") == "budget" and (not resumed or resumed.id < stop.id)
