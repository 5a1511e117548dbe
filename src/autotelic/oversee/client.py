"""The overseer from afar: what `server.py` serves, as an object. Implements `Oversight`.

What it gives is not trusted because of where it came from: every signature is checked by who asks.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from autotelic.canonical import canonical
from autotelic.errors import BrakedError, OversightError
from autotelic.oversee.permits import Certificate
from autotelic.oversee.server import parse_address
from autotelic.oversee.signed import Signed, strict

PROMPT = 2.0
"""Seconds that the brake has to answer. A trainer waits no longer: it stops."""


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class RemoteOverseer:
    """An overseer at an address. `pinned` is the PEM file of the only certificate that is believed, for https.

    `patience` is how many seconds a claim may take to be reviewed. Raises BrakedError where nobody answers in time.
    """

    def __init__(self, address: str, *, pinned: Path | None = None, patience: float = 600.0) -> None:
        self.address, self.patience = address, patience
        self._kind, self._place = parse_address(address, pinned is not None)
        self._tls = None if pinned is None else client_context(pinned)

    def _connection(self, timeout: float) -> http.client.HTTPConnection:
        if self._kind == "unix":
            return _UnixConnection(self._place, timeout)
        host, port = self._place
        if self._tls is not None:
            return http.client.HTTPSConnection(host, port, timeout=timeout, context=self._tls)
        return http.client.HTTPConnection(host, port, timeout=timeout)

    def ask(self, call: str, given: Mapping[str, Any], timeout: float = PROMPT) -> Any:
        """One call; what it gives. Raises what the other side raised, BrakedError where it does not answer."""
        connection = self._connection(timeout)
        try:
            connection.request("POST", f"/v1/{call}", canonical(given).encode())
            answer = strict(connection.getresponse().read(2 << 20))
        except (OSError, http.client.HTTPException) as error:
            raise BrakedError(
                f"the brake at {self.address} does not answer: {error or type(error).__name__}",
                "start it again (`autotelic auditor`), then resume the run",
            ) from error
        finally:
            connection.close()
        if isinstance(answer, dict) and "result" in answer:
            return answer["result"]
        try:
            told = answer["error"]
            kind = BrakedError if told["kind"] == "BrakedError" else OversightError
            raised = kind(str(told["cause"]), str(told["fix"]))
        except (KeyError, TypeError):
            raise OversightError(f"{self.address} is no overseer", "give its address") from None
        raise raised

    def begin(self, about: Mapping[str, Any]) -> Signed:
        """Begin a run with this overseer, or go on with it; its founding."""
        return Signed.parse(self.ask("begin", about, timeout=30.0))

    def founding(self) -> Signed:
        return Signed.parse(self.ask("founding", {}))

    def lease(self, asked: Signed) -> Signed:
        return Signed.parse(self.ask("lease", {"request": asked.as_json()}))

    def beat(self, sent: Signed) -> Signed:
        return Signed.parse(self.ask("beat", {"beat": sent.as_json()}))

    def attest(self, nonce: str) -> Signed:
        return Signed.parse(self.ask("attest", {"nonce": nonce}))

    def claim(self, claimed: Signed, leased: Signed, evidence: Mapping[str, Any]) -> Certificate:
        given = {"claim": claimed.as_json(), "lease": leased.as_json(), "evidence": dict(evidence)}
        return Certificate.parse(self.ask("claim", given, self.patience + PROMPT))

    def certificate(self, generation: int) -> Certificate | None:
        found = self.ask("certificate", {"generation": generation})
        return None if found is None else Certificate.parse(found)

    def pending(self) -> Sequence[Mapping[str, Any]]:
        """Claims that wait for auditors: `claim`, `evidence`, and the names that are `missing`."""
        return list(self.ask("pending", {}))

    def review(self, signed: Signed) -> str:
        """Send a review; what became of it."""
        return str(self.ask("review", {"review": signed.as_json()})["how"])

    def raise_to(self, level: int, reason: str, by: str) -> Mapping[str, Any]:
        return dict(self.ask("set", {"level": level, "reason": reason, "by": by}))

    def release(self, orders: Sequence[Signed]) -> Mapping[str, Any]:
        return dict(self.ask("release", {"orders": [order.as_json() for order in orders]}))

    def report(self, signed: Signed) -> None:
        """Put something on the record. Waits longer than for a beat: the disk may be slow."""
        self.ask("report", {"report": signed.as_json()}, timeout=30.0)

    def recall(self, order: Signed) -> Mapping[str, Any]:
        return dict(self.ask("recall", {"order": order.as_json()}))

    def finish(self) -> None:
        """Say that the budget is spent: auditors open what they kept secret."""
        self.ask("finish", {})

    def status(self) -> Mapping[str, Any]:
        return dict(self.ask("status", {}))


def client_context(pinned: Path) -> ssl.SSLContext:
    """TLS 1.3 that believes one certificate and no authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        context.load_verify_locations(cafile=pinned)
    except (OSError, ssl.SSLError) as error:
        raise OversightError(f"{pinned} is no certificate: {error}", "give a PEM file") from error
    return context
