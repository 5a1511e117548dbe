"""Ways to tamper with a ledger, a function a way, for `bench/ledger.py` and the tests.

A `Victim` is a closed ledger whose commits a witness has cosigned. An attack gets a folder with a copy of it and
changes the copy. Attackers without the log's key take the seal away, which anyone who may write the file can; those
with the key seal again. What finds them is `verify_ledger`, beside what the witness has cosigned.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from autotelic.oversee.ledger import (
    HistoryError,
    Ledger,
    LedgerReport,
    NoteSigner,
    NoteVerifier,
    TreeHead,
    Witness,
    WitnessRefusalError,
    cosign_head,
    merkle,
    seal,
    sign_checkpoint,
    tables,
    verify_ledger,
)
from autotelic.oversee.ledger.leaves import encode_leaf

ORIGIN = "example.com/victim"
NAME = "ledger.sqlite"


@dataclass(slots=True)
class Victim:
    """A ledger, its key, its witness, and what the ledger was after each commit."""

    folder: Path
    key: Ed25519PrivateKey
    witness: Witness
    commits: list[list[dict[str, Any]]] = field(default_factory=list)
    copies: list[Path] = field(default_factory=list)
    """The ledger as it was after each commit but the last, closed and sealed."""

    @property
    def leaves(self) -> list[dict[str, Any]]:
        return [leaf for commit in self.commits for leaf in commit]

    @property
    def log(self) -> NoteVerifier:
        return NoteSigner(ORIGIN, self.key).verifier

    @classmethod
    def make(cls, folder: Path, rng: random.Random) -> Victim:
        """Two or three commits of one to three leaves."""
        key, witness_key = (Ed25519PrivateKey.from_private_bytes(rng.randbytes(32)) for _ in range(2))
        folder.mkdir()
        own = cls(folder, key, Witness.create(folder / "witness.sqlite", witness_key, "example.com/witness"))
        ledger = Ledger.create(folder / NAME, key, ORIGIN)
        own.witness.add_log(ledger.verifier)
        cosign_head(ledger, own.witness)
        for number in range(rng.randint(2, 3)):
            own.commits.append([leaf(rng, number) for _ in range(rng.randint(1, 3))])
            ledger.append(own.commits[-1])
            cosign_head(ledger, own.witness)
            ledger.close()
            own.copies.append(folder / f"copy-{number}")
            copy(folder, own.copies[-1])
            ledger = Ledger.open(folder / NAME, key)
        ledger.close()
        shutil.rmtree(own.copies.pop())
        return own

    def verify(self, folder: Path, *, witnessed: bool = True) -> LedgerReport:
        """What verifying a copy comes to, for someone who knows the log's key and asks the witness."""
        cosigned = {"the witness": self.witness.latest(ORIGIN)} if witnessed else {}
        return verify_ledger(folder / NAME, origin=ORIGIN, key=self.log, cosigned=cosigned)


def leaf(rng: random.Random, generation: int) -> dict[str, Any]:
    return {"kind": "decision", "generation": generation, "candidate": f"sha256:{rng.randbytes(32).hex()}"}


def copy(source: Path, target: Path) -> None:
    """Copy a ledger and its seal."""
    target.mkdir(exist_ok=True)
    for name in (NAME, NAME + ".seal"):
        shutil.copyfile(source / name, target / name)


def rows(path: Path) -> list[Any]:
    """Everything that a ledger's tables hold."""
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        return [connection.execute(f"SELECT * FROM {table}").fetchall() for table in tables.SCHEMA]
    finally:
        connection.close()


def edit(
    folder: Path, *, key: Ed25519PrivateKey | None, change: Callable[[sqlite3.Connection], object]
) -> None:
    """Change rows. Without the key the seal is taken away; with it the file is sealed again."""
    path = folder / NAME
    seal.remove(path)
    connection = sqlite3.connect(path)
    change(connection)
    connection.commit()
    connection.close()
    if key is not None:
        seal.write(path, ORIGIN, NoteSigner(ORIGIN, key))


def rebuild(
    folder: Path, leaves: list[dict[str, Any]], sizes: list[int], key: Ed25519PrivateKey, origin: str = ORIGIN
) -> None:
    """Put a ledger of these leaves in place of the one that is there, signed and sealed as the log would."""
    for path in folder.glob(NAME + "*"):
        path.unlink()
    done = 0
    with Ledger.create(folder / NAME, key, origin) as ledger:
        for size in sizes:
            ledger.append(leaves[done:size])
            done = size


