"""Whatever is changed in a ledger, its seal or its export is found, and named in one line."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from autotelic.canonical import canonical
from autotelic.oversee.ledger import (
    Ledger,
    LedgerReport,
    NoteSigner,
    Witness,
    export_ledger,
    merkle,
    read_latest,
    verify_export,
    verify_ledger,
)
from autotelic.oversee.ledger import seal as seals
from bench.ledger_attacks import ATTACKS, Victim, copy, is_refused_by_the_witness, rows

ORIGIN = "example.com/runs/1"
LOG_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest.fixture
def closed(ledger: Ledger) -> Path:
    """A closed and sealed ledger."""
    ledger.close()
    return ledger.path


def problem(report: LedgerReport) -> str:
    assert report.problem is not None, "nothing was found"
    assert "\n" not in report.problem
    return report.problem


def test_an_honest_ledger_is_verified_open_and_closed(ledger: Ledger, witness: Witness) -> None:
    known = {"origin": ORIGIN, "key": ledger.verifier, "witnesses": [witness.verifier]}
    report = verify_ledger(ledger.path, **known, cosigned={"w": witness.latest(ORIGIN)})
    assert (report.problem, report.size, report.checkpoints, report.sealed) == (None, 11, 5, False)
    assert report.cosigned == {witness.verifier.vkey: 11}
    assert "not sealed" in report.notes[-1]
    assert "is not sealed" in problem(verify_ledger(ledger.path, sealed=True))
    ledger.append([{"n": 1}])
    assert "the last 1 leaves are not cosigned by any witness" in verify_ledger(ledger.path, **known).notes
    ledger.close()
    report = verify_ledger(ledger.path, **known, sealed=True)
    assert (report.problem, report.size, report.sealed) == (None, 12, True)


def test_every_byte_counts(closed: Path) -> None:
    """One bit of each 127th byte, which is prime to every size of a page, and all of the header."""
    for path in (closed, seals.path_of(closed)):
        data = path.read_bytes()
        for at in [*range(min(100, len(data))), *range(100, len(data), 127)]:
            changed = bytearray(data)
            changed[at] ^= 1 << at % 8
            path.write_bytes(changed)
            assert not verify_ledger(closed).ok, f"byte {at} of {path.name}"
        path.write_bytes(data)
    assert verify_ledger(closed, sealed=True).ok


def test_a_byte_after_the_first_digest_or_in_the_middle(closed: Path) -> None:
    for path in (closed, seals.path_of(closed)):
        data = path.read_bytes()
        for at in (data.find(b"sha256:") + 20, len(data) // 2):
            changed = bytearray(data)
            changed[at] ^= 1
            path.write_bytes(changed)
            problem(verify_ledger(closed))
            path.write_bytes(data)


def test_without_the_seal_every_row_counts(closed: Path) -> None:
    """A flip is found, or has changed no row: it hit a byte that holds nothing."""
    seals.path_of(closed).unlink()
    data, original = closed.read_bytes(), rows(closed)
    rng, unchanged = random.Random(1), 0
    for _ in range(200):
        changed = bytearray(data)
        changed[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        closed.write_bytes(changed)
        if verify_ledger(closed).ok:
            unchanged += 1
            assert rows(closed) == original
    assert unchanged < 200


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE leaves SET data = replace(data, '\"n\":1', '\"n\":7') WHERE id = 5", "leaf 5 is"),
        (
            "UPDATE leaves SET data = CAST('{\"n\":1.0}' AS BLOB) WHERE id = 5",
            "leaf 5 is damaged: a leaf is not in",
        ),
        ("UPDATE leaves SET hash = zeroblob(32) WHERE id = 10", "leaf 10 is not what was appended"),
        ("DELETE FROM leaves WHERE id = 3", "leaf 3 is missing, and 4 is in its place"),
        ("DELETE FROM leaves WHERE id = 10", "leaves from 10 on are missing"),
        ("UPDATE leaves SET id = 40 WHERE id = 10", "leaf 10 is missing, and 40"),
        ("UPDATE leaves SET data = 'text' WHERE id = 2", "leaf 2 is missing"),
        ("UPDATE nodes SET hash = zeroblob(32) WHERE id = 2", "leaves 0 to 3 are not those"),
        ("DELETE FROM nodes WHERE id = 7", "are not those that were appended"),
        ("INSERT INTO nodes VALUES (99, zeroblob(32))", "more interior nodes than 11 leaves"),
        ("DELETE FROM checkpoints WHERE size = 0", "the first checkpoint, of 0 leaves, is missing"),
        ("DELETE FROM checkpoints WHERE size = 11", "follow the last checkpoint"),
        ("UPDATE checkpoints SET size = 5 WHERE size = 4", "replaced by one of 4"),
        ("UPDATE checkpoints SET size = 30 WHERE size = 11", "is a checkpoint of 30"),
        ("UPDATE checkpoints SET note = note || note WHERE size = 4", "checkpoint of 4 leaves is not valid"),
        ("UPDATE checkpoints SET note = 7 WHERE size = 4", "checkpoint of 4 leaves is not valid"),
        ("UPDATE checkpoints SET note = '' WHERE size = 4", "checkpoint of 4 leaves is not valid"),
        (
            "UPDATE cosignatures SET line = replace(line, 'A', 'B') WHERE size = 4",
            "a cosignature of 4 leaves",
        ),
        ("UPDATE cosignatures SET witness = 'x' WHERE size = 4", "a cosignature of 4 leaves is not valid"),
        (
            "UPDATE cosignatures SET size = 5 WHERE size = 4",
            "a cosignature of 5 leaves without its checkpoint",
        ),
        (
            "UPDATE cosignatures SET line = line || line WHERE size = 4",
            "a cosignature of 4 leaves is not valid",
        ),
        ("UPDATE meta SET value = 'example.com/runs/2' WHERE key = 'origin'", "its key is of"),
        ("DELETE FROM meta", "does not name its origin"),
        ("CREATE TABLE more (a)", "has not the tables of a ledger: more"),
        ("CREATE TRIGGER t AFTER INSERT ON leaves BEGIN SELECT 1; END", "has not the tables of a ledger: t"),
        ("DROP TABLE nodes", "has not the tables of a ledger: nodes"),
        ("PRAGMA user_version = 2", "is a ledger of version 2"),
    ],
)
def test_the_first_thing_that_is_wrong_is_named(statement: str, said: str, closed: Path) -> None:
    sealed = seals.path_of(closed).read_bytes()
    seals.remove(closed)
    connection = sqlite3.connect(closed)
    connection.execute(statement)
    connection.commit()
    connection.close()
    assert said in problem(verify_ledger(closed))
    seals.path_of(closed).write_bytes(sealed)
    problem(verify_ledger(closed))


@pytest.mark.parametrize("statement", ["DELETE FROM cosignatures", "DELETE FROM checkpoints WHERE size = 4"])
def test_what_only_the_seal_shows(statement: str, closed: Path) -> None:
    """A checkpoint between others, or a cosignature, can be dropped; no leaf is lost with it."""
    connection = sqlite3.connect(closed)
    connection.execute("DELETE FROM cosignatures WHERE size = 4")
    connection.execute(statement)
    connection.commit()
    connection.close()
    assert "seal" in problem(verify_ledger(closed))
    seals.remove(closed)
    assert verify_ledger(closed).ok
    assert "not sealed" in problem(verify_ledger(closed, sealed=True))


def test_what_the_verifier_knows_by_itself_counts(closed: Path, witness: Witness) -> None:
    other = Ed25519PrivateKey.generate()
    with Ledger.open(closed) as ledger:
        verifier = ledger.verifier
    assert "not of 'example.com/runs/2'" in problem(verify_ledger(closed, origin="example.com/runs/2"))
    assert "is the one known" in problem(verify_ledger(closed, key=NoteSigner(ORIGIN, other).verifier))
    from autotelic.oversee.ledger.cosignatures import cosigner

    stranger = cosigner("stranger.example", other).verifier
    assert "no checkpoint is cosigned by stranger" in problem(verify_ledger(closed, witnesses=[stranger]))
    assert "has never cosigned" in problem(verify_ledger(closed, cosigned={"the witness": None}))
    assert verify_ledger(closed, key=verifier, witnesses=[witness.verifier]).ok


def test_a_write_ahead_log_that_was_cut_is_seen_beside_the_witness(ledger: Ledger, witness: Witness) -> None:
    """A killed process leaves its last commits in the write-ahead log."""
    killed = ledger.path.with_name("killed")
    killed.mkdir()
    for name in ("ledger.sqlite", "ledger.sqlite-wal"):
        shutil.copyfile(ledger.path.with_name(name), killed / name)
    assert verify_ledger(killed / "ledger.sqlite").size == 11
    wal = killed / "ledger.sqlite-wal"
    wal.write_bytes(wal.read_bytes()[:-5000])
    cosigned = {"the witness": witness.latest(ORIGIN)}
    assert "cut short or restored" in problem(verify_ledger(killed / "ledger.sqlite", cosigned=cosigned))


@pytest.mark.parametrize(
    "junk", [b"", b"x", b"SQLite format 3\0", b"SQLite format 3\0" + bytes(5000), bytes(5000)]
)
def test_what_is_no_database_is_said_to_be_none(junk: bytes, tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(junk)
    problem(verify_ledger(path))
    problem(verify_export(path))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert "does not exist" in problem(verify_ledger(tmp_path / "nowhere"))
    assert "cannot be" in problem(verify_export(tmp_path / "nowhere"))


@pytest.mark.parametrize("name", ATTACKS)
def test_attacks_are_found(name: str, tmp_path: Path) -> None:
    """A small part of what `python -m bench.ledger` does."""
    rng = random.Random(name)
    for number in range(4):
        victim = Victim.make(tmp_path / f"victim-{number}", rng)
        assert victim.verify(victim.folder).problem is None
        for trial in range(6):
            folder = tmp_path / f"{number}-{trial}"
            copy(victim.folder, folder)
            ATTACKS[name](victim, folder, rng)
            problem(victim.verify(folder))
            if name in ("database restore", "stolen log key"):
                assert is_refused_by_the_witness(victim, folder)
        victim.witness.close()


def test_the_witness_is_what_finds_a_stolen_key(tmp_path: Path) -> None:
    """Without it such a ledger is in order: the attack is a real one."""
    rng = random.Random(5)
    victim = Victim.make(tmp_path / "victim", rng)
    for name in ("database restore", "stolen log key"):
        folder = tmp_path / name
        copy(victim.folder, folder)
        ATTACKS[name](victim, folder, rng)
        assert victim.verify(folder, witnessed=False).problem is None
        assert "witness has cosigned" in problem(victim.verify(folder))
    victim.witness.close()


# ── exports ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def exported(ledger: Ledger, tmp_path: Path) -> Path:
    export_ledger(ledger, tmp_path / "ledger.jsonl")
    return tmp_path / "ledger.jsonl"


def test_an_export_is_verified_without_the_run(exported: Path, ledger: Ledger, witness: Witness) -> None:
    _, latest = read_latest(witness.path, ORIGIN)
    report = verify_export(
        exported, origin=ORIGIN, key=ledger.verifier, witnesses=[witness.verifier], cosigned={"w": latest}
    )
    assert (report.problem, report.size, report.sealed) == (None, 11, True)
    assert report.root == ledger.head().root.hex()
    assert report.cosigned == {witness.verifier.vkey: 11}
    plain = exported.with_name("plain.jsonl")
    assert export_ledger(ledger, plain, proofs=False) == 11
    assert verify_export(plain).ok
    assert plain.stat().st_size < exported.stat().st_size


def test_every_byte_of_an_export_counts(exported: Path) -> None:
    data = exported.read_bytes()
    for at in range(0, len(data), 23):
        changed = bytearray(data)
        changed[at] ^= 1 << at % 8
        exported.write_bytes(changed)
        assert not verify_export(exported).ok, f"byte {at}: {bytes(data[at - 20 : at + 20])!r}"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda lines: lines[:-1], "follow the last checkpoint"),
        (lambda lines: lines[:5], "follow the last checkpoint"),
        (lambda lines: lines[:4], "names 11 leaves, and has"),
        (lambda lines: lines[1:], "line 1"),
        (lambda lines: [lines[0], *lines[2:]], "the first checkpoint"),
        (lambda lines: [*lines[:3], lines[3], lines[3], *lines[4:]], "line 5"),
        (lambda lines: [*lines, lines[-1]], "two checkpoints"),
        (lambda lines: [*lines, "{}"], "neither a leaf nor a checkpoint"),
        (lambda lines: [*lines, ""], "not JSON"),
        (lambda lines: [*lines, "[]"], "no JSON object"),
        (lambda lines: [line.replace('"index":1,', '"index":true,') for line in lines], "a yes or no"),
        (lambda lines: [lines[0].replace("export v1", "export v2"), *lines[1:]], "the format is"),
        (lambda lines: [*lines[:2], canonical({**json.loads(lines[2]), "more": 1}), *lines[3:]], "neither"),
        (
            lambda lines: [*lines[:2], canonical({"index": 0, "leaf": {"a": 1}}), *lines[3:]],
            "root is another",
        ),
        (lambda lines: [*lines[:2], without_proof(lines[2]), *lines[3:]], "the proof of leaf 0"),
    ],
)
def test_what_is_wrong_in_an_export_is_named(
    change: Callable[[list[str]], list[str]], said: str, exported: Path
) -> None:
    lines = exported.read_text().removesuffix("\n").split("\n")
    exported.write_text("\n".join(change(lines)) + "\n")
    assert said in problem(verify_export(exported))


def without_proof(line: str) -> str:
    value = json.loads(line)
    del value["proof"]
    return canonical(value)


def test_a_proof_of_an_export_stands_alone(exported: Path, ledger: Ledger, witness: Witness) -> None:
    from autotelic.oversee.ledger import Export, TlogProof, verify_proof

    export = Export.read(exported)
    assert [leaf["n"] for leaf in export.leaves()] == [leaf["n"] for leaf in ledger.leaves()]
    for data, proof in zip(export.data, export.proofs, strict=True):
        assert proof is not None
        head = verify_proof(TlogProof.parse(proof), data, ORIGIN, ledger.verifier, [witness.verifier])
        assert head.root == ledger.head().root
    assert merkle.hash_leaf(export.data[0])
