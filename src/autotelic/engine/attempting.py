"""Attempts at tasks, what is said of them, and further turns at what failed."""

from __future__ import annotations

from collections.abc import Sequence

from autotelic.attempt import episode
from autotelic.engine.run import Run
from autotelic.judge.calibration import Calibration
from autotelic.judge.sources import Opinions
from autotelic.streams import seed_of, stream
from autotelic.types import RULES, Group, Task


def probes(run: Run, fresh: Sequence[Task]) -> list[Task]:
    """The tasks of this generation to attempt in groups: the actor's own first, then those of the rules."""
    rng = stream(run.charter.seed, "probe", run.generation)
    order = [fresh[int(i)] for i in rng.permutation(len(fresh))]
    order.sort(key=lambda task: task.lineage.author == RULES)
    most = run.charter.curriculum.probe_tasks
    # A model that can do nothing yet writes until it is cut off: a few attempts show that as well as many.
    nothing_yet = all(standing.p == 0 for standing in run.curriculum.standing.values())
    return order[: most // 4 if nothing_yet else most]


def attempt(run: Run, tasks: Sequence[Task]) -> list[Group]:
    """A group of siblings at each task."""
    return _tried(run, tasks, run.charter.curriculum.group_size, "attempt")


def _tried(run: Run, tasks: Sequence[Task], siblings: int, purpose: str) -> list[Group]:
    return episode.attempt(
        run.sampler,
        run.tokens,
        run.domain,
        tasks,
        siblings=siblings,
        temperature=run.charter.roles.solver_temperature,
        max_tokens=run.charter.roles.max_tokens,
        seed=seed_of(run.charter.seed, purpose, run.generation),
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


def mend(run: Run, fresh: Sequence[Task], judged: Sequence[Group]) -> list[Task]:
    """Repairs to learn from: what one attempt each at a share of the new tasks left broken.

    The groups leave a dozen in a generation, too few to learn to read a failure from. Only modes whose failures
    print something, once the actor is right in them at times: what a novice writes is broken in ways of no use.
    """
    share = run.charter.curriculum.drafted if run.charter.roles.repair_turns > 1 else 0.0
    if not share:
        return []
    read = {g.task.mode for g in judged if any(v.feedback and not v.passed for v in g.verdicts)}
    begun = {g.task.mode for g in judged if any(v.passed for v in g.verdicts)}
    open_to = [task for task in fresh if task.mode in read & begun]
    rng = stream(run.charter.seed, "draft", run.generation)
    drawn = rng.permutation(len(open_to))[: round(share * len(open_to))]
    drafts = judge(run, _tried(run, [open_to[int(i)] for i in drawn], 1, "draft"))
    tasks = episode.repairs(run.domain, drafts, generation=run.generation, most=len(drafts))
    return [task for task in tasks if task.signature not in run.novelty.sealed]


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
