"""The overseer behind a socket: HTTP with JSON, on a local socket, on loopback, or over TLS to another host.

    unix:/path/to/socket      its folder is open to its owner, and to a group where one is given
    http://127.0.0.1:8471     loopback alone
    https://host:8471         with a certificate; the client pins it

Whoever reaches it may raise the brake: that is safe. All else is signed, so the transport need not be trusted for it.
"""

from __future__ import annotations

import os
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from autotelic.canonical import canonical
from autotelic.errors import AutotelicError, BrakedError, OversightError
from autotelic.oversee.overseer import Overseer
from autotelic.oversee.peers import grade_of
from autotelic.oversee.signed import MOST_BYTES, Signed, strict

LOOPBACK = ("127.0.0.1", "::1", "localhost")
"""Hosts that plain HTTP may be spoken on."""
MOST_PATH = 100
"""Bytes of the longest path of a socket: systems take 104 or 108."""
BEGIN = "/v1/begin"
"""The call by which a run begins, or goes on: the grade of isolation is that of who makes it."""
WAIT = 30.0
"""Seconds that a client has to send its request."""


class Reception:
    """Where an independent overseer waits for its run. `begin` opens it; until then every other call is refused."""

    def __init__(
        self, begin: Callable[[Mapping[str, Any]], Overseer], overseer: Overseer | None = None
    ) -> None:
        self._begin, self.begun = begin, overseer
        self._lock = threading.Lock()

    @property
    def overseer(self) -> Overseer:
        if self.begun is None:
            raise BrakedError("no run has begun with this overseer", "begin or resume the run first")
        return self.begun

    def begin(self, given: Mapping[str, Any]) -> Signed:
        """Open the overseer for a run; its founding. The same run may begin again, another one may not."""
        with self._lock:
            if self.begun is None:
                self.begun = self._begin(given)
            founding = self.begun.founding()
            self._check_grade(given.get("grade", "A"))
            if (founding.body["run"], founding.body["charter"]) != (given["run"], given["charter"]):
                raise OversightError(
                    "this overseer has another run, or the run began under another charter",
                    "give each run an overseer of its own, and leave its charter as it was",
                )
        return founding

    def _check_grade(self, grade: str) -> None:
        """Raise OversightError where a run goes on with less isolation than it was founded with."""
        founded = self.overseer.brake.trust.grade
        if grade < founded:
            self.overseer.note({"kind": "grade", "founded": founded, "now": grade})
            raise OversightError(
                f"the run was founded at grade {founded}, and its trainer now reaches the overseer at grade {grade}",
                "train as the user and on the host that it was founded with",
            )


def calls(reception: Reception) -> Mapping[str, Callable[[Any], Any]]:
    """What can be asked, by the last part of its path. Each takes and gives plain JSON."""

    def certificate(given: Any) -> Any:
        found = reception.overseer.certificate(_whole(given["generation"]))
        return None if found is None else found.as_json()

    def claim(given: Any) -> Any:
        evidence = given["evidence"]
        if not isinstance(evidence, dict):
            raise OversightError("evidence is no object", "send an object")
        claimed, leased = Signed.parse(given["claim"]), Signed.parse(given["lease"])
        return reception.overseer.claim(claimed, leased, evidence).as_json()

    def receive(given: Any) -> Any:
        return {"how": reception.overseer.receive(Signed.parse(given["review"])).how}

    def report(given: Any) -> Any:
        reception.overseer.report(Signed.parse(given["report"]))
        return {}

    def finished(given: Any) -> Any:
        reception.overseer.finish()
        return {}

    def raised(given: Any) -> Any:
        reception.overseer.raise_to(_whole(given["level"]), _text(given["reason"]), _text(given["by"]))
        return dict(reception.overseer.status())

    def released(given: Any) -> Any:
        reception.overseer.release([Signed.parse(order) for order in given["orders"]])
        return dict(reception.overseer.status())

    def recalled(given: Any) -> Any:
        reception.overseer.recall(Signed.parse(given["order"]))
        return dict(reception.overseer.status())

    return {
        "begin": lambda given: reception.begin(given).as_json(),
        "founding": lambda given: reception.overseer.founding().as_json(),
        "lease": lambda given: reception.overseer.lease(Signed.parse(given["request"])).as_json(),
        "beat": lambda given: reception.overseer.beat(Signed.parse(given["beat"])).as_json(),
        "attest": lambda given: reception.overseer.attest(_text(given["nonce"])).as_json(),
        "certificate": certificate,
        "claim": claim,
        "review": receive,
        "pending": lambda given: [pending.as_json() for pending in list(reception.overseer.pending.values())],
        "report": report,
        "finish": finished,
        "set": raised,
        "release": released,
        "recall": recalled,
        "status": lambda given: dict(reception.overseer.status()),
    }


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise OversightError(f"{value!r:.40} is no whole number", "send one")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 1000:
        raise OversightError(f"{value!r:.40} is no text of at most 1000 characters", "send one")
    return value


