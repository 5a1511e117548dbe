"""Verifying a whole ledger: every leaf, node, checkpoint, signature and cosignature, and every byte of the file.

What is trusted is what the caller gives: the log's key, its origin, the keys of witnesses, and what a witness says it
has cosigned last. A ledger alone shows that it is consistent with the key that it names. That it is not a copy
of last week, or another history by whoever holds the key, is seen only beside a witness.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autotelic.errors import LedgerError
from autotelic.oversee.ledger import merkle, seal, tables
from autotelic.oversee.ledger.checkpoints import TreeHead, open_checkpoint
from autotelic.oversee.ledger.cosignatures import verify_cosignature
from autotelic.oversee.ledger.leaves import decode_leaf
from autotelic.oversee.ledger.merkle import Frontier
from autotelic.oversee.ledger.notes import NoteVerifier, parse_signature, signature_line

Row = tuple[Any, ...]


@dataclass(slots=True)
class LedgerReport:
    """What verifying a ledger came to: `problem` is the first thing that is wrong, in one line, or None."""

    path: str
    origin: str = ""
    key: str = ""
    """The public key that everything was verified with."""
    size: int = 0
    root: str = ""
    """The root of all leaves, hexadecimal."""
    checkpoints: int = 0
    cosigned: dict[str, int] = field(default_factory=dict)
    """The largest checkpoint that each witness has cosigned, in leaves, by the witness's vkey."""
    sealed: bool = False
    """Whether every byte of the file was verified, and not only every row."""
    notes: list[str] = field(default_factory=list)
    """What is not wrong and should be known."""
    problem: str | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return self.problem is None


@dataclass(frozen=True, slots=True)
class Expected:
    """What the verifier knows by itself, each left out where it is not known."""

    origin: str | None = None
    key: NoteVerifier | None = None
    witnesses: Sequence[NoteVerifier] = ()
    """Witnesses that must have cosigned something of the ledger."""
    cosigned: Mapping[str, str | None] = field(default_factory=dict)
    """The log's checkpoint that a witness says it has cosigned last, by the witness's name; None: it has none."""


@dataclass(slots=True)
class Contents:
    """What a ledger holds, as rows in their order; each row is read once."""

    origin: str
    key: str
    leaves: Iterable[Row]
    """Number, canonical text; and the stored hash, where one is stored."""
    nodes: Iterator[Row] | None
    """Number and hash of the interior nodes, where they are stored."""
    checkpoints: Iterator[Row]
    """Size and signed note."""
    cosignatures: Iterator[Row]
    """Size, vkey of the witness, signature line; by size, then vkey."""


def verify_ledger(
    path: str | Path,
    *,
    origin: str | None = None,
    key: NoteVerifier | None = None,
    witnesses: Sequence[NoteVerifier] = (),
    cosigned: Mapping[str, str | None] | None = None,
    sealed: bool = False,
) -> LedgerReport:
    """Verify a ledger's database. Never raises for what the file holds.

    `sealed` asks for the seal, which is missing while a process writes and after one was killed. The other
    parameters are those of `Expected`.
    """
    path = Path(path)
    report = LedgerReport(str(path))
    try:
        with tables.clearly(path):
            closed, connection = _snapshot(path)
            try:
                tables.check_schema(connection, path)
                contents = _contents(connection, path)
                verify_contents(contents, Expected(origin, key, witnesses, cosigned or {}), report)
                if closed:
                    report.sealed = seal.check(
                        path, seal.measure(path), contents.origin, NoteVerifier.parse(contents.key)
                    )
            finally:
                connection.close()
        if sealed and not report.sealed:
            raise LedgerError("the ledger is not sealed: its process was killed, or the seal was taken away")
        if not report.sealed:
            report.notes.append(
                "not sealed: it is in use, or its process was killed; the rows are verified, not every byte"
            )
    except LedgerError as error:
        report.problem = " ".join(error.cause.split())
    return report


