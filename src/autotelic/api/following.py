"""The messages of a run that another process writes, as they come."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from autotelic.messages import Message, RunStopped
from autotelic.record import Journal
from autotelic.record.folder import holder_of

_POLL = 0.5
"""Seconds between two looks at a journal."""


def followed(folder: Path, after: int) -> Iterator[Message]:
    """Messages with an id above `after`, and those to come, until the run stops or nobody runs it any more."""
    stopped = False
    journal = Journal.open(folder)  # not closed here: nouns are read when they are looked at
    while True:
        # Asked before reading: what a process wrote before it went is then read in this round.
        going_on = bool(holder_of(folder / "lock"))
        for message in journal.each_message(after):
            after = message.id
            stopped = isinstance(message, RunStopped)
            yield message
        if stopped or not going_on:
            return
        time.sleep(_POLL)
