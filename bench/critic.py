"""What the critic is worth: as a baseline of the policy gradient, and as a judge of which of eight samples is right.

    python -m bench.critic RUN --siblings 2 4 8 --raw docs/results/critic/seed-0.json

A run's attempts are read from its journal, generation by generation, each with the policy and the critic of the
checkpoint before it. For each attempt the gradient of its log-probability is computed once. The gradient that a
group gives is the mean of reward above baseline times these; its variance over groups is the trace of their
covariance. Compared are no baseline, the mean of the other siblings (RLOO, Ahmadian et al. 2024, arXiv:2402.14740),
the critic alone, and both, as `credit/advantage.py` mixes them. Groups without variance are left out, as in a run.

The bound stands beside it. An attempt above its task's true probability of success p has variance p (1 - p); above
the mean of n - 1 others it has p (1 - p) (1 + 1 / (n - 1)). A perfect baseline therefore saves 1 / n of the variance
of the reward, and no baseline of the task alone can save more: 12.5 % at 8 siblings.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import torch
from torch import Tensor

from autotelic.commands.opening import opened
from autotelic.credit.advantage import above
from autotelic.credit.rewards import rewards_of, varied
from autotelic.engine.replay import workplace
from autotelic.engine.services import Services
from autotelic.exam.evaluate import judged
from autotelic.learn.pack import pack, reinforce
from autotelic.messages import Judged, Updated
from autotelic.record import Journal, RunFolder
from autotelic.streams import stream
from autotelic.types import Group

WEIGHT = 2.0
"""How many siblings the critic's guess is worth in a run (`credit/advantage.py`)."""
SPREAD = 512
"""Random directions that stand for all parameters: a projection keeps norms (Johnson and Lindenstrauss 1984)."""
FEWEST = 8
"""Groups of a generation from which on it has a variance worth a number."""
BASELINES = ("none", "siblings", "critic", "both")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path, nargs="+")
    parser.add_argument("--siblings", type=int, nargs="+", default=[2, 4, 8])
    parser.add_argument(
        "--items", type=int, default=60, help="fresh items a cell, for best of 8; 0 leaves it out"
    )
    parser.add_argument("--raw", type=Path)
    asked = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for run in asked.run:
        for generation, gradients, rewards, guesses in measured(run):
            for n in asked.siblings:
                rows.append(
                    {"run": run.name, "generation": generation, "n": n, "groups": len(rewards)}
                    | variances(gradients, rewards, guesses, n)
                )
                print(json.dumps(rows[-1]), flush=True)
    for n in asked.siblings:
        print(n, "siblings:", json.dumps(together([row for row in rows if row["n"] == n])))
    if asked.items:
        rows += [best_of_eight(run, asked.items) for run in asked.run]
    if asked.raw:
        asked.raw.parent.mkdir(parents=True, exist_ok=True)
        asked.raw.write_text(json.dumps(rows, indent=1) + "\n")


def measured(run: Path) -> Iterator[tuple[int, list[Tensor], list[Any], list[float]]]:
    """Each generation that begins at a kept checkpoint: gradients [G, SPREAD] and rewards [G] of each group, and the
    critic's guess.
    """
    place = RunFolder.open(run)
    with Journal.open(run) as journal:
        first: dict[int, Updated] = {}
        for message in journal.each_message(kinds=(Updated.kind,)):
            if isinstance(message, Updated):
                first.setdefault(message.generation, message)
        judged: dict[int, list[Group]] = defaultdict(list)
        for message in journal.read(kinds=(Judged.kind,)):
            if isinstance(message, Judged) and message.purpose == "attempt":
                judged[message.generation] += message.groups
        for generation in sorted(first):
            with workplace(place, journal, first[generation]) as (services, found):
                if found.generation != generation - 1 or not judged[generation]:
                    continue
                services.critic.restore(found.tensors["critic"], found.state["critic"])
                groups = [g for g in judged[generation] if varied(rewards_of(g, services.critic.scale))]
                if len(groups) < FEWEST:
                    continue
                yield (
                    generation,
                    [_gradients(services, group) for group in groups],
                    [rewards_of(group, services.critic.scale) for group in groups],
                    list(services.critic.baseline(groups)),
                )


def _gradients(services: Services, group: Group) -> Tensor:
    """The projected gradient of each attempt's log-probability. -> [G, SPREAD]"""
    rows = []
    for episode in group.episodes:
        _, gradient = services.learner.gradient_of_logprob(pack([reinforce(episode, 1.0)]))
        flat = torch.cat([part.flatten() for part in gradient])
        rows.append(_project(flat))
    return torch.stack(rows)


def _project(flat: Tensor) -> Tensor:
    """Count sketch: every parameter falls into one of SPREAD sums with a random sign, the same each time."""
    rng = stream(0, "critic", "sketch")
    place = torch.from_numpy(rng.integers(0, SPREAD, len(flat)))
    sign = torch.from_numpy(rng.choice(np.array([-1.0, 1.0], np.float32), len(flat)))
    return torch.zeros(SPREAD).index_add_(0, place, flat * sign)


def variances(
    gradients: Sequence[Tensor], rewards: Sequence[Any], guesses: Sequence[float], n: int
) -> dict[str, float]:
    """The trace of the covariance of a group's gradient, by baseline, with the first n siblings of each group."""
    found: dict[str, list[Tensor]] = {name: [] for name in BASELINES}
    for gradient_GS, reward_G, guess in zip(gradients, rewards, guesses, strict=True):
        few = reward_G[:n]
        if len(few) < 2:
            continue
        advantage = {
            "none": few,
            "siblings": above(few, None, 0.0),
            "critic": few - guess,
            "both": above(few, guess, WEIGHT),
        }
        for name, value in advantage.items():
            weight_G = torch.tensor(value, dtype=torch.float32)
            found[name].append((weight_G[:, None] * gradient_GS[: len(few)]).mean(0))
    return {name: float(torch.stack(rows).var(0).sum()) for name, rows in found.items()}


def together(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """The variance as a share of that of the siblings' mean, over all groups of all generations."""
    whole = {name: sum(row[name] * row["groups"] for row in rows) for name in BASELINES}
    return {name: round(value / whole["siblings"], 3) for name, value in whole.items()}


def best_of_eight(run: Path, items: int) -> dict[str, Any]:
    """Which of eight samples a ranking chooses, on items drawn now that the run never met: the share right."""
    with opened(run, "fresh", items) as found:
        sampled = judged(
            found.domain,
            found.policy.attempt(found.exam.items, siblings=8, temperature=1.0, seed=1),
        )
        assert found.ranker is not None  # a run has a critic
        rankings = {
            "critic": found.ranker.predict(sampled),
            "mean log-probability": [
                [fmean(x for t in e.turns for x in t.logprobs) for e in g.episodes] for g in sampled
            ],
            "sum of log-probabilities": [
                [sum(x for t in e.turns for x in t.logprobs) for e in g.episodes] for g in sampled
            ],
        }
        passed = [[float(bool(v.passed)) for v in g.verdicts] for g in sampled]
        said: dict[str, Any] = {
            "run": run.name,
            "items": len(passed),
            "one sample": round(fmean(map(fmean, passed)), 4),
        }
        for name, scores in rankings.items():
            said[name] = round(
                fmean(row[int(np.argmax(s))] for row, s in zip(passed, scores, strict=True)), 4
            )
        said["any of eight"] = round(fmean(map(max, passed)), 4)
    print(json.dumps(said), flush=True)
    return said


if __name__ == "__main__":
    main()