def verify_contents(contents: Contents, expected: Expected, report: LedgerReport) -> None:
    """Verify what a ledger holds, and fill in the report. Raises LedgerError with the first thing that is wrong."""
    key = NoteVerifier.parse(contents.key)
    report.origin, report.key = contents.origin, contents.key
    if expected.origin is not None and contents.origin != expected.origin:
        raise LedgerError(f"the ledger is of {contents.origin!r}, not of {expected.origin!r}")
    if expected.key is not None and key != expected.key:
        raise LedgerError(f"the ledger names the key {key.vkey}, and {expected.key.vkey} is the one known")
    if key.name != contents.origin:
        raise LedgerError(f"the ledger is of {contents.origin!r}, and its key is of {key.name!r}")
    if expected.key is None:
        report.notes.append(
            "the log's key is the one that the ledger names: give --key to be sure whose it is"
        )
    seen = {
        name: _seen(name, checkpoint, contents.origin, key) for name, checkpoint in expected.cosigned.items()
    }
    walk = _Walk(contents, key, {head.size for head in seen.values()})
    walk.all()
    report.size, report.root = walk.edge.size, walk.edge.root().hex()
    report.checkpoints, report.cosigned = walk.checkpoints, walk.cosigned
    for name, head in seen.items():
        if head.size > walk.edge.size:
            raise LedgerError(
                f"{name} has cosigned {head.size} leaves, and the ledger has {walk.edge.size}: it was cut short "
                "or restored from an old copy"
            )
        if walk.roots[head.size] != head.root:
            raise LedgerError(
                f"the first {head.size} leaves are not those that {name} has cosigned: a second history"
            )
    for witness in expected.witnesses:
        if witness.vkey not in walk.cosigned:
            raise LedgerError(f"no checkpoint is cosigned by {witness.name} under the key that is known")
    last = max([0, *walk.cosigned.values(), *(head.size for head in seen.values())])
    if last < walk.edge.size:
        report.notes.append(f"the last {walk.edge.size - last} leaves are not cosigned by any witness")


class _Walk:
    """One pass over a ledger, from the first leaf to the last."""

    def __init__(self, contents: Contents, key: NoteVerifier, wanted: set[int]) -> None:
        self.contents = contents
        self.key = key
        self.edge = Frontier()
        self.wanted = wanted
        self.roots: dict[int, bytes] = {}
        """The roots at the sizes wanted."""
        self.checkpoints = 0
        self.cosigned: dict[str, int] = {}
        self._nodes_seen = 0
        self._witnesses: dict[str, NoteVerifier] = {}
        self._checkpoint = next(contents.checkpoints, None)
        self._cosignature = next(contents.cosignatures, None)

    def all(self) -> None:
        """Raises LedgerError with the first thing that is wrong."""
        if self._checkpoint is None or self._checkpoint[0] != 0:
            raise LedgerError("the first checkpoint, of 0 leaves, is missing")
        self._commit()
        committed = 0
        for row in self.contents.leaves:
            self._leaf(*row)
            if self._checkpoint is not None and self._checkpoint[0] == self.edge.size:
                self._commit()
                committed = self.edge.size
        if self._checkpoint is not None:
            raise LedgerError(
                f"leaves from {self.edge.size} on are missing: there is a checkpoint of "
                f"{_shown(self._checkpoint[0])}"
            )
        if committed != self.edge.size:
            raise LedgerError(f"leaves from {committed} on follow the last checkpoint: no commit made them")
        if self.contents.nodes is not None and next(self.contents.nodes, None) is not None:
            raise LedgerError(f"there are more interior nodes than {self.edge.size} leaves have")
        if self._cosignature is not None:
            raise LedgerError(
                f"there is a cosignature of {_shown(self._cosignature[0])} leaves without its checkpoint"
            )

    def _leaf(self, number: Any, data: Any, stored: Any = None) -> None:
        at = self.edge.size
        if number != at or not isinstance(data, bytes):
            raise LedgerError(f"leaf {at} is missing, and {_shown(number)} is in its place")
        try:
            decode_leaf(data)
        except LedgerError as error:
            raise LedgerError(f"leaf {at} is damaged: {error.cause}") from error
        leaf_hash = merkle.hash_leaf(data)
        if self.contents.nodes is not None and stored != leaf_hash:
            raise LedgerError(f"leaf {at} is not what was appended: its hash is another one")
        completed = self.edge.append(leaf_hash)
        if self.contents.nodes is not None:
            for level, node in enumerate(completed, start=1):
                row = next(self.contents.nodes, None)
                if row is None or row[0] != self._nodes_seen or row[1] != node:
                    first = self.edge.size - (1 << level)
                    raise LedgerError(
                        f"leaves {first} to {at} are not those that were appended: their node is another one"
                    )
                self._nodes_seen += 1
        if self.edge.size in self.wanted:
            self.roots[self.edge.size] = self.edge.root()

    def _commit(self) -> None:
        """The checkpoint and the cosignatures of as many leaves as there are by now."""
        size = self.edge.size
        if size in self.wanted:
            self.roots[size] = self.edge.root()
        assert self._checkpoint is not None
        note = self._checkpoint[1]
        try:
            if not isinstance(note, str):
                raise LedgerError("it is no text")
            head = open_checkpoint(note, self.contents.origin, [self.key])
            if head.extensions or note.count("\n") != 5:
                raise LedgerError("it holds more than origin, size, root and the log's signature")
        except LedgerError as error:
            raise LedgerError(f"the checkpoint of {size} leaves is not valid: {error.cause}") from error
        if head.size != size:
            raise LedgerError(f"the checkpoint of {size} leaves is replaced by one of {head.size}")
        if head.root != self.edge.root():
            raise LedgerError(
                f"the first {size} leaves are not what their checkpoint says: the root is another one"
            )
        while self._cosignature is not None and self._cosignature[0] == size:
            self._cosigned(head, *self._cosignature[1:])
            self._cosignature = next(self.contents.cosignatures, None)
        self.checkpoints += 1
        self._checkpoint = next(self.contents.checkpoints, None)

    def _cosigned(self, head: TreeHead, vkey: Any, line: Any) -> None:
        try:
            if not isinstance(vkey, str) or not isinstance(line, str):
                raise LedgerError("it is no text")
            witness = self._witnesses.setdefault(vkey, NoteVerifier.parse(vkey))
            verify_cosignature(head.text, line, witness)
            if line != signature_line(witness, parse_signature(line.removesuffix("\n")).data):
                raise LedgerError("it is not one line")
        except LedgerError as error:
            raise LedgerError(f"a cosignature of {head.size} leaves is not valid: {error.cause}") from error
        self.cosigned[vkey] = head.size


