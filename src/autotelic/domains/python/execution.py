"""Running straight-line programs: many in one process, with what they have in common.

An operation is compiled once a process, as a function of `x`, and a program is a list of them. They cannot
reach each other: the whitelist leaves them no name but their argument, no attribute, no statement, and
nothing that is still to be evaluated when its line is over.
"""

from __future__ import annotations

from collections.abc import Sequence

from autotelic.domains.programs.execution import Ask
from autotelic.domains.python.program import Program
from autotelic.sandbox import Job
from autotelic.types import Json

DRIVER = """
def run(lines, inputs, probe, traced):
    steps = [OPERATIONS[line] for line in lines]
    runs = [follow(steps, given) for given in inputs]
    trace = runs[0][0][1:] if traced and len(runs[0][0]) > len(steps) else []
    tried = range(len(steps) if probe >= 0 and len(steps) > 1 else 0)
    return [trace, [row for _, row in runs], [i for i in tried if idle(steps, runs[probe:], i)]]

def follow(steps, value):
    values = [value]
    try:
        for step in steps:
            value = step(value)
            values.append(value)
    except Exception as error:
        return values, type(error).__name__
    return values, [value]

def idle(steps, runs, i):
    rest = steps[i + 1:]
    return all(i >= len(values) or follow(rest, values[i])[1] == row for values, row in runs)
"""
"""What calls the programs inside the sandbox. Nothing of a model's is in it."""


def bundled(asks: Sequence[Ask[Program]]) -> Job:
    """One job for all of them: their operations as source, from the checked expressions alone, and a case an
    ask. The asks must agree on `twice`.
    """
    number: dict[str, int] = {}
    cases: list[Json] = []
    for ask in asks:
        lines: list[Json] = [number.setdefault(e, len(number)) for e in ask.program.expressions]
        cases.append([lines, list(ask.inputs), ask.probe, ask.traced])
    operations = "".join(f"    lambda x: {expression},\n" for expression in number)
    return Job(
        source=f"{DRIVER}\nOPERATIONS = [\n{operations}]\n",
        entry="run",
        inputs=tuple(cases),
        twice=asks[0].twice,
    )