# ── the attacks ──────────────────────────────────────────────────────────────────────────────────────────────


def bit_flip(victim: Victim, folder: Path, rng: random.Random) -> None:
    """One bit of the file or of its seal; half of them in bytes that are not zero: pages are mostly empty."""
    paths = [folder / NAME, folder / (NAME + ".seal")]
    path = rng.choices(paths, [16, 1])[0]
    data = bytearray(path.read_bytes())
    at = rng.randrange(len(data))
    if rng.random() < 0.5:
        while not data[at]:
            at = rng.randrange(len(data))
    data[at] ^= 1 << rng.randrange(8)
    path.write_bytes(data)


def cut(victim: Victim, folder: Path, rng: random.Random) -> None:
    """The end of the file, the last leaves, or whole commits."""
    path = folder / NAME
    size = len(victim.leaves)
    match rng.randrange(4):
        case 0 | 1 as with_seal:
            data = path.read_bytes()
            path.write_bytes(data[: rng.randrange(len(data))])
            if not with_seal:
                seal.remove(path)
        case 2:
            keep = rng.randrange(size)
            edit(folder, key=None, change=lambda db: _drop(db, keep, checkpoints=False))
        case 3:
            keep = rng.choice([0, *sizes(victim)[:-1]])
            edit(folder, key=None, change=lambda db: _drop(db, keep, checkpoints=True))


def _drop(db: sqlite3.Connection, keep: int, *, checkpoints: bool) -> None:
    db.execute("DELETE FROM leaves WHERE id >= ?", (keep,))
    db.execute("DELETE FROM nodes WHERE id >= ?", (merkle.nodes_of(keep),))
    if checkpoints:
        db.execute("DELETE FROM checkpoints WHERE size > ?", (keep,))
        db.execute("DELETE FROM cosignatures WHERE size > ?", (keep,))


def sizes(victim: Victim) -> list[int]:
    done, found = 0, []
    for commit in victim.commits:
        done += len(commit)
        found.append(done)
    return found


def reorder(victim: Victim, folder: Path, rng: random.Random) -> None:
    """Two leaves change places, with or without the hashes above them; or two checkpoints do."""
    leaves = victim.leaves
    one, other = rng.sample(range(len(leaves)), 2)
    match rng.randrange(3):
        case 0:
            edit(folder, key=None, change=lambda db: _swap(db, "leaves", ("id", "data, hash"), one, other))
        case 1:
            leaves[one], leaves[other] = leaves[other], leaves[one]
            edit(folder, key=None, change=lambda db: _rewrite(db, leaves))
        case 2:
            low, high = rng.sample([0, *sizes(victim)], 2)
            edit(folder, key=None, change=lambda db: _swap(db, "checkpoints", ("size", "note"), low, high))


def _swap(db: sqlite3.Connection, table: str, columns: tuple[str, str], one: int, other: int) -> None:
    key, values = columns
    rows = [
        db.execute(f"SELECT {values} FROM {table} WHERE {key} = ?", (at,)).fetchone() for at in (one, other)
    ]
    names = ", ".join(f"{name} = ?" for name in values.split(", "))
    for at, row in zip((other, one), rows, strict=True):
        db.execute(f"UPDATE {table} SET {names} WHERE {key} = ?", (*row, at))


def _rewrite(db: sqlite3.Connection, leaves: list[dict[str, Any]]) -> merkle.Frontier:
    """Put other leaves in place, with all hashes above them."""
    edge, nodes = merkle.Frontier(), 0
    db.execute("DELETE FROM leaves")
    db.execute("DELETE FROM nodes")
    for index, one in enumerate(leaves):
        data = encode_leaf(one)
        hashed = merkle.hash_leaf(data)
        db.execute("INSERT INTO leaves VALUES (?, ?, ?)", (index, data, hashed))
        for node in edge.append(hashed):
            db.execute("INSERT INTO nodes VALUES (?, ?)", (nodes, node))
            nodes += 1
    return edge