def _seen(name: str, checkpoint: str | None, origin: str, key: NoteVerifier) -> TreeHead:
    if checkpoint is None:
        raise LedgerError(f"{name} has never cosigned a checkpoint of {origin!r}")
    try:
        return open_checkpoint(checkpoint, origin, [key])
    except LedgerError as error:
        raise LedgerError(f"what {name} has cosigned is not by the ledger's key: {error.cause}") from error


def _snapshot(path: Path) -> tuple[bool, sqlite3.Connection]:
    """Whether no process has the ledger open, and a connection to what it holds, which leaves nothing beside it."""
    if not path.is_file():
        raise LedgerError(f"{path} does not exist")
    wal, sealed = tables.wal_of(path), seal.path_of(path).exists()
    if wal.exists() and wal.stat().st_size:
        if sealed:
            raise LedgerError(
                f"there is a write-ahead log beside {path}, which is sealed: nobody closed that"
            )
        return False, tables.connect(path, write=False)
    if wal.exists() and not sealed:
        return False, tables.connect(path, write=False)
    with path.open("rb") as file:
        if file.read(16) != b"SQLite format 3\0":
            raise LedgerError(f"{path} is not an SQLite database, or was cut short")
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True, isolation_level=None
    )
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    return True, connection


def _contents(connection: sqlite3.Connection, path: Path) -> Contents:
    values = dict(connection.execute("SELECT key, value FROM meta").fetchall())
    if set(values) != {"key", "origin"} or not all(isinstance(value, str) for value in values.values()):
        raise LedgerError(f"{path} does not name its origin and its key")
    read = connection.execute
    return Contents(
        values["origin"],
        values["key"],
        read("SELECT id, data, hash FROM leaves ORDER BY id"),
        read("SELECT id, hash FROM nodes ORDER BY id"),
        read("SELECT size, note FROM checkpoints ORDER BY size"),
        read("SELECT size, witness, line FROM cosignatures ORDER BY size, witness"),
    )


def _shown(value: Any) -> str:
    return f"{value!r:.40}"
