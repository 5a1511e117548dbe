"""PPO: what each token was worth, by a critic that values every prefix of an attempt.

V(s_0) ── token ── V(s_1) ── token ── V(s_2) ── last token ── reward
     delta_0            delta_1              delta_2 = r - V(s_2)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from autotelic.credit.rewards import EPSILON, Advantage, Floats, as_tuple, rewards_of, varied
from autotelic.credit.whole import GlobalNormalised
from autotelic.types import YES_NO, Group, Scale

Values = Callable[[Sequence[Group]], Sequence[Sequence[Sequence[float]]]]
"""For each attempt of each group, the value before each token that it sampled: `Critic.values`."""
LAMBDA = 0.95
"""Between one step's surprise (0) and the whole return (1); the value of Schulman et al. 2017, table 3."""


def gae(value_T: Sequence[float] | Floats, reward: float, lam: float = LAMBDA) -> Floats:
    """Generalised advantages (Schulman et al. 2016, arXiv:1506.02438, eq. 16), undiscounted. [T] -> [T].

    The reward comes with the last token, and nothing after it.
    """
    v_T = np.asarray(value_T, dtype=np.float64)
    delta_T = np.append(v_T[1:], reward) - v_T
    found_T = np.zeros_like(v_T)
    carried = 0.0
    for t in range(len(v_T) - 1, -1, -1):
        carried = float(delta_T[t]) + lam * carried
        found_T[t] = carried
    return found_T


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenAdvantage:
    """PPO's advantages, one a token, brought to mean 0 and deviation 1 over all tokens of a generation.

    Values are the critic's probabilities of success, on the scale of [0, 1] that rewards are brought to. A
    proposer has no critic: its advantages are REINFORCE++'s.
    """

    values: Values
    scale: Scale = YES_NO

    def assign(self, groups: Sequence[Group]) -> list[tuple[Advantage, ...] | None]:
        """For each attempt one advantage a sampled token; None where all tokens have the same."""
        solving = [group for group in groups if group.role == "solver"]
        said = iter(self.values(solving) if solving else [])
        whole: list[list[Floats]] = []
        for group in solving:
            pairs = zip(next(said), rewards_of(group, self.scale), strict=True)
            whole.append([gae(value_T, float(reward)) for value_T, reward in pairs])
        flat_N = np.concatenate([np.zeros(0), *(a_T for group in whole for a_T in group)])
        taught = varied(flat_N)
        mean, deviation = (flat_N.mean(), flat_N.std(ddof=1) + EPSILON) if taught else (0.0, 1.0)
        mine = iter(whole)
        others = iter(GlobalNormalised().assign([group for group in groups if group.role != "solver"]))
        found: list[tuple[Advantage, ...] | None] = []
        for group in groups:
            if group.role != "solver":
                found.append(next(others))
                continue
            tokens = next(mine)
            found.append(tuple(as_tuple((a_T - mean) / deviation) for a_T in tokens) if taught else None)
        return found
