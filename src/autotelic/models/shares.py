"""A call of a sampler cut into shares, and put together again.

The rounding of a matrix product depends on its shape, so what is decoded together decides the last bits. Shares
depend on the requests and on their number alone: as many shares give the same bits, whoever decodes which.
"""

from __future__ import annotations

from collections.abc import Sequence

from autotelic.types import Request, Turn


def dealt(requests: Sequence[Request], shares: int) -> list[list[int]]:
    """The places of the requests in each of so many shares, fewer where there are fewer requests.

    Dealt out by length, so that all shares take about as long.
    """
    order = sorted(range(len(requests)), key=lambda i: size_of(requests[i]))
    return [order[at::shares] for at in range(min(shares, len(order)))]


def gathered(
    shares: Sequence[Sequence[int]], found: Sequence[Sequence[list[Turn]]], count: int
) -> list[list[Turn]]:
    """What was sampled for each share, in the order of the `count` requests that `dealt` cut up."""
    turns: list[list[Turn]] = [[] for _ in range(count)]
    for share, run in zip(shares, found, strict=True):
        for i, of_request in zip(share, run, strict=True):
            turns[i] = of_request
    return turns


def size_of(request: Request) -> int:
    """The most tokens that a row of the request may come to."""
    return len(request.prompt_ids) + request.max_tokens
