"""The overseer's socket: what is served, what is refused, and TLS to another host."""

from __future__ import annotations

import datetime
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from autotelic.errors import BrakedError, OversightError
from autotelic.oversee.auditor import Opinion, SigningAuditor, approve
from autotelic.oversee.bodies import Claim
from autotelic.oversee.client import RemoteOverseer
from autotelic.oversee.guard import Guard
from autotelic.oversee.overseer import Overseer
from autotelic.oversee.server import Reception, Server, parse_address, server_context
from bench.protocol.observer import CHARTER, KEYS, RUN
from bench.protocol.world import World

Served = tuple[World, Server]


class Approves(SigningAuditor):
    """Approves of everything."""

    def opinion(self, candidate: Claim, evidence: Any) -> Opinion:
        return approve()


def nobody(given: Any) -> Overseer:
    raise OversightError("this overseer takes no new run", "")


def serving(w: World, address: str, tls: Any = None) -> Server:
    both = [Approves(KEYS[f"auditor/{name}"]) for name in ("honest", "corrupt")]
    server = Server(Reception(nobody, Overseer(lambda: w.alive, both, 5.0)), address, tls)
    server.start()
    return server


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    w = World()
    server = serving(w, f"unix:{tmp_path / 's'}")
    yield w, server
    server.shutdown()
    server.server_close()


def a_round(w: World, remote: RemoteOverseer) -> None:
    """A lease, a step and a certificate, all over the socket."""
    guard = Guard(KEYS["trainer/trainer"], w.trust, remote, w.clock, w.reader, every=0)
    guard.begin(1, w.trust.start)
    guard.step(10)
    assert guard.claim(w.blobs[0], w.blobs[0], {"a": 1}).claim.body["candidate"] == w.blobs[0]
    assert remote.attest("n").body["champion"] == w.blobs[0]
    assert remote.certificate(0) is not None
    assert remote.certificate(1) is None
    assert remote.pending() == []


def test_a_round_over_a_local_socket(served: Served, tmp_path: Path) -> None:
    w, server = served
    assert (tmp_path / "s").stat().st_mode & 0o077 == 0
    a_round(w, RemoteOverseer(server.address))


def test_a_round_over_loopback() -> None:
    w = World()
    server = serving(w, "http://127.0.0.1:0")
    try:
        a_round(w, RemoteOverseer(server.address))
    finally:
        server.shutdown()
        server.server_close()


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate that nobody but itself vouches for, and its key, in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / f"{name}.pem", folder / f"{name}.key"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return paths


def test_a_round_over_tls_and_only_the_pinned_certificate_is_believed(tmp_path: Path) -> None:
    w = World()
    pem, key = certificate(tmp_path, "right")
    wrong, _ = certificate(tmp_path, "wrong")
    server = serving(w, "https://localhost:0", server_context(pem, key))
    address = f"https://localhost:{server.server_address[1]}"
    try:
        with pytest.raises(BrakedError, match="does not answer"):
            RemoteOverseer(address, pinned=wrong).status()
        with pytest.raises(BrakedError, match="does not answer"):
            RemoteOverseer(address.replace("https", "http")).status()
        a_round(w, RemoteOverseer(address, pinned=pem))
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    "address",
    ["", "unix:", "unix:" + "x" * 101, "http://10.0.0.1:80", "http://example.com:80", "http://127.0.0.1", "ftp://a:1",
     "http://127.0.0.1:x", "https://a:1", "http://127.0.0.1:80/x", "127.0.0.1:80"],
)  # fmt: skip
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(OversightError):
        parse_address(address, False)


def test_two_overseers_do_not_share_a_socket(served: Served, tmp_path: Path) -> None:
    with pytest.raises(OversightError, match="listens on"):
        serving(World(), served[1].address)
    (tmp_path / "file").write_text("x")
    with pytest.raises(OversightError, match="no socket"):
        serving(World(), f"unix:{tmp_path / 'file'}")


