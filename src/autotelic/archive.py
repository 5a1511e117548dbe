"""An archive of the best answers that families of tasks have seen, by how they behave (MAP-Elites, Mouret and Clune
2015, arXiv:1504.04909).

    judged ──► Archived ──► state.archive ──┬─► tasks that show one of them, to be written better
                                            └─► lessons: one of them at a new prompt of the family

It is kept where nobody holds a solution and an answer to one task can be tried at another: rewards are real numbers,
and the domain is `Comparable`, which gives the cell, and `Repairable`, which shows an answer. FunSearch
(Romera-Paredes et al., Nature 625, 2024) and AlphaEvolve feed a proposer in this way.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from autotelic.messages import Archived, Tried
from autotelic.protocols import Comparable, Domain, Repairable
from autotelic.types import Group, Range, Scale, Task

CELLS = 48
"""Cells of a family that are kept. What behaves worse than the best of so many is not worth showing."""
RIVALS = 12
"""Answers that are kept in a cell: rewards are noisy, and the best of them is known after some tries only. Where few
were shown, a model narrowed to them within ten generations."""
NEW = 128
"""New answers of a family that are tried for a place in a generation, the best first."""
RANKS = 6.0
"""Ranks over which the chance to be drawn falls to 1/e: a few are drawn often, and none of the rest is forgotten."""
UNSURE = 0.5
"""Standard deviation of a reward that is assumed before there is any, as a share of that of the rewards seen."""


@dataclass(slots=True)
class Elite:
    """An answer that was good: the tries that it had, the sum of their rewards and of the squares of these; the task
    at which it was first found, and the digest of the weights that wrote it.
    """

    answer: str
    task: str
    author: str
    tries: int = 0
    total: float = 0.0
    squares: float = 0.0

    @property
    def mean(self) -> float:
        """The mean reward."""
        return self.total / self.tries


def family_of(task: Task) -> str:
    """What an answer can be tried at: tasks of one mode and form."""
    return f"{task.mode} {task.form}".strip()


def archives(domain: Domain) -> bool:
    """Whether an archive can be kept of answers to a domain's tasks."""
    real = isinstance(domain.spec.scale, Range)
    return real and isinstance(domain, Comparable) and isinstance(domain, Repairable)


class Archive:
    """Families of tasks, their cells, and in each the best answers. Changed by `learn` alone.

    On a `scale` that has 0 within it, 0 is what is known already, and an answer must earn more on average.
    """

    def __init__(self, scale: Scale) -> None:
        self.floor = 0.0 if scale.low < 0.0 < scale.high else -math.inf
        self.families: dict[str, dict[str, list[Elite]]] = {}

    def tried(self, domain: Comparable, groups: Sequence[Group]) -> list[Tried]:
        """What judged groups show of answers that are kept, and of new ones that passed."""
        met: dict[tuple[str, str], list[tuple[float, bool]]] = defaultdict(list)
        first: dict[tuple[str, str], Tried] = {}
        for group in groups:
            family = family_of(group.task)
            for episode, verdict in zip(group.episodes, group.verdicts, strict=True):
                answer = episode.answer.strip()
                met[family, answer].append((verdict.reward, bool(verdict.passed)))
                if (family, answer) not in first and (cell := domain.same(group.task.mode, answer)):
                    author = episode.turns[-1].weights if episode.steps else ""
                    first[family, answer] = Tried(
                        family=family,
                        cell=cell,
                        answer=answer,
                        task=group.task.id,
                        author=author,
                        rewards=(),
                    )
        known = {
            (family, elite.answer)
            for family, cells in self.families.items()
            for rivals in cells.values()
            for elite in rivals
        }
        found: list[Tried] = []
        new: dict[str, list[Tried]] = defaultdict(list)
        for key, one in first.items():
            rewards, passed = zip(*met[key], strict=True)
            shown = replace(one, rewards=rewards)
            if key in known:
                found.append(shown)
            elif any(passed):
                new[one.family].append(shown)
        for each in new.values():
            each.sort(key=lambda one: -sum(one.rewards) / len(one.rewards))
            found += each[:NEW]
        return found

    def learn(self, message: Archived) -> None:
        """Take in what was tried, and keep the best."""
        for one in message.tried:
            rivals = self.families.setdefault(one.family, {}).setdefault(one.cell, [])
            elite = next((elite for elite in rivals if elite.answer == one.answer), None)
            if elite is None:
                elite = Elite(one.answer, one.task, one.author)
                rivals.append(elite)
            elite.tries += len(one.rewards)
            elite.total += sum(one.rewards)
            elite.squares += sum(reward * reward for reward in one.rewards)
        for family, cells in list(self.families.items()):
            self._forget(family)
            if not cells:
                continue
            score = self._scores(family)
            for rivals in cells.values():
                rivals.sort(key=lambda elite: -score(elite))
                del rivals[RIVALS:]
            best = sorted(cells, key=lambda cell: -score(cells[cell][0]))[:CELLS]
            self.families[family] = {cell: cells[cell] for cell in best}

    def _forget(self, family: str) -> None:
        """Leave out what is no better than what is known already: it was lucky once."""
        cells = self.families[family]
        for cell, rivals in list(cells.items()):
            rivals[:] = [elite for elite in rivals if elite.mean > self.floor]
            if not rivals:
                del cells[cell]
        if not cells:
            del self.families[family]

    def _scores(self, family: str) -> Any:
        """The lower bound of one standard error of an elite's mean reward: what was lucky once is not the best."""
        elites = [elite for rivals in self.families[family].values() for elite in rivals]
        within = sum(elite.squares - elite.total * elite.mean for elite in elites)
        free = sum(elite.tries - 1 for elite in elites)
        tries = sum(elite.tries for elite in elites)
        overall = sum(elite.total for elite in elites) / tries
        whole = sum(elite.squares for elite in elites) / tries - overall**2
        spread = math.sqrt(max(0.0, within + UNSURE**2 * whole) / (free + 1))
        return lambda elite: elite.mean - spread / math.sqrt(elite.tries)

    def best(self, family: str) -> list[Elite]:
        """The best of each cell, the best first."""
        return [self.families[family][cell][0] for cell in self._cells(family)]

    def _cells(self, family: str) -> list[str]:
        """A family's cells, that of the best answer first."""
        if not self.families.get(family):
            return []
        score, cells = self._scores(family), self.families[family]
        return sorted(cells, key=lambda cell: -score(cells[cell][0]))

    def draw(self, family: str, count: int, rng: np.random.Generator) -> list[Elite]:
        """So many of a family's: of a cell drawn by the rank of its best, one drawn by its rank in the cell. None
        where there are none.
        """
        ranked = [self.families[family][cell] for cell in self._cells(family)]
        cells = _by_rank(len(ranked), count, rng)
        return [ranked[cell][at] for cell in cells for at in _by_rank(len(ranked[cell]), 1, rng)]

    # ── as a value ───────────────────────────────────────────────────────────────────────────────────────────

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            family: {cell: [asdict(elite) for elite in rivals] for cell, rivals in cells.items()}
            for family, cells in self.families.items()
        }

    def restore(self, values: Mapping[str, Any]) -> None:
        """The inverse of `to_json`."""
        self.families = {
            family: {cell: [Elite(**elite) for elite in rivals] for cell, rivals in cells.items()}
            for family, cells in values.items()
        }


def _by_rank(places: int, count: int, rng: np.random.Generator) -> list[int]:
    """So many of `places`, the first ones more often."""
    if not places:
        return []
    chance = np.exp(-np.arange(places) / RANKS)
    return [int(at) for at in rng.choice(places, size=count, p=chance / chance.sum())]
