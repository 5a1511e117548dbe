"""Do the charter's tasks fit the model? Asked before a run folder is made.

What is too long is left out and counted while a run goes on. A charter whose tasks are too long as a rule
would learn from the others alone, or from nothing, and say so only in its record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autotelic.charter import BUILT_IN, Charter
from autotelic.errors import ModelError
from autotelic.models.tokens import Tokens
from autotelic.protocols import Demonstrating, Domain, Interactive, Proposable
from autotelic.streams import stream
from autotelic.types import Cell, Task

TRIED = 3
"""Tasks drawn of each mode and level: prompts of one cell differ little in length."""


@dataclass(frozen=True, slots=True)
class _Longest:
    """The longest prompt with what may come after it, in tokens, and what it is of."""

    prompt: int
    answer: int
    what: str

    @property
    def whole(self) -> int:
        return self.prompt + self.answer


def check_lengths(charter: Charter, domain: Domain, tokens: Tokens, context: int) -> None:
    """Raise ModelError where prompts of the rules, with an answer of `roles.max_tokens` or a demonstration,
    are longer than the `context`.

    Of a domain of several turns the first is looked at, and whether the next can be asked.
    """
    low = min(charter.domain.levels[0], charter.exam.levels[0])
    high = max(charter.domain.levels[1], charter.exam.levels[1])
    modes = charter.domain.modes or tuple(domain.spec.modes)
    cells = [Cell(mode=mode, level=level) for mode in modes for level in range(low, high + 1)]
    tasks = domain.tasks(stream(charter.seed, "lengths"), cells * TRIED)
    if isinstance(domain, Interactive):
        tokens.reply_ids("next")
    found = _answered(tasks, domain, tokens, charter.roles.max_tokens)
    if isinstance(domain, Proposable) and charter.curriculum.actor_share:
        found += _proposed(tasks, domain, tokens, charter)
    longest = max(found, key=lambda one: one.whole, default=None)
    if longest is None or longest.whole <= context:
        return
    room = context - longest.prompt
    fix = f"set roles.max_tokens = {room} or less, or take" if room > 0 else "take"
    if charter.model.name in BUILT_IN:
        fix += f" model.tiny.context = {longest.whole} or more, or"
    raise ModelError(
        f"{longest.what} takes {longest.whole} tokens ({longest.prompt} of prompt and {longest.answer} of answer), "
        f"and the model has {context}",
        f"{fix} lower domain.levels and exam.levels, or a model with more positions",
    )


def _answered(tasks: Sequence[Task], domain: Domain, tokens: Tokens, most: int) -> list[_Longest]:
    """Tasks with the longest answer that may be given, or that is shown."""
    shown = [0] * len(tasks)
    if isinstance(domain, Demonstrating):
        known = domain.demonstrate(tasks)
        written = iter(tokens.completions([d.completion for d in known if d is not None]))
        shown = [0 if d is None else len(next(written)) for d in known]
    prompts = tokens.prompts([task.prompt for task in tasks])
    return [
        _Longest(len(ids), max(most, length), f"a task of {task.cell}")
        for task, ids, length in zip(tasks, prompts, shown, strict=True)
    ]


def _proposed(tasks: Sequence[Task], domain: Proposable, tokens: Tokens, charter: Charter) -> list[_Longest]:
    """Questions for a new task, with as many tasks shown as the charter says."""
    of_cell: dict[Cell, list[Task]] = {}
    for task in tasks:
        of_cell.setdefault(task.cell, []).append(task)
    references = charter.roles.references
    asked = [domain.ask(cell, (found * references)[:references]) for cell, found in of_cell.items()]
    return [
        _Longest(len(ids), charter.roles.max_tokens, f"the question for a new task of {cell}")
        for cell, ids in zip(of_cell, tokens.prompts(asked), strict=True)
    ]
