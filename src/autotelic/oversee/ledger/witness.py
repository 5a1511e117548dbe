"""A witness: an independent key that vouches for one history (c2sp.org/tlog-witness).

It remembers the largest checkpoint of each log that it has cosigned, and cosigns a larger one only with a proof
that the old one is its prefix. What it signs is on its disk before the signature leaves it, so that it cannot be
brought to cosign two histories. Whoever holds the log's key, or an old copy of its database, cannot either.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal, Protocol, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from autotelic.errors import LedgerError
from autotelic.oversee.ledger import tables
from autotelic.oversee.ledger.checkpoints import TreeHead
from autotelic.oversee.ledger.cosignatures import cosign, cosigner
from autotelic.oversee.ledger.merkle import verify_consistency
from autotelic.oversee.ledger.notes import Note, NoteVerifier
from autotelic.oversee.ledger.seal import sync_folder

APPLICATION_ID = 0x6174776E
"""'atwn', in the header of the file."""
VERSION = 1
_SCHEMA = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE logs (origin TEXT NOT NULL, vkey TEXT NOT NULL, PRIMARY KEY (origin, vkey)) WITHOUT ROWID",
    "CREATE TABLE heads (origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, "
    "checkpoint TEXT NOT NULL) WITHOUT ROWID",
)
MAX_PROOF = 63
"""Hashes in the longest consistency proof (c2sp.org/tlog-witness)."""

Status = Literal[400, 403, 404, 409, 422]


class WitnessRefusalError(LedgerError):
    """A witness does not cosign. `status` is the HTTP status of tlog-witness:

    400 malformed, or the old size is above the new one; 403 no signature by a key of the log; 404 unknown log;
    409 the old size is not what the witness has (`size` is what it has), or another root of the same size;
    422 the proof does not verify.
    """

    def __init__(self, status: Status, cause: str, size: int | None = None) -> None:
        super().__init__(cause)
        self.args = (status, cause, size)  # so that it survives the trip between processes
        self.status = status
        self.size = size


class Cosigner(Protocol):
    """Whoever cosigns: `Witness` in this process, or `WitnessClient` for one elsewhere."""

    @property
    def verifier(self) -> NoteVerifier: ...

    def cosign(self, old_size: int, proof: Sequence[bytes], checkpoint: str) -> str:
        """A signature line, newline included. Raises WitnessRefusalError."""
        ...


class Witness:
    """A witness with its own key and its own store. Threads may share it."""

    def __init__(
        self,
        path: Path,
        connection: sqlite3.Connection,
        name: str,
        key: Ed25519PrivateKey,
        clock: Callable[[], float],
    ) -> None:
        self.path = path
        self._connection = connection
        self._signer = cosigner(name, key)
        self._clock = clock
        self._lock = threading.Lock()

    @classmethod
    def create(
        cls, path: str | Path, key: Ed25519PrivateKey, name: str, clock: Callable[[], float] = time.time
    ) -> Self:
        """Begin the store of a new witness. A key that has cosigned before must never get a second store."""
        path = Path(path)
        signer = cosigner(name, key)
        new = path.with_name(path.name + ".new")
        with tables.clearly(path):
            if path.exists():
                raise LedgerError(f"{path} exists already", "open that witness, or give another file")
            tables.remove(new)
            connection = sqlite3.connect(new, isolation_level=None)
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("BEGIN IMMEDIATE")
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {VERSION}")
                for statement in _SCHEMA:
                    connection.execute(statement)
                connection.execute("INSERT INTO meta VALUES ('key', ?)", (signer.verifier.vkey,))
                connection.execute("COMMIT")
            finally:
                connection.close()
            new.rename(path)
            sync_folder(path.parent)
        return cls.open(path, key, clock)

    @classmethod
    def open(cls, path: str | Path, key: Ed25519PrivateKey, clock: Callable[[], float] = time.time) -> Self:
        """Open a witness's store. Raises LedgerError where it is missing: it is never begun anew by itself."""
        path = Path(path)
        with tables.clearly(path):
            if not path.is_file():
                raise LedgerError(
                    f"{path}, the store of a witness, does not exist",
                    "restore it; a key without its store would cosign a second history, so else make a new witness",
                )
            connection = tables.connect(path, write=True)
            try:
                if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
                    raise LedgerError(f"{path} is no store of a witness")
                if (version := connection.execute("PRAGMA user_version").fetchone()[0]) != VERSION:
                    raise LedgerError(f"{path} is the store of a witness of version {version}, not {VERSION}")
                row = connection.execute("SELECT value FROM meta WHERE key = 'key'").fetchone()
                name = NoteVerifier.parse(row[0]).name if row else ""
                witness = cls(path, connection, name, key, clock)
                if witness.verifier.vkey != row[0]:
                    raise LedgerError(
                        f"the key is not that of the witness {path}, whose public key is {row[0]}"
                    )
            except BaseException:
                connection.close()
                raise
        return witness

    def close(self) -> None:
        """Close the store."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def verifier(self) -> NoteVerifier:
        """The public key under which the witness cosigns."""
        return self._signer.verifier

    def add_log(self, log: NoteVerifier, origin: str | None = None) -> None:
        """Know a log: its origin, by default the name of its key, and a key that signs its checkpoints."""
        with self._lock, tables.clearly(self.path):
            self._connection.execute(
                "INSERT OR IGNORE INTO logs VALUES (?, ?)", (origin or log.name, log.vkey)
            )

    def latest(self, origin: str) -> str | None:
        """The log's note of the largest checkpoint that was cosigned."""
        with self._lock, tables.clearly(self.path):
            row = self._connection.execute(
                "SELECT checkpoint FROM heads WHERE origin = ?", (origin,)
            ).fetchone()
        return row[0] if row else None

    def cosign(self, old_size: int, proof: Sequence[bytes], checkpoint: str) -> str:
        """Cosign a checkpoint of which the last one cosigned, of `old_size` leaves, is a prefix.

        Returns the signature line, newline included, once the checkpoint is on the disk. Raises WitnessRefusalError.
        """
        with self._lock, tables.clearly(self.path):
            if not tables.wal_of(self.path).exists():  # as in store.py: what goes into it would be lost
                self._connection.close()
                self._connection = tables.connect(self.path, write=True)
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                head = self._check(old_size, proof, checkpoint)
                line = cosign(head.text, self._signer, int(self._clock()))
                self._connection.execute(
                    "INSERT OR REPLACE INTO heads VALUES (?, ?, ?, ?)",
                    (head.origin, head.size, head.root, checkpoint),
                )
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
        return line

    def _check(self, old_size: int, proof: Sequence[bytes], checkpoint: str) -> TreeHead:
        """The checks of tlog-witness 1.0.0, in its order."""
        text, gap, _ = checkpoint.rpartition("\n\n")
        try:
            if not gap:
                raise LedgerError("it has no block of signatures")
            head = TreeHead.parse(text + "\n")
        except LedgerError as error:
            raise WitnessRefusalError(400, f"not a checkpoint: {error}") from error
        rows = self._connection.execute("SELECT vkey FROM logs WHERE origin = ?", (head.origin,)).fetchall()
        if not rows:
            raise WitnessRefusalError(404, f"this witness does not know the log {head.origin!r}")
        try:
            Note.parse(checkpoint).verified([NoteVerifier.parse(vkey) for (vkey,) in rows])
        except LedgerError as error:
            raise WitnessRefusalError(
                403, f"the checkpoint is not signed by the log {head.origin!r}: {error}"
            ) from error
        if not 0 <= old_size <= head.size or len(proof) > MAX_PROOF:
            raise WitnessRefusalError(
                400,
                f"an old size of {old_size} with {len(proof)} hashes for a checkpoint of {head.size} leaves",
            )
        row = self._connection.execute(
            "SELECT size, root FROM heads WHERE origin = ?", (head.origin,)
        ).fetchone()
        size, root = row or (0, b"")
        if old_size != size:
            raise WitnessRefusalError(409, f"the witness has cosigned {size} leaves, not {old_size}", size)
        if row and size == head.size and root != head.root:
            raise WitnessRefusalError(409, f"the witness has cosigned another tree of {size} leaves", size)
        if old_size == 0 and proof:
            raise WitnessRefusalError(422, "a proof from size 0 must be empty")
        if old_size and not verify_consistency(old_size, head.size, proof, root, head.root):
            raise WitnessRefusalError(422, f"the proof does not lead from {old_size} leaves to {head.size}")
        return head


def read_latest(path: str | Path, origin: str) -> tuple[NoteVerifier, str | None]:
    """A witness's public key and the last checkpoint that it cosigned of a log, from its store, without its key."""
    path = Path(path)
    with tables.clearly(path):
        if not path.is_file():
            raise LedgerError(f"{path}, the store of a witness, does not exist")
        live = tables.wal_of(path).exists()
        writable = os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
        mode = "ro" if live else "rw" if writable else "ro&immutable=1"
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode={mode}", uri=True)
        try:
            if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
                raise LedgerError(f"{path} is no store of a witness")
            key = connection.execute("SELECT value FROM meta WHERE key = 'key'").fetchone()
            if key is None or not isinstance(key[0], str):
                raise LedgerError(f"{path} is damaged: it does not name the witness's key")
            row = connection.execute("SELECT checkpoint FROM heads WHERE origin = ?", (origin,)).fetchone()
        finally:
            connection.close()
    return NoteVerifier.parse(key[0]), row[0] if row else None
