"""`autotelic audit`: every decision of a run computed again."""

from __future__ import annotations

import json
from pathlib import Path

from autotelic.commands import Json


def audit(run: Path = Path("runs/default"), *, against: Path | None = None, as_json: Json = False) -> int:
    """Compute every decision of a run again from its ledger and journal; exit code 1 where one is otherwise.

    Parameters
    ----------
    run
        The run folder.
    against
        Instead: an exported ledger (`autotelic ledger export`), which is audited without the run.
    """
    from autotelic.commands.ledger import ledger_of, verified
    from autotelic.errors import OversightError
    from autotelic.messages import Alarmed, Decided, Leased
    from autotelic.oversee.audited import audit as computed
    from autotelic.oversee.ledger import Export, Ledger
    from autotelic.record import Journal, RunFolder

    if against is None:
        RunFolder.open(run)
    place = ledger_of(run if against is None else against)
    report = verified(place, None, None, None, [])
    try:
        if not report.ok:
            raise OversightError(str(report.problem), "restore the ledger from a copy")
        if against is not None:
            lines = computed(Export.read(place).leaves())
        else:
            with Ledger.open(place) as ledger, Journal.open(run) as journal:
                found = journal.each_message(kinds=(Leased.kind, Decided.kind, Alarmed.kind))
                lines = computed(list(ledger.leaves()), found)
    except OversightError as error:
        if as_json:
            print(json.dumps({"ok": False, "problem": error.cause}, indent=2))
        else:
            print(f"{place}: {error.cause}")
        return 1
    if as_json:
        print(json.dumps({"ok": True, "computed": list(lines)}, indent=2))
    else:
        for line in lines:
            print(line)
    return 0
