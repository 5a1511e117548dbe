"""Which parts each algorithm of the policy gradient is made of. `learn.algorithm` of the charter names one.

                  credit            ratio       surrogate        mean        clip below, above
    grpo          group             token       clipped          sequence    1, 1
    gspo          group             sequence    clipped          sequence    0.0015, 0.002

`credit` says how rewards become advantages (`autotelic.credit`), the others what is done with them in an
update (`autotelic.learn.objective`). The two know nothing of each other but this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

CreditName = Literal["pooled", "group", "centred", "leave-one-out", "global", "gae", "right", "labels"]
"""How rewards become advantages: one class of `autotelic.credit` each."""
Ratio = Literal["token", "sequence", "trajectory"]
"""Of what the policy's ratio is taken: a token; the geometric mean of a sequence's tokens; their product."""
SurrogateName = Literal["clipped", "likelihood", "negative-aware"]
"""What is maximised: PPO's clipped surrogate, the log-likelihood, or NFT's likelihood of right and wrong."""
Mean = Literal["token", "sequence", "constant"]
"""What the sum over tokens is divided by: all tokens of the batch; each sequence's own, then the sequences;
or the longest completion times the sequences."""
AlgorithmName = Literal[
    "grpo-pooled", "grpo", "dr-grpo", "rloo", "reinforce++", "ppo", "gspo", "dapo", "raft", "nft"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Algorithm:
    """What an algorithm is made of.

    `below` and `above` are how far its ratio may move, in multiples of `learn.clip`. With `rounds` above 0
    groups without variance are sampled again, at most so often. `values` is whether it needs a critic's value
    at every token, `success` whether it needs to know which attempts passed. `paper` is where it comes from.
    """

    credit: CreditName
    paper: str
    ratio: Ratio = "token"
    surrogate: SurrogateName = "clipped"
    mean: Mean = "token"
    below: float = 1.0
    above: float = 1.0
    rounds: int = 0
    values: bool = False
    success: bool = False


HIGHER = 1.4
"""DAPO clips at 1 - 0.2 and 1 + 0.28 (Yu et al. 2025, arXiv:2503.14476, section 4.1)."""
ROUNDS = 3
"""DAPO samples until its batch is full. Three rounds more make at most four times the attempts."""

ALGORITHMS: Mapping[AlgorithmName, Algorithm] = {
    # Leave-one-out baseline steadied by the critic, one scale for all groups of a role and mode.
    "grpo-pooled": Algorithm(credit="pooled", above=HIGHER, paper="arXiv:2402.03300, arXiv:2506.24119"),
    # Shao et al. 2024, equation 3.
    "grpo": Algorithm(credit="group", mean="sequence", paper="arXiv:2402.03300"),
    # Liu et al. 2025, section 3.2: neither the deviation nor the length divides.
    "dr-grpo": Algorithm(credit="centred", mean="constant", paper="arXiv:2503.20783"),
    # Ahmadian et al. 2024: a whole completion is one action.
    "rloo": Algorithm(credit="leave-one-out", ratio="trajectory", mean="sequence", paper="arXiv:2402.14740"),
    # Hu et al. 2025: one baseline and one scale for all prompts.
    "reinforce++": Algorithm(credit="global", paper="arXiv:2501.03262"),
    # Schulman et al. 2017, with generalised advantages (Schulman et al. 2016, arXiv:1506.02438).
    "ppo": Algorithm(credit="gae", values=True, paper="arXiv:1707.06347"),
    # Zheng et al. 2025, section 5.1: clipped at 1 - 3e-4 and 1 + 4e-4, which learn.clip = 0.2 gives.
    "gspo": Algorithm(
        credit="group", ratio="sequence", mean="sequence", below=0.0015, above=0.002, paper="arXiv:2507.18071"
    ),
    "dapo": Algorithm(credit="group", above=HIGHER, rounds=ROUNDS, paper="arXiv:2503.14476"),
    # Dong et al. 2023, and ReST-EM (Singh et al. 2023, arXiv:2312.06585): right answers are imitated.
    "raft": Algorithm(credit="right", surrogate="likelihood", success=True, paper="arXiv:2304.06767"),
    "nft": Algorithm(credit="labels", surrogate="negative-aware", success=True, paper="arXiv:2505.18116"),
}
assert set(ALGORITHMS) == set(get_args(AlgorithmName))