class _Handler(BaseHTTPRequestHandler):
    """One request: its body is read whole, then one call is made."""

    timeout = WAIT
    server: Server
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        try:
            length = int(self.headers.get("Content-Length", ""))
        except ValueError:
            return self._answer(411, _told(OversightError("no Content-Length", "send one")))
        if not 0 <= length <= 2 * MOST_BYTES:
            self.close_connection = True
            return self._answer(413, _told(OversightError(f"{length} bytes are too many", "send fewer")))
        content = self.rfile.read(length)
        call = self.server.calls.get(self.path.removeprefix("/v1/"))
        if call is None:
            return self._answer(404, _told(OversightError(f"there is no {self.path:.60}", "ask for another")))
        try:
            given = strict(content or b"{}")
            if self.path == BEGIN and isinstance(given, dict):
                given = {**given, "grade": grade_of(self.connection)}  # whatever a trainer says of itself
            return self._answer(200, {"result": call(given)})
        except BrakedError as error:
            return self._answer(409, _told(error))
        except AutotelicError as error:
            return self._answer(400, _told(error))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            return self._answer(
                400, _told(OversightError(f"a field is missing or wrong: {error!r:.80}", "send it"))
            )

    def _answer(self, status: int, value: Mapping[str, Any]) -> None:
        body = canonical(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "local"

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: what matters is in the ledger."""


def _told(error: AutotelicError) -> dict[str, Any]:
    return {"error": {"kind": type(error).__name__, "cause": error.cause, "fix": error.fix}}


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Serves one overseer at one address, each request on a thread of its own."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, reception: Reception, address: str, tls: ssl.SSLContext | None = None) -> None:
        self.calls = calls(reception)
        self._path: Path | None = None
        kind, place = parse_address(address, tls is not None)
        if kind == "unix":
            self.address_family = socket.AF_UNIX
            self._path = Path(str(place))
            _free(self._path)
        old = os.umask(0o077)
        try:
            super().__init__(place, _Handler)
        except OSError as error:
            raise OversightError(
                f"{address} cannot be listened on: {error.strerror}", "give another"
            ) from error
        finally:
            os.umask(old)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    @property
    def address(self) -> str:
        """Where it listens, with the port that it was given."""
        if self._path is not None:
            return f"unix:{self._path}"
        host, port = self.server_address[:2]
        kind = "https" if isinstance(self.socket, ssl.SSLSocket) else "http"
        return f"{kind}://{host!s}:{port}"

    def finish_request(self, request: Any, client_address: Any) -> None:
        if isinstance(request, ssl.SSLSocket):
            request.settimeout(WAIT)
            request.do_handshake()  # here, so that a client that dawdles blocks nobody else
        super().finish_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away, or that is none, is no event."""

    def start(self) -> threading.Thread:
        """Serve on a thread of its own."""
        thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        thread.start()
        return thread

    def server_close(self) -> None:
        super().server_close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)


def parse_address(address: str, tls: bool) -> tuple[str, Any]:
    """`unix` with a path, or `http` or `https` with host and port. Raises OversightError for any other."""
    if address.startswith("unix:"):
        path = address.removeprefix("unix:")
        if not path or len(os.fsencode(path)) > MOST_PATH:
            raise OversightError(
                f"{address:.140} is no socket's path of 1 to {MOST_PATH} bytes", "give a shorter one"
            )
        return "unix", path
    parts = urlsplit(address)
    try:
        port = parts.port
    except ValueError:
        port = None
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or port is None
        or parts.path not in ("", "/")
    ):
        raise OversightError(
            f"{address:.80} is no address", "give unix:PATH, http://127.0.0.1:PORT or https://HOST:PORT"
        )
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise OversightError(
            f"{address:.80} leaves this machine without TLS", "use https://, with a certificate"
        )
    if (parts.scheme == "https") != tls:
        raise OversightError("https needs a certificate, and nothing else takes one", "give both or neither")
    return parts.scheme, (parts.hostname, port)


def listens(address: str) -> bool:
    """Whether somebody listens on a local socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as tried:
        tried.settimeout(1.0)
        try:
            tried.connect(address.removeprefix("unix:"))
        except OSError:
            return False
    return True


def _free(path: Path) -> None:
    """Remove a socket that nobody listens on any more. Raises OversightError where somebody does."""
    if not path.exists():
        return
    if listens(str(path)):
        raise OversightError(f"an overseer listens on {path} already", "use it, or end it first")
    if not path.is_socket():
        raise OversightError(f"{path} is no socket", "give another path")
    path.unlink(missing_ok=True)


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """TLS 1.3 with a certificate and its key, in PEM."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise OversightError(
            f"{certificate} with {key} is no certificate: {error}", "give PEM files"
        ) from error
    return context
