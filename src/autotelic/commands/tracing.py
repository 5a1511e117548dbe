"""`autotelic why`: what an answer rests on, from the verdict back to the weights that a run began from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from autotelic.commands import Json

if TYPE_CHECKING:
    from autotelic.trace.graph import Lineage

Flag = Annotated[bool, Parameter(negative="")]


def why(
    run: Path,
    *,
    attempt: int | None = None,
    prompt: str | None = None,
    item: str | None = None,
    as_json: Json = False,
) -> int:
    """Say what an answer rests on: weights, updates, experiences, their authors, verdicts, exams, signatures.

    Parameters
    ----------
    run
        The run folder.
    attempt
        The number of an attempt.
    prompt
        A prompt: the champion answers it now, greedily.
    item
        The id of a task or exam item, or how it begins: the newest attempt at it.
    """
    from autotelic.errors import RunError
    from autotelic.record import Journal, RunFolder
    from autotelic.trace.text import describe

    if sum(one is not None for one in (attempt, prompt, item)) != 1:
        raise RunError(
            "`why` is about one answer", "give one of --attempt NUMBER, --prompt TEXT and --item ID"
        )
    place = RunFolder.open(run)
    with Journal.open(place.path) as journal:
        lineage = _lineage(place, journal, attempt, prompt, item)
    if as_json:
        print(json.dumps(lineage.as_json(), indent=1))
    else:
        print(describe(lineage))
    return 0 if lineage.complete else 1


def _lineage(place: Any, journal: Any, attempt: int | None, prompt: str | None, item: str | None) -> Lineage:
    from autotelic.trace import lineage as tracing

    if prompt is not None:
        from autotelic.trace.asking import lineage_of_prompt  # torch takes seconds to import

        return lineage_of_prompt(place, journal, prompt)
    if item is not None:
        from autotelic.dashboard.inspect import task_named

        attempt = tracing.newest_attempt_at(journal, task_named(journal, item))
    assert attempt is not None
    return tracing.lineage_of_attempt(place, journal, attempt)
