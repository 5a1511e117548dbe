"""How old an attempt may be, in updates, when it is learned from.

All attempts of a generation are sampled by the weights before its first update: each turn names them. In the
k-th update after it they are k updates old, and their ratio is one between two policies. The clipped surrogate
holds that in bounds; this bound drops what is older than it allows.
"""

from __future__ import annotations

from collections.abc import Sequence

from autotelic.learn.pack import Trace
from autotelic.messages import Dropped


def fresh(batches: Sequence[list[Trace]], bound: int) -> tuple[list[list[Trace]], list[Dropped]]:
    """The batches without attempts and proposals that are more than `bound` updates old, and what that
    dropped. 0 is no bound. Batches of which nothing is left are left out.
    """
    if not bound:
        return list(batches), []
    kept = [
        batch if age <= bound else [trace for trace in batch if not trace.policy.any()]
        for age, batch in enumerate(batches)
    ]
    dropped = sum(map(len, batches)) - sum(map(len, kept))
    why = f"more than {bound} updates older than the weights that sampled them (learn.staleness)"
    return [b for b in kept if b], [Dropped(what="attempt", n=dropped, why=why)] if dropped else []
