"""Training under oversight: where the overseer comes from, and the lease of each generation."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import TYPE_CHECKING

from autotelic.charter import Charter
from autotelic.errors import RunError
from autotelic.machine import Machine
from autotelic.messages import Leased
from autotelic.oversee.keys import PublicKey
from autotelic.oversee.supervision import Connection, Supervision
from autotelic.record import Journal, RunFolder

if TYPE_CHECKING:
    from autotelic.engine.services import Services

AUDITORS = ("exam", "rate")
"""Who reviews each candidate of a run where its machine names nobody. All of them must approve."""


def overseer_of(
    place: RunFolder, charter: Charter, machine: Machine, run: str, start: str, blob: str
) -> Supervision:
    """The run's overseer: a child of this process with keys made on the spot (isolation grade A), or somebody else's
    that the machine's settings name.
    """
    connection = None
    if machine.overseer:
        connection = Connection(
            address=machine.overseer,
            brake=PublicKey.parse(machine.brake),
            pinned=Path(machine.pinned) if machine.pinned else None,
        )
    return Supervision.begin(
        place.path / "oversight",
        run=run,
        charter=charter.digest,
        start=start,
        blob=blob,
        auditors=machine.auditors or AUDITORS,
        connection=connection,
    )


def began_from(journal: Journal) -> Leased:
    """The first lease of a run: it names the weights that the run began from. Raises RunError where there is none."""
    for message in journal.each_message(kinds=(Leased.kind,)):
        if isinstance(message, Leased):
            return message
    raise RunError(
        "the run began before there was oversight, or without it",
        "begin a new run from its weights (`autotelic run --from RUN`)",
    )


def lease(services: Services, generation: int, champion: str, *, takeover: bool = False) -> Leased:
    """Ask the brake to go on with a generation. Raises BrakedError for a no.

    With `takeover` the brake's champion may be another one than the run knows: what was certified just before the
    run was killed, or what was certified before a roll-back. The door knows its bytes from then on.
    """
    supervision = services.overseen
    granted = supervision.guard.begin(generation, champion, takeover=takeover)
    known, blob, certificate = supervision.champion()
    if known != granted.parent:
        raise RunError("the brake names another champion than its lease", "resume the run")
    services.weights.adopt({known: blob})
    return Leased(
        epoch=granted.epoch,
        parent=known,
        blob=blob,
        certificate=certificate,
        level=granted.level,
        grade=supervision.trust.grade,
        clean=granted.clean,
    )


def interrupt(thread: int) -> None:
    """Raise KeyboardInterrupt in a thread at its next instruction, whatever handles Ctrl-C there."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(KeyboardInterrupt))
