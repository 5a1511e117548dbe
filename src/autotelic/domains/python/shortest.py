"""The plainest argument: of an abduction's own input, the least that still gives the same output.

Most of an input has nothing to do with what is asked (`x.count(2)==2` of `[6,2,9,5,2,4]`), and whoever learns
from such an answer learns to guess the rest. What can be left out is found by running, as property tests
shrink what they report (MacIver and Donaldson 2020, "Test-Case Reduction via Test-Case Generation", ECOOP).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

from autotelic.domains.literal import canonical
from autotelic.domains.programs.admission import Evidence
from autotelic.domains.programs.execution import Ask, Executor
from autotelic.domains.programs.inputs import plain
from autotelic.domains.python.program import Program
from autotelic.types import Json

FEW = 8
"""Elements of which every selection is tried; of more, only those that are left of leaving out one stretch."""


def shortened(executor: Executor[Program], found: Sequence[Evidence[Program]]) -> list[Evidence[Program]]:
    """The evidence with each first input cut to the shortest part of it that has the same output, and its trace."""
    tried = [_parts(evidence.pairs[0][0]) for evidence in found]
    asks = [Ask(program=e.draft.program, inputs=(*parts,)) for e, parts in zip(found, tried, strict=True)]
    chosen: list[Json] = []
    for evidence, parts, outcome in zip(found, tried, executor.run(asks), strict=True):
        given, output = evidence.pairs[0]
        same = [
            part
            for part, row in zip(parts, outcome.rows, strict=False)
            if isinstance(row, list) and canonical(row[-1]) == canonical(output)
        ]
        chosen.append(same[0] if same else given)
    traced = [
        Ask(program=e.draft.program, inputs=(given,), traced=True)
        for e, given in zip(found, chosen, strict=True)
    ]
    return [
        replace(e, pairs=((given, e.pairs[0][1]), *e.pairs[1:]), trace=outcome.trace)
        if outcome.trace and all(plain(value, e.draft.cell.level) for value in outcome.trace)
        else e
        for e, given, outcome in zip(found, chosen, executor.run(traced), strict=True)
    ]


def _parts(given: Json) -> list[Json]:
    """What is left of a list or a text after leaving some of it out, not all; the shortest first.

    >>> _parts([3, 1, 4])
    [[3], [1], [4], [3, 1], [3, 4], [1, 4]]
    """
    if not isinstance(given, list | str):
        return []
    count = len(given)
    if count <= FEW:
        kept = [list(at) for size in range(1, count) for at in combinations(range(count), size)]
    else:
        sizes = range(count - 1, 0, -1)
        gaps = [range(at, at + size) for size in sizes for at in range(count - size + 1)]
        kept = [[i for i in range(count) if i not in gap] for gap in gaps]
    if isinstance(given, str):
        return ["".join(given[i] for i in at) for at in kept]
    return [[given[i] for i in at] for at in kept]
