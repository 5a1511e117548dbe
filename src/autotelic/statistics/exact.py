"""Exact tails of counts: how likely is so large a count, or a larger one?"""

from __future__ import annotations

import math


def binomial_tail(count: int, n: int, rate: float) -> float:
    """P(X >= count) for X of `n` independent events of probability `rate`."""
    if not 0 <= count <= n:
        raise ValueError(f"{count} of {n}; expected from 0 to {n}")
    if not 0 <= rate <= 1:  # so that nan fails too
        raise ValueError(f"a rate of {rate:g}; expected from 0 to 1")
    if count == 0 or rate == 1:
        return 1.0
    if rate == 0:
        return 0.0
    terms = [
        math.lgamma(n + 1)
        - math.lgamma(k + 1)
        - math.lgamma(n - k + 1)
        + k * math.log(rate)
        + (n - k) * math.log1p(-rate)
        for k in range(count, n + 1)
    ]
    return min(1.0, math.fsum(map(math.exp, terms)))


def fisher_tail(count: int, n: int, other: int, m: int) -> float:
    """P of `count` of `n` or more, where `count + other` of `n + m` are dealt out blindly (Fisher 1935).

    Small where the first share is larger than that of `other` of `m` by more than chance.
    """
    if not (0 <= count <= n and 0 <= other <= m):
        raise ValueError(f"{count} of {n} and {other} of {m}; expected no count above its number")
    both = count + other
    ways = math.comb(n + m, both)
    found = sum(
        math.comb(n, k) * math.comb(m, both - k) for k in range(count, min(n, both) + 1) if both - k <= m
    )
    return found / ways
