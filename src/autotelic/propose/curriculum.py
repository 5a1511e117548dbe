"""What to practise next: a bandit over (mode × level), driven by what there is still to learn.

A cell's weight is the mean of what the two streams of learning have to gain from it. Credit has the expected
|advantage|: for a reward of 0 or 1 with success p that is 2p(1-p), largest at one half (self-evolving curriculum,
Chen et al. 2025, arXiv:2505.14970). Imitation of worked solutions has the share that fails, 1 - p: it needs no
success to begin with, and what is never solved has most to give. So that most of a run does not go to what is out of
reach, the levels of a mode open one after another, each once enough of the one before it is solved. Modes come one
after another too, because what one teaches is half of the next: whoever can run a program can begin to invert it, and
to guess it. A fixed share is kept for every open cell, whether its mode has come or not, and a further share is drawn
uniformly.

All shares are of tokens, which is what learning costs: a cell whose tasks are twice as long gets half as many.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autotelic.types import Cell, Group

MEMORY = 0.7
"""Weight of what was believed before, against a generation's new evidence from one cell."""


@dataclass(slots=True, kw_only=True)
class Standing:
    """What is believed about one cell: success `p`, what is left to `gain`, attempts `tried`, and the tokens that a
    task comes to, `cost`.
    """

    p: float = 0.0
    gain: float = 1.0  # optimistic: a cell that was never tried is worth trying
    tried: int = 0
    cost: float = 0.0  # not known yet


@dataclass(slots=True, kw_only=True)
class Curriculum:
    """The bandit. `modes` and `levels` span the cells; `unlock` is the success that opens a mode's next level, `lead`
    the mean success of a mode after which the next one comes; `open_to`, by mode, and `leading` say how far it is.
    """

    modes: Sequence[str]
    levels: tuple[int, int]
    unlock: float
    retention: float
    explore: float
    lead: float = 0.0
    open_to: dict[str, int] = field(default_factory=dict)
    leading: int = 1
    standing: dict[Cell, Standing] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # What asks for no success is open from the start.
        lowest, highest = self.levels
        self.open_to = dict.fromkeys(self.modes, lowest if self.unlock else highest) | self.open_to
        self.leading = self.leading if self.lead else len(self.modes)
        for level in range(lowest, highest + 1):
            for mode in self.modes:
                self.standing.setdefault(Cell(mode=mode, level=level), Standing())

    def cells(self) -> list[Cell]:
        """The open cells, by level and then by mode."""
        return [cell for cell in self.standing if cell.level <= self.open_to[cell.mode]]

    def shares(self) -> dict[Cell, float]:
        """How a generation's tasks are to be divided among open cells; sums to 1."""
        cells = self.cells()
        come_C = np.array([cell.mode in self.modes[: self.leading] for cell in cells], dtype=float)
        gain_C = np.array([self.standing[cell].gain for cell in cells]) * come_C
        even_C = come_C / come_C.sum()
        led_C = gain_C / gain_C.sum() if gain_C.sum() > 0 else even_C
        free = 1 - self.retention - self.explore
        wanted_C = self.retention / len(cells) + self.explore * even_C + free * led_C
        cost_C = np.array([self.standing[cell].cost for cell in cells])
        if not cost_C.all():  # a mean and a guess do not compare
            cost_C[:] = 1.0
        share_C = wanted_C / cost_C
        return dict(zip(cells, (share_C / share_C.sum()).tolist(), strict=True))

    def allocate(self, count: int, rng: np.random.Generator) -> list[Cell]:
        """`count` cells in random order, each as often as its share says, to the nearest whole."""
        shares = self.shares()
        wanted_C = np.array(list(shares.values())) * count
        times_C = np.floor(wanted_C).astype(int)
        # Largest remainders first; ties by order, so the result is a function of shares and rng alone.
        for index in np.argsort(times_C - wanted_C, kind="stable")[: count - int(times_C.sum())]:
            times_C[index] += 1
        cells = [cell for cell, times in zip(shares, times_C, strict=True) for _ in range(times)]
        return [cells[i] for i in rng.permutation(len(cells))]

    def learn(self, groups: Sequence[Group]) -> bool:
        """Take in what groups of attempts showed; returns whether a level of a mode was opened."""
        seen: dict[Cell, list[float]] = {}
        for group in groups:
            if group.task.cell in self.standing:
                seen.setdefault(group.task.cell, []).append(float(np.mean(group.rewards)))
        for cell, p_N in seen.items():
            standing = self.standing[cell]
            # Shrunk to a Beta(1, 1) prior over eight attempts, so that eight of eight is not certain.
            shrunk_N = (np.array(p_N) * 8 + 1) / (8 + 2)
            advantage_N, failed_N = 4 * shrunk_N * (1 - shrunk_N), 1 - shrunk_N  # both 1 at most
            new_p, new_gain = float(np.mean(p_N)), float(np.mean(advantage_N + failed_N)) / 2
            memory = MEMORY if standing.tried else 0.0
            standing.p = memory * standing.p + (1 - memory) * new_p
            standing.gain = memory * standing.gain + (1 - memory) * new_gain
            standing.tried += len(p_N)
        self._lead_on()
        return self._open_next()

    def weigh(self, tokens: Mapping[Cell, float]) -> None:
        """Take in how many tokens a task of these cells comes to, solution included. Others keep what they have."""
        for cell, size in tokens.items():
            if cell in self.standing:
                self.standing[cell].cost = size

    def _lead_on(self) -> None:
        if self.leading >= len(self.modes):
            return
        latest = self.modes[self.leading - 1]
        tried = [s.p for cell, s in self.standing.items() if cell.mode == latest and s.tried]
        if tried and np.mean(tried) >= self.lead:
            self.leading += 1

    def _open_next(self) -> bool:
        opened = False
        for mode, level in self.open_to.items():
            top = self.standing[Cell(mode=mode, level=level)]
            if level < self.levels[1] and top.tried and top.p >= self.unlock:
                self.open_to[mode] = level + 1
                opened = True
        return opened

    # ── state, for checkpoints ───────────────────────────────────────────────────────────────────────────

    def state(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "open_to": dict(self.open_to),
            "leading": self.leading,
            "standing": {str(c): [s.p, s.gain, s.tried, s.cost] for c, s in self.standing.items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """The inverse of `state`."""
        self.open_to, self.leading = dict(state["open_to"]), state["leading"]
        self.standing = {
            Cell.parse(name): Standing(p=p, gain=gain, tried=tried, cost=cost)
            for name, (p, gain, tried, cost) in state["standing"].items()
        }
