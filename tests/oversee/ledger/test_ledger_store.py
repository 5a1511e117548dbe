"""Appending, reading and proving; what a leaf may hold; what is refused, and leaves the ledger as it was."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from autotelic.canonical import canonical
from autotelic.errors import LedgerError
from autotelic.oversee.ledger import (
    Ledger,
    LedgerReport,
    Witness,
    merkle,
    open_checkpoint,
    verify_ledger,
    verify_proof,
)
from autotelic.oversee.ledger.leaves import decode_leaf, encode_leaf

LOG_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ORIGIN = "example.com/runs/1"

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(-1e15, 1e15, allow_nan=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
leaves = st.dictionaries(st.text(), values, max_size=4)


def found(report: LedgerReport) -> str:
    assert report.problem is not None
    return report.problem


def test_nothing_slow_is_imported() -> None:
    code = (
        "import sys, autotelic.oversee.ledger; "
        "sys.exit(bool({'torch', 'numpy', 'pydantic', 'transformers'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


def test_what_is_appended_is_read_back_and_proved(ledger: Ledger) -> None:
    head = ledger.head()
    assert head.size == 11
    assert ledger.checkpoints() == [0, 1, 4, 6, 11]
    assert ledger.leaf(2) == {"generation": 1, "n": 1, "of": "sha256:" + "ab" * 32}
    assert [leaf["n"] for leaf in ledger.leaves(1, 6)] == [0, 1, 2, 0, 1]
    assert len(list(ledger.leaves())) == 11
    said = open_checkpoint(head.checkpoint, ORIGIN, [ledger.verifier])
    assert (said.size, said.root) == (head.size, head.root)
    for size in ledger.checkpoints()[1:]:
        root = open_checkpoint(ledger.checkpoint(size), ORIGIN, [ledger.verifier]).root
        proof = ledger.prove_consistency(size, 11)
        assert merkle.verify_consistency(size, 11, proof, root, head.root)
        for index in range(size):
            hashed = merkle.hash_leaf(ledger.leaf_data(index))
            assert merkle.verify_inclusion(index, size, hashed, ledger.prove_inclusion(index, size), root)


def test_a_proof_shows_the_leaf_the_log_and_the_witness(ledger: Ledger, witness: Witness) -> None:
    proof = ledger.proof(3)
    data = ledger.leaf_data(3)
    assert verify_proof(proof, data, ORIGIN, ledger.verifier, [witness.verifier]).size == 11
    other = Ed25519PrivateKey.generate()
    for wrong in (
        lambda: verify_proof(proof, ledger.leaf_data(4), ORIGIN, ledger.verifier),
        lambda: verify_proof(proof, data, "example.com/runs/2", ledger.verifier),
        lambda: verify_proof(proof, data, ORIGIN, ledger.verifier, [witness.verifier, _witness(other)]),
        lambda: verify_proof(proof, data, ORIGIN, _log(other)),
    ):
        with pytest.raises(LedgerError):
            wrong()
    two = [witness.verifier, _witness(other)]
    assert verify_proof(proof, data, ORIGIN, ledger.verifier, two, quorum=1).size == 11


def _witness(key: Ed25519PrivateKey) -> Any:
    from autotelic.oversee.ledger.cosignatures import cosigner

    return cosigner("other.example", key).verifier


def _log(key: Ed25519PrivateKey) -> Any:
    from autotelic.oversee.ledger import NoteSigner

    return NoteSigner(ORIGIN, key).verifier


@settings(max_examples=100, deadline=None)
@given(leaves)
def test_a_leaf_reads_back_as_it_was_written(leaf: dict[str, Any]) -> None:
    data = encode_leaf(leaf)
    assert data == canonical(leaf).encode()
    assert decode_leaf(data) == leaf
    assert encode_leaf(decode_leaf(data)) == data


@pytest.mark.parametrize(
    "leaf",
    [
        {"a": 2**53},
        {"a": -(2**53)},
        {"a": [{"b": 2**53 + 1}]},
        {"a": float(2**53)},
        {"a": 1e20},
        {"a": float("nan")},
        {"a": float("inf")},
        {"a": "\ud800"},
        {"\ud800": 1},
        {"a": {1, 2}},
        {"a": b"bytes"},
        {1: "a"},
        [1],
        "text",
        None,
        {"a": 10**5000},
    ],
)
def test_a_leaf_that_would_not_read_back_is_refused_and_nothing_is_kept(ledger: Ledger, leaf: Any) -> None:
    before = ledger.head()
    with pytest.raises(LedgerError):
        ledger.append([{"fine": True}, leaf])
    assert ledger.head() == before
    assert ledger.append([{"fine": True}]).size == before.size + 1


def test_a_leaf_nested_too_deeply_is_refused() -> None:
    deep: Any = {}
    for _ in range(5000):
        deep = {"a": deep}
    with pytest.raises(LedgerError, match="deeply"):
        encode_leaf(deep)
    with pytest.raises(LedgerError, match="deeply"):
        decode_leaf(b'{"a":' * 5000 + b"1" + b"}" * 5000)


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":1}',
        '{"b":{"a":1,"a":2}}',
        '{"a":NaN}',
        '{"a":Infinity}',
        '{"a":1e400}',
        '{"a":9007199254740992}',
        '{"a":-9007199254740993}',
        '{"a": 1}',
        '{"b":1,"a":2}',
        '{"a":1.0}',
        '{"a":-0}',
        '{"a":1E2}',
        '{"a":"\\u0041"}',
        '{"a":1}\n',
        "[1]",
        "1",
        "",
        "\ufeff{}",
        '{"a":"\\ud800"}',
    ],
)
def test_a_text_that_is_not_the_one_of_its_value_is_refused(text: str) -> None:
    with pytest.raises(LedgerError):
        decode_leaf(text.encode("utf-8", "surrogatepass"))


def test_bytes_that_are_not_utf8_are_refused() -> None:
    with pytest.raises(LedgerError, match="not JSON"):
        decode_leaf(b'{"a":"\xff"}')


def test_reopening_goes_on_from_the_same_head(ledger: Ledger) -> None:
    head = ledger.head()
    ledger.close()
    ledger.close()  # twice is no error
    with Ledger.open(ledger.path, LOG_KEY) as again:
        assert again.head() == head
        assert again.append([{"more": 1}]).size == head.size + 1
        assert again.append([]) == again.head()
    assert verify_ledger(ledger.path).ok


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 9), st.booleans()), min_size=1, max_size=8))
def test_any_division_into_commits_gives_the_same_root(commits: list[tuple[int, bool]]) -> None:
    edge, number = merkle.Frontier(), 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.sqlite"
        ledger = Ledger.create(path, LOG_KEY, ORIGIN)
        for count, reopen in commits:
            batch = [{"n": number + n} for n in range(count)]
            number += count
            for leaf in batch:
                edge.append(merkle.hash_leaf(canonical(leaf).encode()))
            assert ledger.append(batch).root == edge.root()
            if reopen:
                ledger.close()
                ledger = Ledger.open(path, LOG_KEY)
        assert verify_ledger(path).ok
        ledger.close()
        report = verify_ledger(path, sealed=True)
        assert (report.problem, report.size, report.root) == (None, number, edge.root().hex())


def test_two_processes_cannot_both_append(ledger: Ledger) -> None:
    with Ledger.open(ledger.path, LOG_KEY) as second:
        second.append([{"by": "second"}])
        with pytest.raises(LedgerError, match="another process has appended"):
            ledger.append([{"by": "first"}])
        with pytest.raises(LedgerError, match="another process has appended"):
            ledger.append([{"by": "first"}])  # nor when it tries again
        assert second.append([{"by": "second"}]).size == 13
    assert verify_ledger(ledger.path).ok


def test_threads_share_a_ledger(ledger: Ledger) -> None:
    def work(thread: int) -> None:
        for n in range(5):
            head = ledger.append([{"thread": thread, "n": n}])
            assert ledger.leaf(head.size - 1)["thread"] == thread
            assert len(ledger.prove_inclusion(0, head.size)) == (head.size - 1).bit_length()

    often, interval = 1e-6, sys.getswitchinterval()
    sys.setswitchinterval(often)
    try:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(work, range(4)))
    finally:
        sys.setswitchinterval(interval)
    assert ledger.head().size == 31
    seen = list(ledger.leaves(11))
    assert all([leaf["n"] for leaf in seen if leaf["thread"] == one] == [0, 1, 2, 3, 4] for one in range(4))
    assert verify_ledger(ledger.path).ok


def test_the_seal_is_gone_while_a_process_may_append(ledger: Ledger) -> None:
    ledger.close()
    with Ledger.open(ledger.path, LOG_KEY):
        assert not verify_ledger(ledger.path).sealed
        assert verify_ledger(ledger.path).ok
    assert verify_ledger(ledger.path, sealed=True).ok


def test_verifying_takes_no_locks_away(ledger: Ledger) -> None:
    """Another process that reads and closes must not take away the write-ahead log of one that appends.

    POSIX locks belong to a process: to open and close the file besides SQLite would end them.
    """
    ledger.close()
    read = f"from autotelic.oversee.ledger import Ledger; Ledger.open({str(ledger.path)!r}).close()"
    with Ledger.open(ledger.path, LOG_KEY) as again:
        for n in range(3):
            assert verify_ledger(ledger.path).ok
            subprocess.run([sys.executable, "-c", read], check=True, timeout=60)
            assert again.append([{"n": n}]).size == 12 + n
            with Ledger.open(ledger.path) as reader:
                assert reader.head().size == 12 + n
    assert verify_ledger(ledger.path, sealed=True).size == 14


def test_a_write_ahead_log_that_was_taken_away_loses_nothing(ledger: Ledger) -> None:
    """Something else in this process hashes the file, and so ends its locks; then a reader elsewhere cleans up."""
    read = (
        f"import sqlite3; connection = sqlite3.connect({str(ledger.path)!r}); "
        "connection.execute('SELECT count(*) FROM leaves').fetchall(); connection.close()"
    )
    for n in range(2):
        ledger.path.read_bytes()
        subprocess.run([sys.executable, "-c", read], check=True, timeout=60)
        assert not ledger.path.with_name("ledger.sqlite-wal").exists()
        assert ledger.append([{"n": n}]).size == 12 + n
        assert verify_ledger(ledger.path).size == 12 + n
    ledger.close()
    assert verify_ledger(ledger.path, sealed=True).size == 13


def test_a_reader_sees_commits_and_cannot_append(ledger: Ledger) -> None:
    with Ledger.open(ledger.path) as reader:
        ledger.append([{"new": True}])
        assert reader.head() == ledger.head()
        for write in (lambda: reader.append([{}]), lambda: reader.add_cosignature(11, "", ledger.verifier)):
            with pytest.raises(LedgerError, match="open to be read"):
                write()


def test_a_closed_ledger_is_two_files_and_reading_leaves_nothing_beside_them(
    ledger: Ledger, tmp_path: Path
) -> None:
    ledger.close()
    expected = {"ledger.sqlite", "ledger.sqlite.seal"}
    names = lambda: {name for name in os.listdir(tmp_path) if name.startswith("ledger")}  # noqa: E731
    assert names() == expected
    before = ledger.path.read_bytes()
    assert verify_ledger(ledger.path, sealed=True).ok
    with Ledger.open(ledger.path) as reader:
        list(reader.leaves())
    assert names() == expected
    assert ledger.path.read_bytes() == before


def test_a_ledger_that_may_not_be_written_is_read(ledger: Ledger, tmp_path: Path) -> None:
    ledger.close()
    ledger.path.chmod(0o444)
    with Ledger.open(ledger.path) as reader:
        assert reader.head().size == 11
    assert verify_ledger(ledger.path, sealed=True).ok


def test_what_cannot_be_opened_is_said_in_one_line(ledger: Ledger, tmp_path: Path) -> None:
    ledger.close()
    (tmp_path / "text").write_text("no database" * 100)
    sqlite3.connect(tmp_path / "other.sqlite").execute("CREATE TABLE a (b)").connection.close()
    (tmp_path / "empty").touch()
    other = Ed25519PrivateKey.generate()
    cases = [
        (lambda: Ledger.open(tmp_path / "nowhere"), "does not exist"),
        (lambda: Ledger.open(tmp_path), "does not exist"),
        (lambda: Ledger.open(tmp_path / "text"), "damaged"),
        (lambda: Ledger.open(tmp_path / "other.sqlite"), "is no ledger"),
        (lambda: Ledger.open(tmp_path / "empty"), "is no ledger"),
        (lambda: Ledger.open(ledger.path, other), "the key is not that of"),
        (lambda: Ledger.create(ledger.path, LOG_KEY, ORIGIN), "exists already"),
        (lambda: Ledger.create(tmp_path / "no" / "ledger.sqlite", LOG_KEY, ORIGIN), "cannot be"),
        (lambda: Ledger.create(tmp_path / "new", LOG_KEY, "two words"), "cannot name a key"),
        (lambda: Ledger.create(tmp_path / "new", LOG_KEY, ""), "cannot name a key"),
    ]
    for attempt, said in cases:
        with pytest.raises(LedgerError, match=said) as caught:
            attempt()
        assert "\n" not in str(caught.value)


def test_asking_for_what_is_not_there_is_said_in_one_line(ledger: Ledger) -> None:
    for attempt, said in (
        (lambda: ledger.leaf(11), "no leaf 11; it has 11"),
        (lambda: ledger.leaf(-1), "no leaf -1"),
        (lambda: ledger.checkpoint(5), "no checkpoint of 5 leaves"),
        (lambda: ledger.prove_inclusion(11), "not among the first 11"),
        (lambda: ledger.prove_inclusion(0, 12), "has 11 leaves, and not 12"),
        (lambda: ledger.prove_consistency(12), "no prefix"),
        (lambda: ledger.proof(3, 5), "no checkpoint of 5 leaves"),
    ):
        with pytest.raises(LedgerError, match=said):
            attempt()


def test_a_ledger_that_was_changed_is_not_appended_to(ledger: Ledger) -> None:
    ledger.close()
    data = bytearray(ledger.path.read_bytes())
    data[-1] ^= 1
    ledger.path.write_bytes(data)
    with pytest.raises(LedgerError, match="seal"):
        Ledger.open(ledger.path, LOG_KEY)
    seal = ledger.path.with_name("ledger.sqlite.seal")
    seal.unlink()
    connection = sqlite3.connect(ledger.path)
    connection.execute("UPDATE leaves SET hash = zeroblob(32) WHERE id = 10")
    connection.commit()
    connection.close()
    with pytest.raises(LedgerError, match="is not what its last checkpoint"):
        Ledger.open(ledger.path, LOG_KEY)


def test_a_full_disk_leaves_the_last_commit(ledger: Ledger) -> None:
    head = ledger.head()
    pages = ledger._connection.execute("PRAGMA page_count").fetchone()[0]
    ledger._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(LedgerError, match="no space left"):
        ledger.append([{"large": "x" * 100_000}])
    assert ledger.head() == head
    ledger._connection.execute("PRAGMA max_page_count = 1000000")
    assert ledger.append([{"large": "x" * 100_000}]).size == 12
    assert verify_ledger(ledger.path).ok


def test_json_of_any_reader_is_the_same_value(ledger: Ledger) -> None:
    assert json.loads(ledger.leaf_data(0)) == ledger.leaf(0)
