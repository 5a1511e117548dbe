"""Whether a run is over, and whether it can be gone on with. Importing this takes no torch."""

from __future__ import annotations

from autotelic.errors import RunError, command
from autotelic.messages import BudgetExtended, ChampionSaved, RunStopped
from autotelic.record.folder import RunFolder
from autotelic.record.journal import Journal


def finished(journal: Journal) -> bool:
    """Whether the run spent its budget, as its journal says, and was given no more since."""
    stop, extended = journal.latest(RunStopped), journal.latest(BudgetExtended)
    return stop is not None and stop.reason == "budget" and (extended is None or extended.id < stop.id)


def champion_is_saved(place: RunFolder, journal: Journal) -> bool:
    """Whether the champion lies in the run folder, as the journal says it was saved."""
    return journal.latest(ChampionSaved) is not None and (place.champion / "config.json").is_file()


def refuse_finished(place: RunFolder, journal: Journal) -> None:
    """Raise RunError for a run whose budget is spent and whose champion is saved."""
    if finished(journal) and champion_is_saved(place, journal):
        raise RunError(
            f"{place.path} is finished: its budget is spent",
            f"give it more: {command('resume', place.path, '--seconds', 600)}; "
            f"or begin anew: {command('run', '--again', '--out', place.path)}",
        )
