"""The streams of a lesson, and their shares of its gradient.

    demonstrations ─┐
    own answers    ─┤   each sequence at weight 1     share_s · T / T_s
    policy         ─┼──► tokens T_s of each stream ──► a weight a stream ──► one lesson
    practice       ─┤
    form           ─┘

A mean over all tokens would give a stream what it happens to have written: a few hundred attempts beside thousands
of demonstrations are two hundredths of the gradient. So every stream is weighed to the share that the charter
names, as far as `MOST` allows, and the lesson records the shares as they turned out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from autotelic.charter import Learn
from autotelic.learn.pack import Trace
from autotelic.types import Entry, Kind

Sequences = list[tuple[Entry, Trace]]
MOST = 8.0
"""The heaviest that a token of a stream may be: a handful of attempts would otherwise be the whole gradient."""
STREAMS: Mapping[Kind, str] = {
    "demonstration": "imitation",
    "own": "own",
    "attempt": "policy",
    "proposal": "policy",
    "practice": "practice",
    "form": "form",
}
"""The setting of the charter that names the share of each kind of sequence."""


def weighed(sequences: Sequence[tuple[Entry, Trace]], learn: Learn) -> tuple[Sequences, dict[str, float]]:
    """The sequences at the weights of their streams, and the share of each stream as it turned out.

    Streams that have nothing this time leave their share to the others. Those whose share is 0 are left out.
    """
    named = {kind: float(getattr(learn, setting)) for kind, setting in STREAMS.items()}
    kept = [(entry, trace) for entry, trace in sequences if named[entry.kind]]
    tokens: Counter[str] = Counter()
    for entry, trace in kept:
        tokens[STREAMS[entry.kind]] += predicted(trace)
    present = {name: float(getattr(learn, name)) for name in tokens if tokens[name]}
    total, shares = sum(tokens.values()), sum(present.values())
    weight = {
        name: float(np.float32(min(MOST, share / shares * total / tokens[name])))
        for name, share in present.items()
    }
    found = [_at(entry, trace, weight[STREAMS[entry.kind]]) for entry, trace in kept if predicted(trace)]
    whole = sum(weight[name] * tokens[name] for name in present) or 1.0
    return found, {name: weight[name] * tokens[name] / whole for name in present}


def predicted(trace: Trace) -> int:
    """How many tokens of a trace are learned."""
    return int(np.count_nonzero((trace.nll > 0) | (trace.policy > 0)))


def _at(entry: Entry, trace: Trace, weight: float) -> tuple[Entry, Trace]:
    """A sequence at the weight of its stream, in 32 bits, as it is recorded and computed again."""
    scaled = np.float32(entry.weight * weight)
    if trace.policy.any():
        return replace(entry, weight=float(scaled)), replace(trace, advantage=trace.policy * scaled)
    unit = trace.nll / np.float32(entry.weight)
    return replace(entry, weight=float(scaled)), replace(trace, nll=unit * scaled)
