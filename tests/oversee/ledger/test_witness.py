"""A witness vouches for one history: the published conversations, and what no log can bring it to do."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from autotelic.errors import LedgerError
from autotelic.oversee.ledger import (
    HistoryError,
    Ledger,
    NoteSigner,
    NoteVerifier,
    TreeHead,
    Witness,
    WitnessClient,
    WitnessRefusalError,
    WitnessServer,
    cosign_head,
    read_latest,
    sign_checkpoint,
)
from autotelic.oversee.ledger.cosignatures import verify_cosignature
from autotelic.oversee.ledger.notes import ED25519, Note
from autotelic.oversee.ledger.witness_http import encode_request, respond

VECTORS = Path(__file__).parents[2] / "vectors"
LOG_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
WITNESS_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
ORIGIN = "example.com/runs/1"


def conversations() -> list[Any]:
    found = json.loads((VECTORS / "witness.json").read_text())["cases"]
    return [pytest.param(case, id=case["name"]) for case in found]


def keys_of(case: dict[str, Any]) -> tuple[NoteVerifier, Ed25519PrivateKey]:
    if "log_vkey" in case:
        return NoteVerifier.parse(case["log_vkey"]), NoteSigner.parse(case["witness_skey"]).key
    public = bytes.fromhex(case["log_public_key"])
    Ed25519PublicKey.from_public_bytes(public)
    secret = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(case["witness_seed"]))
    return NoteVerifier(case["origin"], ED25519, public), secret


@pytest.mark.parametrize("over_http", [False, True])
@pytest.mark.parametrize("case", conversations())
def test_the_published_conversations(case: dict[str, Any], over_http: bool, tmp_path: Path) -> None:
    log, key = keys_of(case)
    with Witness.create(
        tmp_path / "w.sqlite", key, case["witness_name"], clock=lambda: 1700000000
    ) as witness:
        witness.add_log(log, case["origin"])
        with served(witness) as server:
            for step in case["steps"]:
                body = step["request"].encode()
                status, kind, text = post(server, body) if over_http else respond(witness, body)
                assert status == step["status"], step
                if "body" in step:
                    assert (kind, text) == ("text/x.tlog.size", step["body"])
                if status == 200:
                    signed = Note.parse(step["request"].partition("\n\n")[2]).text
                    assert verify_cosignature(signed, text, witness.verifier) == 1700000000


class served:  # noqa: N801
    """A witness's server in a thread."""

    def __init__(self, witness: Witness) -> None:
        self.server = WitnessServer(witness)

    def __enter__(self) -> WitnessServer:
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self.server

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


def post(server: WitnessServer, body: bytes, path: str = "/add-checkpoint") -> tuple[int, str, str]:
    connection = http.client.HTTPConnection(*server.server_address[:2], timeout=20)
    connection.request("POST", path, body)
    answer = connection.getresponse()
    found = answer.status, answer.headers["Content-Type"], answer.read().decode()
    connection.close()
    return found


@pytest.fixture
def client(ledger: Ledger, witness: Witness) -> Iterator[WitnessClient]:
    with served(witness) as server:
        yield WitnessClient(server.url, witness.verifier)


def test_a_head_is_cosigned_over_http_and_kept(
    ledger: Ledger, witness: Witness, client: WitnessClient
) -> None:
    head = ledger.append([{"n": 1}])
    line = cosign_head(ledger, client)
    assert ledger.cosignatures(head.size) == {witness.verifier.vkey: line}
    assert ledger.cosigned(witness.verifier) == head.size == 12
    assert verify_cosignature(Note.parse(head.checkpoint).text, line, witness.verifier) > 0
    assert witness.latest(ORIGIN) == head.checkpoint
    assert read_latest(witness.path, ORIGIN) == (witness.verifier, head.checkpoint)
    assert read_latest(witness.path, "unknown") == (witness.verifier, None)


def test_an_answer_that_was_lost_is_asked_for_again(ledger: Ledger, witness: Witness) -> None:
    head = ledger.append([{"n": 1}])
    witness.cosign(11, ledger.prove_consistency(11, 12), head.checkpoint)  # and nobody keeps the line
    ledger.append([{"n": 2}])
    cosign_head(ledger, witness)
    assert ledger.cosigned(witness.verifier) == 13


def test_it_cosigns_the_same_checkpoint_again(ledger: Ledger, witness: Witness) -> None:
    cosign_head(ledger, witness)
    cosign_head(ledger, witness)
    assert ledger.cosigned(witness.verifier) == 11


def fork(path: Path, prefix: int, total: int) -> Ledger:
    """Another history by the log's own key, alike in its first leaves."""
    other = Ledger.create(path, LOG_KEY, ORIGIN)
    counts = (1, 3, 2, 5)
    true = [
        {"generation": g, "n": n, "of": "sha256:" + "ab" * 32}
        for g, count in enumerate(counts)
        for n in range(count)
    ]
    other.append([*true[:prefix], *({"forged": n} for n in range(prefix, total))])
    return other


@pytest.mark.parametrize(("prefix", "total"), [(0, 11), (0, 30), (5, 11), (10, 11), (10, 12), (7, 15)])
def test_a_second_history_by_the_logs_key_is_refused(
    prefix: int, total: int, ledger: Ledger, witness: Witness, tmp_path: Path
) -> None:
    kept = witness.latest(ORIGIN)
    with fork(tmp_path / "fork.sqlite", prefix, total) as other, pytest.raises(HistoryError):
        cosign_head(other, witness)
    assert witness.latest(ORIGIN) == kept


