"""The seal: the digest of a closed ledger's file, signed by its key, in a file beside it.

A checkpoint commits to the leaves. The seal commits to every byte of the file, also to those that hold no row. It
is taken away when a ledger is opened to append and made when it is closed, so it is missing while a process has it
and after one was killed. Then the rows are all that is verified.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from autotelic.errors import LedgerError
from autotelic.oversee.ledger.notes import NoteSigner, NoteVerifier, open_note

FIRST_LINE = "autotelic ledger seal v1"
"""A checkpoint's second line is a number and that of a seal is not, so neither can pass for the other."""


@dataclass(frozen=True, slots=True)
class Seal:
    """What a seal says: `size` is the file's length in bytes, `digest` is `sha256:` and 64 hexadecimal digits."""

    origin: str
    size: int
    digest: str

    @property
    def text(self) -> str:
        """The text that is signed."""
        return f"{FIRST_LINE}\norigin {self.origin}\n{self.size} bytes\n{self.digest}\n"


def path_of(ledger: Path) -> Path:
    """Where the seal of a ledger is."""
    return ledger.with_name(ledger.name + ".seal")


def remove(ledger: Path) -> None:
    """Take the seal away, before the ledger is written."""
    try:
        path_of(ledger).unlink()
    except FileNotFoundError:
        return
    sync_folder(ledger.parent)


def write(ledger: Path, origin: str, signer: NoteSigner) -> None:
    """Seal a ledger that no process has open."""
    note = signer.sign(Seal(origin, *measure(ledger)).text)
    place = path_of(ledger)
    new = place.with_name(place.name + ".new")
    with new.open("w", encoding="utf-8", newline="") as out:
        out.write(note)
        out.flush()
        os.fsync(out.fileno())
    new.replace(place)
    sync_folder(ledger.parent)


def measure(ledger: Path) -> tuple[int, str]:
    """Length in bytes and digest of a ledger's file, which this process must not have open in SQLite."""
    with ledger.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return file.tell(), f"sha256:{digest}"


def check(ledger: Path, measured: tuple[int, str], origin: str, key: NoteVerifier) -> bool:
    """Whether a seal is there. Raises LedgerError where it is not that of the file as it was measured."""
    try:
        note = path_of(ledger).read_bytes()
    except FileNotFoundError:
        return False
    text, _ = open_note(note, [key])
    if text != Seal(origin, *measured).text:
        raise LedgerError(
            "the file is not what its seal says: a byte of it, or the seal, was changed after closing"
        )
    return True


def sync_folder(folder: Path) -> None:
    """Make names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
