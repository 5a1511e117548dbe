"""Running functions: many in one process, as `python/execution.py` runs programs.

They cannot reach each other: a function sees its argument, variables of its own and the builtins of the whitelist;
what the driver defines begins with an underscore, which no name of a model's does. What does not halt is ended by the
count of its loops' turns.
"""

from __future__ import annotations

from collections.abc import Sequence

from autotelic.domains.functions.source import Function, runnable
from autotelic.domains.programs.execution import Ask
from autotelic.sandbox import Job
from autotelic.types import Json

MAX_TURNS = 1_000
"""Turns of all loops of a call together, before it ends with `Turns`."""
MAX_NOTES = 24
"""Changes of variables that are noted."""
TOO_LONG: list[Json] = [["...", None]]
"""The trace of a call with more."""

DRIVER = f"""
class Turns(Exception):
    pass

_turned = 0
_notes = None

def _turn():
    global _turned
    _turned += 1
    if _turned > {MAX_TURNS}:
        raise Turns
    return True

def _turns(items):
    for item in items:
        _turn()
        yield item

def _note(name, value):
    if _notes is not None and len(_notes) <= {MAX_NOTES}:
        _notes.append([name, list(value) if type(value) is list else value])

def _run(number, inputs, traced):
    global _turned, _notes
    rows, trace = [], []
    for at, given in enumerate(inputs):
        _turned, _notes = 0, [] if traced and at == 0 else None
        try:
            rows.append([_FUNCTIONS[number](list(given) if type(given) is list else given)])
        except Exception as error:
            rows.append(type(error).__name__)
        else:
            trace = trace if _notes is None else _notes if len(_notes) <= {MAX_NOTES} else {TOO_LONG}
    return [trace, rows, []]
"""
"""What calls the functions inside the sandbox. Nothing of a model's is in it."""


def bundled(asks: Sequence[Ask[Function]]) -> Job:
    """One job for all of them: their functions as source, from checked trees alone, and a case an ask. The asks must
    agree on `twice`. `Outcome.trace` then has pairs of a variable's name and its new value.
    """
    number: dict[Function, int] = {}
    cases: list[Json] = [
        [number.setdefault(ask.program, len(number)), list(ask.inputs), ask.traced] for ask in asks
    ]
    functions = "\n\n".join(runnable(function, f"_f{i}") for function, i in number.items())
    names = ", ".join(f"_f{i}" for i in number.values())
    return Job(
        source=f"{DRIVER}\n{functions}\n\n_FUNCTIONS = [{names}]\n",
        entry="_run",
        inputs=tuple(cases),
        twice=asks[0].twice,
    )
