"""What to practise next: a bandit over (mode, level), driven by what there is still to learn.

What a cell has to teach by credit is the expected advantage: for a reward of 0 or 1 with success p that is
2p(1-p), largest at one half (self-evolving curriculum, Chen et al. 2025, arXiv:2505.14970), and for real
rewards their variance. Imitation of demonstrations has the share that fails, 1 - p: it needs no success to
begin with, and what is never solved has most to give. A cell's weight is the mean of both, or the first alone
where nothing is imitated. All levels are open from the start. Modes come one after another, because what one
teaches is half of the next: whoever can run a program can begin to invert it, and to guess it. A fixed share
is kept for every cell, whether its mode has come or not, and as much is drawn uniformly over the modes that
have come.

All shares are of tokens, which is what learning costs: a cell whose tasks are twice as long gets half as
many.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autotelic.scale import scaled
from autotelic.types import Cell, Group, Scale

MEMORY = 0.7
"""Weight of what was believed before, against a generation's new evidence from one cell."""


@dataclass(slots=True, kw_only=True)
class Standing:
    """What is believed about one cell: success `p` (or mean scaled reward), what is left to `gain`, attempts
    `tried`, and the tokens that a task comes to, `cost`.
    """

    p: float = 0.0
    gain: float = 1.0  # optimistic: a cell that was never tried is worth trying
    tried: int = 0
    cost: float = 0.0  # not known yet


@dataclass(slots=True, kw_only=True)
class Curriculum:
    """The bandit. `modes` and `levels` span the cells; `spread` is the share of tasks that does not follow
    the gain; `mastery` is the mean success of a mode after which the next one comes, and `leading` how many
    have. `imitates` is whether demonstrations are learned from.
    """

    modes: Sequence[str]
    levels: tuple[int, int]
    spread: float
    mastery: float = 0.0
    imitates: bool = True
    leading: int = 1
    standing: dict[Cell, Standing] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.leading = self.leading if self.mastery else len(self.modes)
        for level in range(self.levels[0], self.levels[1] + 1):
            for mode in self.modes:
                self.standing.setdefault(Cell(mode=mode, level=level), Standing())

    def cells(self) -> list[Cell]:
        """All cells, by level and then by mode."""
        return list(self.standing)

    def shares(self) -> dict[Cell, float]:
        """How a generation's tasks are to be divided among the cells; sums to 1."""
        cells = self.cells()
        come_C = np.array([cell.mode in self.modes[: self.leading] for cell in cells], dtype=float)
        gain_C = np.array([self.standing[cell].gain for cell in cells]) * come_C
        even_C = come_C / come_C.sum()
        led_C = gain_C / gain_C.sum() if gain_C.sum() > 0 else even_C
        half = self.spread / 2
        wanted_C = half / len(cells) + half * even_C + (1 - self.spread) * led_C
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

    def learn(self, groups: Sequence[Group], scale: Scale) -> None:
        """Take in what groups of attempts showed. For `State.apply` alone."""
        seen: dict[Cell, list[tuple[float, float]]] = {}
        for group in groups:
            if group.task.cell in self.standing and group.verdicts:
                reward_G = np.array([scaled(scale, reward) for reward in group.rewards])
                seen.setdefault(group.task.cell, []).append(
                    (float(reward_G.mean()), float((reward_G**2).mean()))
                )
        for cell, found in seen.items():
            mean_N, square_N = np.array(found).T
            standing = self.standing[cell]
            # Shrunk to one success and one failure over eight attempts, so that eight of eight is not
            # certain.
            shrunk_N, shrunk_square_N = (mean_N * 8 + 1) / 10, (square_N * 8 + 1) / 10
            advantage_N = 4 * (shrunk_square_N - shrunk_N**2)  # 1 at most, as is the share that fails
            gain_N = (advantage_N + 1 - shrunk_N) / 2 if self.imitates else advantage_N
            memory = MEMORY if standing.tried else 0.0
            standing.p = memory * standing.p + (1 - memory) * float(mean_N.mean())
            standing.gain = memory * standing.gain + (1 - memory) * float(gain_N.mean())
            standing.tried += len(found)
        self._lead_on()

    def weigh(self, tokens: Mapping[Cell, float]) -> None:
        """Take in how many tokens a task of these cells comes to, solution included. Others keep what they
        have.
        """
        for cell, size in tokens.items():
            if cell in self.standing:
                self.standing[cell].cost = size

    def _lead_on(self) -> None:
        if self.leading >= len(self.modes):
            return
        latest = self.modes[self.leading - 1]
        tried = [s.p for cell, s in self.standing.items() if cell.mode == latest and s.tried]
        if tried and np.mean(tried) >= self.mastery:
            self.leading += 1

    # ── state, for checkpoints ───────────────────────────────────────────────────────────────────────────

    def state(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "leading": self.leading,
            "standing": {str(c): [s.p, s.gain, s.tried, s.cost] for c, s in self.standing.items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """The inverse of `state`."""
        self.leading = state["leading"]
        self.standing = {
            Cell.parse(name): Standing(p=p, gain=gain, tried=tried, cost=cost)
            for name, (p, gain, tried, cost) in state["standing"].items()
        }