def test_a_socket_that_was_left_behind_is_taken_over(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "s"))
    server = serving(World(), f"unix:{tmp_path / 's'}")
    assert RemoteOverseer(server.address).status()["level"] == 0
    server.shutdown()
    server.server_close()
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize(
    ("call", "given"),
    [
        ("lease", {}), ("lease", {"request": 1}), ("lease", []), ("beat", {"beat": {}}), ("attest", {"nonce": 1}),
        ("attest", {"nonce": "x" * 1001}), ("claim", {"claim": {}, "lease": {}, "evidence": []}),
        ("claim", {"evidence": {}}), ("certificate", {"generation": True}), ("certificate", {"generation": "../x"}),
        ("review", {"review": "yes"}),
        ("set", {"level": 9, "reason": "", "by": ""}), ("set", {"level": 1.5, "reason": "", "by": ""}),
        ("release", {}), ("release", {"orders": []}), ("release", {"orders": "x"}),
        ("nothing", {}), ("../status", {}),
        ("begin", {"run": "r-9", "charter": CHARTER}), ("begin", {}),
    ],
)  # fmt: skip
def test_a_wrong_request_is_answered_in_one_line_and_changes_nothing(
    served: Served, call: str, given: Any
) -> None:
    w, server = served
    size = len(w.log.leaves)
    remote = RemoteOverseer(server.address)
    with pytest.raises((OversightError, BrakedError)) as caught:
        remote.ask(call, given)
    assert "\n" not in str(caught.value)
    assert len(w.log.leaves) == size
    assert remote.status()["level"] == 0


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", {}, 400), (b'{"a":1,"a":1}', {}, 400), (b"\xff", {}, 400), (b"[NaN]", {}, 400),
        (b"", {"Content-Length": "99999999"}, 413), (b"", {"Content-Length": "-1"}, 413),
        (b"", {"Content-Length": "x"}, 411),
    ],
)  # fmt: skip
def test_a_wrong_body_is_refused(served: Served, body: bytes, headers: dict[str, str], status: int) -> None:
    with socket.socket(socket.AF_UNIX) as raw:
        raw.settimeout(5)
        raw.connect(served[1].address.removeprefix("unix:"))
        lines = {"Content-Length": str(len(body))} | headers
        head = "POST /v1/attest HTTP/1.1\r\nHost: x\r\n" + "".join(f"{a}: {b}\r\n" for a, b in lines.items())
        raw.sendall(head.encode() + b"\r\n" + body)
        answer = http.client.HTTPResponse(raw)
        answer.begin()
        assert answer.status == status
        assert "error" in json.loads(answer.read())


def test_a_client_that_says_nothing_keeps_nobody_waiting(served: Served) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.connect(served[1].address.removeprefix("unix:"))
        assert RemoteOverseer(served[1].address).status()["level"] == 0


def test_a_server_that_is_none_stops_the_trainer(tmp_path: Path) -> None:
    """It answers, and not as an overseer does: nothing that it says is taken for a yes."""
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(tmp_path / "s"))
    listening.listen()
    answers = [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", b"HTTP/1.1 200 OK\r\n\r\n", b"rubbish\r\n\r\n",
               b'HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{"result":true}']  # fmt: skip

    def answer() -> None:
        for text in answers:
            taken, _ = listening.accept()
            taken.recv(65536)
            taken.sendall(text)
            taken.close()

    threading.Thread(target=answer, daemon=True).start()
    w = World()
    remote = RemoteOverseer(f"unix:{tmp_path / 's'}")
    guard = Guard(KEYS["trainer/trainer"], w.trust, remote, w.clock, w.reader)
    for _ in answers:
        with pytest.raises((BrakedError, OversightError)):
            guard.begin(1, w.trust.start)
    listening.close()


def test_a_brake_that_hangs_stops_the_trainer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autotelic.oversee.client.PROMPT", 0.2)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s"))
        listening.listen()
        w = World()
        guard = Guard(
            KEYS["trainer/trainer"], w.trust, RemoteOverseer(f"unix:{tmp_path / 's'}"), w.clock, w.reader
        )
        with pytest.raises(BrakedError, match="does not answer"):
            guard.begin(1, w.trust.start)


def test_a_human_reviews_over_the_socket(served: Served) -> None:
    """While a claim waits, its evidence is shown and a signed answer is taken."""
    w, _ = served
    here = Overseer(lambda: w.alive, [Approves(KEYS["auditor/honest"])], 20.0)
    server = Server(Reception(nobody, here), "http://127.0.0.1:0")
    server.start()
    remote = RemoteOverseer(server.address)
    guard = Guard(KEYS["trainer/trainer"], w.trust, remote, w.clock, w.reader, every=0)
    guard.begin(1, w.trust.start)
    found: list[Any] = []
    thread = threading.Thread(
        target=lambda: found.append(guard.claim(w.blobs[0], w.blobs[0], {"shown": [1, 2]}))
    )
    thread.start()
    while not (pending := remote.pending()) or "honest" in pending[0]["missing"]:
        time.sleep(0.02)
    assert pending[0]["evidence"] == {"shown": [1, 2]}
    assert pending[0]["missing"] == ["corrupt"]
    from autotelic.oversee.auditor import sign_opinion
    from autotelic.oversee.signed import Signed

    claim = Claim.opened(Signed.parse(pending[0]["claim"]), *w.trust.of_role("trainer"))
    assert claim.run == RUN
    signed = sign_opinion(KEYS["auditor/corrupt"], claim, pending[0]["evidence"], approve("a human"))
    assert remote.review(signed) == "approve"
    thread.join(20)
    assert found[0].reviews[0].name == "corrupt"
    server.shutdown()
    server.server_close()
