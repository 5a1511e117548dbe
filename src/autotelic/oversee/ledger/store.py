"""The ledger: leaves that are only ever added, in SQLite, with a signed checkpoint at each commit.

    append(leaves) ──► leaves, interior nodes, checkpoint ──► one commit, on the disk ──► Head

A process that is killed at any moment leaves the last commit whole. An append hashes O(log n) nodes and a proof
reads O(log² n) rows, because interior nodes of complete subtrees are kept.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from autotelic.errors import LedgerError
from autotelic.oversee.ledger import merkle, seal, tables
from autotelic.oversee.ledger.checkpoints import TreeHead, open_checkpoint, sign_checkpoint
from autotelic.oversee.ledger.cosignatures import verify_cosignature
from autotelic.oversee.ledger.leaves import decode_leaf, encode_leaf
from autotelic.oversee.ledger.merkle import Frontier
from autotelic.oversee.ledger.notes import NoteSigner, NoteVerifier
from autotelic.oversee.ledger.tlog_proof import TlogProof

_AT_ONCE = 1000
"""Leaves that are read at a time."""


@dataclass(frozen=True, slots=True)
class Head:
    """The ledger after a commit: `size` in leaves, `root` of 32 bytes, `checkpoint` as the log has signed it."""

    size: int
    root: bytes
    checkpoint: str


class Ledger:
    """A ledger, to read or, with its key, to append to. Threads may share it.

    One process appends; any number read meanwhile. Close it, or use it in a `with` statement: closing folds
    the write-ahead log into the file and seals it.
    """

    def __init__(
        self, path: Path, connection: sqlite3.Connection, verifier: NoteVerifier, signer: NoteSigner | None
    ) -> None:
        self.path = path
        self.verifier = verifier
        """The public key. Its name is the ledger's origin."""
        self._connection = connection
        self._signer = signer
        self._frontier: Frontier | None = None
        self._closed = False
        self._lock = threading.RLock()

    # ── opening and closing ──────────────────────────────────────────────────────────────────────────────────

    @classmethod
    def create(cls, path: str | Path, key: Ed25519PrivateKey, origin: str) -> Self:
        """Begin a ledger: `origin` names it for ever, like `example.com/runs/17`.

        Raises LedgerError where the file exists or cannot be written, or the origin cannot name a key.
        """
        path = Path(path)
        signer = NoteSigner(origin, key)
        if path.exists() or tables.wal_of(path).exists():
            raise LedgerError(f"{path} exists already", "give another file, or open that ledger")
        new = path.with_name(path.name + ".new")  # so that a kill in between leaves no half of a ledger
        with tables.clearly(path):
            tables.remove(new)
            seal.remove(path)
            ledger = cls(new, tables.create(new), signer.verifier, signer)
            try:
                values = [("key", signer.verifier.vkey), ("origin", origin)]
                ledger._connection.executemany("INSERT INTO meta VALUES (?, ?)", values)
                ledger._write_checkpoint(Frontier())
                ledger._connection.execute("COMMIT")
                ledger._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                ledger._connection.close()
            new.rename(path)
            seal.sync_folder(path.parent)
        return cls.open(path, key)

    @classmethod
    def open(cls, path: str | Path, key: Ed25519PrivateKey | None = None) -> Self:
        """Open a ledger that exists: to append with its key, to read without.

        Raises LedgerError where it is missing, damaged or of another key, or where a seal is there that is
        not that of the file. It does not verify the leaves; `verify_ledger` does.
        """
        path = Path(path)
        with tables.clearly(path):
            if not path.is_file():
                raise LedgerError(f"{path} does not exist", "give the ledger.sqlite of a run")
            # Before SQLite has the file: to close it again would end the locks of this process on it.
            measured = seal.measure(path) if key and not tables.wal_of(path).exists() else None
            connection = tables.connect(path, write=key is not None)
        try:
            with tables.clearly(path):
                tables.check_schema(connection, path)
                verifier = _verifier(connection, path)
                if measured:
                    seal.check(path, measured, verifier.name, verifier)
                signer = NoteSigner(verifier.name, key) if key else None
                if signer and signer.verifier != verifier:
                    raise LedgerError(f"the key is not that of {path}, whose public key is {verifier.vkey}")
                ledger = cls(path, connection, verifier, signer)
                if signer:
                    ledger._resume()
                    seal.remove(path)
        except BaseException:
            connection.close()
            raise
        return ledger

    def close(self) -> None:
        """Fold the write-ahead log into the file, and seal it where this process may append."""
        if self._closed:
            return
        self._closed = True
        with self._alone():
            busy = True
            try:
                if self._signer:
                    busy = bool(self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0])
            finally:
                self._connection.close()
            if self._signer and not busy:  # another process reads or writes: whoever closes last seals
                seal.write(self.path, self.origin, self._signer)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def origin(self) -> str:
        """The name of the ledger, which every checkpoint holds."""
        return self.verifier.name

    # ── writing ──────────────────────────────────────────────────────────────────────────────────────────────

    def append(self, leaves: Sequence[Mapping[str, Any]]) -> Head:
        """Add leaves in one commit, with a checkpoint; on the disk when this returns. None leaves the head as it is.

        Raises LedgerError where a leaf is no JSON object that reads back exactly, where another process has
        appended, and where the disk refuses; the ledger is then as it was.
        """
        if self._signer is None:
            raise LedgerError(f"{self.path} is open to be read", "open it with its key to append")
        encoded = list(map(encode_leaf, leaves))
        if not encoded:
            return self.head()
        with self._lock:  # until the edge is the new one
            with self._transaction():
                grown = self._grown()
                rows: list[tuple[int, bytes, bytes]] = []
                nodes: list[tuple[int, bytes]] = []
                first = merkle.nodes_of(grown.size)
                for data in encoded:
                    leaf_hash = merkle.hash_leaf(data)
                    rows.append((grown.size, data, leaf_hash))
                    nodes += [
                        (first + len(nodes) + n, node) for n, node in enumerate(grown.append(leaf_hash))
                    ]
                self._connection.executemany("INSERT INTO leaves VALUES (?, ?, ?)", rows)
                self._connection.executemany("INSERT INTO nodes VALUES (?, ?)", nodes)
                head = self._write_checkpoint(grown)
            self._frontier = grown
        return head

    def add_cosignature(self, size: int, line: str, witness: NoteVerifier) -> int:
        """Keep a witness's signature line of the checkpoint of `size` leaves. Returns its time in seconds since 1970.

        Raises LedgerError where there is no such checkpoint, or the line is not that witness's.
        """
        if self._signer is None:
            raise LedgerError(f"{self.path} is open to be read", "open it with its key to keep cosignatures")
        text = self._tree_head(self.checkpoint(size)).text
        time = verify_cosignature(text, line, witness)
        with self._transaction():
            self._connection.execute(
                "INSERT OR REPLACE INTO cosignatures VALUES (?, ?, ?)", (size, witness.vkey, line)
            )
        return time

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One thread at a time, and errors in one line."""
        with self._lock, tables.clearly(self.path):
            yield

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._alone():
            seal.remove(self.path)
            if not tables.wal_of(self.path).exists():
                self._reconnect()
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException as error:
                if not isinstance(error, LedgerError):
                    self._frontier = None  # whether the commit is on the disk is read from there
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def _reconnect(self) -> None:
        """Another process has taken the write-ahead log for its own and away, with what was in it in the file.

        It may do so once something in this process has opened and closed the file besides SQLite, which ends the
        locks of the whole process on it. What went into a log that is gone would be lost.
        """
        self._connection.close()
        self._connection = tables.connect(self.path, write=True)
        self._frontier = None

    def _grown(self) -> Frontier:
        """The edge to append to. Inside a transaction: no other process can append."""
        (size,) = self._connection.execute("SELECT max(size) FROM checkpoints").fetchone()
        edge = self._frontier or self._resume()
        if size != edge.size:
            raise LedgerError(
                f"another process has appended to {self.path}: it has {size} leaves, and not {edge.size}",
                "let one process append to it",
            )
        return edge.copy()

    def _write_checkpoint(self, edge: Frontier) -> Head:
        if self._signer is None:
            raise ValueError("a checkpoint needs the key")
        root = edge.root()
        checkpoint = sign_checkpoint(TreeHead(self.origin, edge.size, root), self._signer)
        self._connection.execute("INSERT INTO checkpoints VALUES (?, ?)", (edge.size, checkpoint))
        return Head(edge.size, root, checkpoint)

    def _resume(self) -> Frontier:
        """The edge of the ledger as it is on the disk, once it is seen to be what the last checkpoint says."""
        head = self.head()
        edge = merkle.frontier(self._nodes, head.size)
        (last,) = self._connection.execute("SELECT max(id) FROM leaves").fetchone()
        if edge.root() != head.root or (-1 if last is None else last) != head.size - 1:
            raise LedgerError(
                f"{self.path} is not what its last checkpoint, of {head.size} leaves, says",
                "find out where it was changed with `autotelic ledger verify`",
            )
        self._frontier = edge
        return edge

    # ── reading ──────────────────────────────────────────────────────────────────────────────────────────────

    def head(self) -> Head:
        """The last commit, its checkpoint's signature checked."""
        with self._alone():
            row = self._connection.execute(
                "SELECT note FROM checkpoints ORDER BY size DESC LIMIT 1"
            ).fetchone()
        if row is None:
            raise LedgerError(f"{self.path} has no checkpoint: it is damaged")
        head = self._tree_head(row[0])
        return Head(head.size, head.root, row[0])

    def checkpoint(self, size: int) -> str:
        """The signed checkpoint of `size` leaves, without cosignatures. Raises LedgerError where no commit has it."""
        with self._alone():
            row = self._connection.execute("SELECT note FROM checkpoints WHERE size = ?", (size,)).fetchone()
        if row is None:
            raise LedgerError(f"{self.path} has no checkpoint of {size} leaves")
        note: str = row[0]
        return note

    def checkpoints(self) -> list[int]:
        """The sizes of all checkpoints, ascending."""
        with self._alone():
            return [row[0] for row in self._connection.execute("SELECT size FROM checkpoints ORDER BY size")]

    def cosignatures(self, size: int) -> dict[str, str]:
        """The signature lines under the checkpoint of `size` leaves, by the witness's vkey."""
        with self._alone():
            rows = self._connection.execute(
                "SELECT witness, line FROM cosignatures WHERE size = ? ORDER BY witness", (size,)
            )
            return dict(rows.fetchall())

    def cosigned(self, witness: NoteVerifier) -> int:
        """The size of the largest checkpoint that a witness has cosigned; 0 if it has none."""
        with self._alone():
            row = self._connection.execute(
                "SELECT max(size) FROM cosignatures WHERE witness = ?", (witness.vkey,)
            ).fetchone()
        return row[0] or 0

    def leaf(self, index: int) -> dict[str, Any]:
        """The value of leaf `index`, from 0."""
        return decode_leaf(self.leaf_data(index))

    def leaf_data(self, index: int) -> bytes:
        """The canonical text of leaf `index`, from 0."""
        with self._alone():
            row = self._connection.execute("SELECT data FROM leaves WHERE id = ?", (index,)).fetchone()
        if row is None:
            raise LedgerError(f"{self.path} has no leaf {index}; it has {self.head().size}, counted from 0")
        return bytes(row[0])

    def leaves(self, start: int = 0, end: int | None = None) -> Iterator[dict[str, Any]]:
        """The values of leaves `start` up to `end`, which is excluded, or to the last one."""
        at, stop = start, self.head().size if end is None else end
        while at < stop:
            with self._alone():
                rows = self._connection.execute(
                    "SELECT data FROM leaves WHERE id >= ? AND id < ? ORDER BY id LIMIT ?",
                    (at, stop, _AT_ONCE),
                ).fetchall()
            yield from (decode_leaf(bytes(data)) for (data,) in rows)
            at += _AT_ONCE

    def prove_inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """The audit path of leaf `index` in the tree of `size` leaves, by default of the whole: O(log n) hashes."""
        size = self._within(size)
        if not 0 <= index < size:
            raise LedgerError(f"leaf {index} is not among the first {size} of {self.path}, counted from 0")
        with self._alone():
            return merkle.prove_inclusion(self._nodes, index, size)

    def prove_consistency(self, old: int, new: int | None = None) -> list[bytes]:
        """That the tree of `old` leaves is a prefix of that of `new` ones, by default of the whole."""
        new = self._within(new)
        if not 0 <= old <= new:
            raise LedgerError(f"a tree of {old} leaves is no prefix of one of {new}")
        with self._alone():
            return merkle.prove_consistency(self._nodes, old, new)

    def proof(self, index: int, size: int | None = None) -> TlogProof:
        """That leaf `index` is in the tree that the checkpoint of `size` leaves signs, with all its cosignatures."""
        size = self._within(size)
        hashes = tuple(self.prove_inclusion(index, size))
        return TlogProof(index, hashes, self.checkpoint(size) + "".join(self.cosignatures(size).values()))

    def _within(self, size: int | None) -> int:
        held = self.head().size
        if size is not None and not 0 <= size <= held:
            raise LedgerError(f"{self.path} has {held} leaves, and not {size}")
        return held if size is None else size

    def _nodes(self, level: int, position: int) -> bytes:
        if level:
            query, at = "SELECT hash FROM nodes WHERE id = ?", merkle.node_number(level, position)
        else:
            query, at = "SELECT hash FROM leaves WHERE id = ?", position
        row = self._connection.execute(query, (at,)).fetchone()
        if row is None:
            raise LedgerError(f"{self.path} is damaged: the hash of level {level} at {position} is missing")
        return bytes(row[0])

    def _tree_head(self, checkpoint: str) -> TreeHead:
        return open_checkpoint(checkpoint, self.origin, [self.verifier])


def _verifier(connection: sqlite3.Connection, path: Path) -> NoteVerifier:
    values = dict(connection.execute("SELECT key, value FROM meta").fetchall())
    if set(values) != {"key", "origin"} or not all(isinstance(value, str) for value in values.values()):
        raise LedgerError(f"{path} is damaged: it does not name its origin and its key")
    verifier = NoteVerifier.parse(values["key"])
    if verifier.name != values["origin"]:
        raise LedgerError(
            f"{path} names the origin {values['origin']!r}, and its key is of {verifier.name!r}"
        )
    return verifier
