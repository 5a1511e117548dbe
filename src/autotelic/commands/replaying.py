"""`autotelic replay`: an update, or all decisions, computed again from the journal."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from autotelic.commands import Json
from autotelic.commands.preflight import refuse_limits


def replay(
    run: Path,
    step: int | None = None,
    *,
    decisions: Annotated[bool, Parameter(negative="")] = False,
    as_json: Json = False,
) -> int:
    """Compute an update of a run again and compare the weights bit for bit; the exit code is 1 if they
    differ.

    It starts from the nearest checkpoint that is kept before the update.

    Parameters
    ----------
    run
        The run folder.
    step
        The number of the update, from 0.
    decisions
        Instead: every decision of the gate, from the items and outcomes that were recorded.
    """
    from autotelic.errors import RunError

    if (step is None) == (not decisions):
        raise RunError(
            "nothing or two things to compute again", "give the number of an update, or --decisions"
        )
    return _decisions(run, as_json) if step is None else _update(run, step, as_json)


def _update(run: Path, step: int, as_json: bool) -> int:
    refuse_limits()
    from autotelic.engine.replay import replay as again

    def show(at: int) -> None:
        if sys.stderr.isatty():
            print(f"\rupdate {at}", end="", file=sys.stderr, flush=True)

    found = again(run, step, show)
    if sys.stderr.isatty():
        print("\r", end="", file=sys.stderr)
    if as_json:
        print(json.dumps({**asdict(found), "same": found.same}, indent=2))
    else:
        print(f"update {found.step}, after {found.updates} updates from the nearest checkpoint")
        print(f"  recorded  {found.recorded}")
        print(f"  computed  {found.computed}  {'the same' if found.same else 'DIFFERENT'}")
    return 0 if found.same else 1


def _decisions(run: Path, as_json: bool) -> int:
    from autotelic.engine.replay import decisions

    found = decisions(run)
    if as_json:
        print(json.dumps([{**asdict(one), "same": one.same} for one in found], indent=2))
    else:
        for one in found:
            told = "the same" if one.same else f"DIFFERENT: {one.computed.verdict} {one.computed.reasons[0]}"
            print(f"generation {one.generation}: {one.recorded.verdict}, {one.recorded.reasons[0]}: {told}")
        print(f"{sum(one.same for one in found)} of {len(found)} decisions come out the same")
    return 0 if all(one.same for one in found) else 1