def test_another_root_of_the_same_size_is_a_conflict(
    ledger: Ledger, witness: Witness, tmp_path: Path
) -> None:
    with fork(tmp_path / "fork.sqlite", 5, 11) as other:
        with pytest.raises(WitnessRefusalError) as caught:
            witness.cosign(11, [], other.head().checkpoint)
        assert (caught.value.status, caught.value.size) == (409, 11)
        status, kind, body = respond(witness, encode_request(11, [], other.head().checkpoint).encode())
        assert (status, kind, body) == (409, "text/x.tlog.size", "11\n")


@pytest.mark.parametrize("size", [1, 10])
def test_an_old_copy_is_refused(size: int, ledger: Ledger, witness: Witness, tmp_path: Path) -> None:
    with fork(tmp_path / "old.sqlite", size, size) as old, pytest.raises(HistoryError, match="cut short"):
        cosign_head(old, witness)


def test_a_witness_that_went_back_is_not_trusted(ledger: Ledger, witness: Witness, tmp_path: Path) -> None:
    with Witness.create(tmp_path / "again.sqlite", WITNESS_KEY, "witness.example") as lost:
        lost.add_log(ledger.verifier)
        with pytest.raises(HistoryError, match="has lost what it had"):
            cosign_head(ledger, lost)


def test_a_key_without_its_store_does_not_begin_anew(witness: Witness, tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="does not exist"):
        Witness.open(tmp_path / "lost.sqlite", WITNESS_KEY)
    with pytest.raises(LedgerError, match="the key is not that of"):
        Witness.open(witness.path, LOG_KEY)
    with pytest.raises(LedgerError, match="exists already"):
        Witness.create(witness.path, WITNESS_KEY, "witness.example")


def test_it_persists_before_it_signs(ledger: Ledger, witness: Witness) -> None:
    """Where the store cannot be written, no signature leaves the witness."""
    head = ledger.append([{"n": 1}])
    proof = ledger.prove_consistency(11, 12)
    witness._connection.execute("PRAGMA query_only = ON")
    with pytest.raises(LedgerError):
        witness.cosign(11, proof, head.checkpoint)
    status, _, _ = respond(witness, encode_request(11, proof, head.checkpoint).encode())
    assert status == 500
    witness._connection.execute("PRAGMA query_only = OFF")
    assert witness.cosign(11, proof, head.checkpoint)


def test_a_write_ahead_log_that_was_taken_away_loses_nothing(ledger: Ledger, witness: Witness) -> None:
    read = (
        f"import sqlite3; connection = sqlite3.connect({str(witness.path)!r}); "
        "connection.execute('SELECT count(*) FROM heads').fetchall(); connection.close()"
    )
    witness.path.read_bytes()  # which ends this process's locks on the file
    subprocess.run([sys.executable, "-c", read], check=True, timeout=60)
    assert not witness.path.with_name("witness.sqlite-wal").exists()
    head = ledger.append([{"n": 1}])
    cosign_head(ledger, witness)
    assert read_latest(witness.path, ORIGIN)[1] == head.checkpoint


def test_the_store_outlives_the_process(ledger: Ledger, witness: Witness) -> None:
    witness.close()
    with Witness.open(witness.path, WITNESS_KEY) as again:
        assert again.latest(ORIGIN) == ledger.head().checkpoint
        ledger.append([{"n": 1}])
        cosign_head(ledger, again)


def test_threads_cannot_bring_it_to_cosign_two_histories(ledger: Ledger, witness: Witness) -> None:
    """The race of the specification: of two trees that extend the same one, one is cosigned."""
    signer = NoteSigner(ORIGIN, LOG_KEY)
    heads = [sign_checkpoint(TreeHead(ORIGIN, 11, bytes([n]) * 32), signer) for n in range(8)]
    with Witness.create(witness.path.with_name("race.sqlite"), WITNESS_KEY, "race.example") as fresh:
        fresh.add_log(ledger.verifier)
        lines: list[str] = []
        refused: list[int] = []

        def ask(checkpoint: str) -> None:
            try:
                lines.append(fresh.cosign(0, [], checkpoint))
            except WitnessRefusalError as refusal:
                refused.append(refusal.status)

        threads = [threading.Thread(target=ask, args=(head,)) for head in heads]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(lines) == 1
        assert refused == [409] * 7


def test_the_server_refuses_what_is_no_request(client: WitnessClient, witness: Witness) -> None:
    host, port = client.url.removeprefix("http://").split(":")
    for sent, said in (
        (b"POST /add-checkpoint HTTP/1.1\r\nHost: a\r\n\r\n", b" 411 "),
        (b"POST /add-checkpoint HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", b" 411 "),
        (b"POST /add-checkpoint HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n", b" 413 "),
        (b"POST /elsewhere HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab", b" 404 "),
        (b"POST /add-checkpoint HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n\xff\xfe\n\n", b" 400 "),
        (b"GET /add-checkpoint HTTP/1.1\r\nHost: a\r\n\r\n", b" 501 "),
    ):
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(sent)
            assert said in connection.recv(200).split(b"\r\n")[0], sent


def test_the_client_trusts_no_other_key_and_no_rubbish(
    ledger: Ledger, client: WitnessClient, tmp_path: Path
) -> None:
    other = Ed25519PrivateKey.generate()
    with (
        Witness.create(tmp_path / "other.sqlite", other, "other.example") as stranger,
        served(stranger) as server,
    ):
        stranger.add_log(ledger.verifier)
        with pytest.raises(LedgerError, match="did not sign with the known key"):
            WitnessClient(server.url, client.verifier).cosign(0, [], ledger.head().checkpoint)
    with pytest.raises(LedgerError, match="does not answer"):
        cosign_head(ledger, WitnessClient("http://127.0.0.1:9", client.verifier))
    with pytest.raises(LedgerError, match="is no address"):
        WitnessClient("ftp://example.com", client.verifier)
