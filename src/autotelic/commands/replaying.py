"""`autotelic replay`: an update computed again from the journal."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from autotelic.commands import Json
from autotelic.commands.preflight import refuse_limits
from autotelic.errors import RunError


def replay(
    run: Path,
    step: int | None = None,
    *,
    decisions: bool = False,
    as_json: Json = False,
) -> int:
    """Compute an update of a run again and compare the weights bit for bit; the exit code is 1 if they
    differ.

    It starts from the nearest checkpoint that is kept before the update. With --decisions every decision is computed
    again instead, as by `autotelic audit`.

    Parameters
    ----------
    run
        The run folder.
    step
        The number of the update, from 0.
    decisions
        All decisions instead of an update.
    """
    if decisions == (step is not None):
        raise RunError("replay makes one update again, or all decisions", "give a STEP, or --decisions")
    if decisions:
        from autotelic.commands.auditing import audit

        return audit(run, as_json=as_json)
    assert step is not None  # the check above
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