def fork(victim: Victim, folder: Path, rng: random.Random) -> None:
    """Another history from some leaf on, signed by the log itself, or by a key that is put in place of its own."""
    true = victim.leaves
    kept = rng.randrange(len(true))
    total = rng.randint(kept + 1, len(true) + 3)
    leaves = true[:kept] + [leaf(rng, 99) for _ in range(total - kept)]
    own = rng.random() < 0.5
    key = victim.key if own else Ed25519PrivateKey.from_private_bytes(rng.randbytes(32))
    steps = sorted({*rng.sample(range(1, total + 1), rng.randint(1, min(3, total))), total})
    rebuild(folder, leaves, steps, key)


def replayed_checkpoint(victim: Victim, folder: Path, rng: random.Random) -> None:
    """An older checkpoint in the place of a newer one."""
    low, high = sorted(rng.sample([0, *sizes(victim)], 2))

    def change(db: sqlite3.Connection) -> None:
        (note,) = db.execute("SELECT note FROM checkpoints WHERE size = ?", (low,)).fetchone()
        if rng.random() < 0.5:
            db.execute("UPDATE checkpoints SET note = ? WHERE size = ?", (note, high))
        else:  # as if it were the newest, over leaves that it does not cover
            db.execute("DELETE FROM checkpoints WHERE size > ?", (low,))
            db.execute("DELETE FROM cosignatures WHERE size > ?", (low,))

    edit(folder, key=None, change=change)


def origin_swap(victim: Victim, folder: Path, rng: random.Random) -> None:
    """The name of another log: in the tables, in a checkpoint that the log has signed, or a whole other ledger."""
    other = f"example.com/other-{rng.randrange(10**9)}"
    signer = NoteSigner(other, victim.key)
    match rng.randrange(3):
        case 0:
            values = [(other, "origin"), (signer.verifier.vkey, "key")]
            edit(
                folder,
                key=None,
                change=lambda db: db.executemany("UPDATE meta SET value = ? WHERE key = ?", values),
            )
        case 1:
            size = rng.choice([0, *sizes(victim)])

            def change(db: sqlite3.Connection) -> None:
                (note,) = db.execute("SELECT note FROM checkpoints WHERE size = ?", (size,)).fetchone()
                head = TreeHead.parse(note.partition("\n\n")[0] + "\n")
                forged = sign_checkpoint(TreeHead(other, head.size, head.root), signer)
                db.execute("UPDATE checkpoints SET note = ? WHERE size = ?", (forged, size))

            edit(folder, key=victim.key, change=change)
        case 2:
            rebuild(folder, victim.leaves, sizes(victim), victim.key, other)


def database_restore(victim: Victim, folder: Path, rng: random.Random) -> None:
    """The whole ledger and its seal as they were some commits ago; perhaps it has gone on differently since."""
    copy(rng.choice(victim.copies), folder)
    if rng.random() < 0.5:
        with Ledger.open(folder / NAME, victim.key) as ledger:
            for _ in range(rng.randint(1, 4)):
                ledger.append([leaf(rng, 77) for _ in range(rng.randint(1, 3))])


def stolen_key(victim: Victim, folder: Path, rng: random.Random) -> None:
    """One leaf of the past is another one, and the log's key signs everything again."""
    leaves = victim.leaves
    at = rng.randrange(len(leaves))
    if rng.random() < 0.2 and len(leaves) > 1:
        del leaves[at]
    else:
        leaves[at] = {**leaves[at], "candidate": f"sha256:{rng.randbytes(32).hex()}"}
    steps = sorted({min(size, len(leaves)) for size in sizes(victim)})
    rebuild(folder, leaves, steps, victim.key)


ATTACKS: dict[str, Callable[[Victim, Path, random.Random], None]] = {
    "bit flip": bit_flip,
    "cut": cut,
    "reorder": reorder,
    "fork": fork,
    "replayed checkpoint": replayed_checkpoint,
    "origin swap": origin_swap,
    "database restore": database_restore,
    "stolen log key": stolen_key,
}


def is_refused_by_the_witness(victim: Victim, folder: Path) -> bool:
    """Whether the witness cosigns the head of a ledger that its log's key can open. It must not."""
    with Ledger.open(folder / NAME, victim.key) as ledger:
        before = victim.witness.latest(ORIGIN)
        try:
            cosign_head(ledger, victim.witness)
        except (HistoryError, WitnessRefusalError):
            return victim.witness.latest(ORIGIN) == before
    return False
