"""The protocol of witnesses over HTTP (c2sp.org/tlog-witness 1.0.0): a server for ours, a client for any.

POST <prefix>/add-checkpoint
old 20852014                                       the size that the witness has cosigned
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=       a consistency proof, a hash a line
                                                   an empty line, then the checkpoint
"""

from __future__ import annotations

import http.client
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from autotelic.errors import LedgerError
from autotelic.oversee.ledger.checkpoints import TreeHead
from autotelic.oversee.ledger.cosignatures import verify_cosignature
from autotelic.oversee.ledger.lines import decode_base64, decode_decimal, encode_base64
from autotelic.oversee.ledger.notes import Note, NoteVerifier, parse_signature, signature_line
from autotelic.oversee.ledger.witness import MAX_PROOF, Status, Witness, WitnessRefusalError

MAX_BODY = 262_144
"""Length of the longest request, in bytes: 63 hashes and a checkpoint with many signatures fit several times."""
SIZE_TYPE = "text/x.tlog.size"
_STATUS: tuple[Status, ...] = (400, 403, 404, 409, 422)


def encode_request(old_size: int, proof: Sequence[bytes], checkpoint: str) -> str:
    """The body of a request to cosign."""
    return "\n".join([f"old {old_size}", *map(encode_base64, proof), "", checkpoint])


def decode_request(body: bytes) -> tuple[int, list[bytes], str]:
    """The old size, the proof and the checkpoint of a request. Raises WitnessRefusalError 400 if malformed."""
    try:
        head, gap, checkpoint = body.decode().partition("\n\n")
        lines = head.split("\n")
        if not gap or not lines[0].startswith("old "):
            raise LedgerError("the request is not an old size, a proof, an empty line and a checkpoint")
        if len(lines) - 1 > MAX_PROOF:
            raise LedgerError(f"the proof has more than {MAX_PROOF} lines")
        old_size = decode_decimal(lines[0].removeprefix("old "), "the old size")
        return old_size, [decode_base64(line, "a hash of the proof") for line in lines[1:]], checkpoint
    except (LedgerError, UnicodeDecodeError) as error:
        raise WitnessRefusalError(400, str(error)) from error


def respond(witness: Witness, body: bytes) -> tuple[int, str, str]:
    """The status, the content type and the body with which a witness answers a request."""
    try:
        return 200, "text/plain; charset=utf-8", witness.cosign(*decode_request(body))
    except WitnessRefusalError as refusal:
        if refusal.size is not None:
            return refusal.status, SIZE_TYPE, f"{refusal.size}\n"
        return refusal.status, "text/plain; charset=utf-8", f"{refusal.cause}\n"
    except LedgerError as error:  # the disk is full, the store is gone: nothing was signed
        return 500, "text/plain; charset=utf-8", f"{error.cause}\n"


class WitnessServer(ThreadingHTTPServer):
    """Serves a witness on an address, by default loopback at a free port. `serve_forever()` and `shutdown()`."""

    daemon_threads = True

    def __init__(self, witness: Witness, host: str = "127.0.0.1", port: int = 0) -> None:
        if not 0 <= port < 65536:
            raise LedgerError(f"{port} is no port", "give one from 0 to 65535; 0 takes a free one")
        self.witness = witness
        super().__init__((host, port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error of the witness."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    @property
    def url(self) -> str:
        """Where clients submit checkpoints to: the submission prefix."""
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 10
    """Seconds that a client may be silent."""
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Answer add-checkpoint."""
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit() and len(length) < 10):
            self._answer(411, "text/plain", "a request needs its Content-Length\n", close=True)
            return
        if int(length) > MAX_BODY:
            self._answer(413, "text/plain", f"a request has at most {MAX_BODY} bytes\n", close=True)
            return
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            self.close_connection = True
        elif self.path.rstrip("/") != "/add-checkpoint":
            self._answer(404, "text/plain", "a witness answers /add-checkpoint\n")
        else:
            self._answer(*respond(cast(WitnessServer, self.server).witness, body))

    def _answer(self, status: int, kind: str, text: str, *, close: bool = False) -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        if close:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: what was cosigned is in the store."""


class WitnessClient:
    """A witness elsewhere: its submission prefix and its public key. A public one can be named."""

    def __init__(self, url: str, verifier: NoteVerifier, timeout: float = 10.0) -> None:
        if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
            raise LedgerError(
                f"{url!r} is no address of a witness", "give one that begins with http:// or https://"
            )
        self.url = url.rstrip("/")
        self.verifier = verifier
        self.timeout = timeout
        """Seconds to wait for an answer."""
        loopback = urllib.parse.urlsplit(url).hostname in ("127.0.0.1", "::1", "localhost")
        direct = [urllib.request.ProxyHandler({})] if loopback else []
        self._opener = urllib.request.build_opener(*direct)

    def cosign(self, old_size: int, proof: Sequence[bytes], checkpoint: str) -> str:
        """The witness's signature line, checked.

        Raises WitnessRefusalError, and LedgerError where the witness cannot be reached or answers with rubbish.
        """
        body = encode_request(old_size, proof, checkpoint).encode()
        request = urllib.request.Request(f"{self.url}/add-checkpoint", data=body, method="POST")
        request.add_header("Content-Type", "text/plain; charset=utf-8")
        try:
            with self._opener.open(request, timeout=self.timeout) as answer:
                text = answer.read(MAX_BODY).decode()
        except urllib.error.HTTPError as error:
            raise _refusal(self.url, error) from error
        except (OSError, http.client.HTTPException, UnicodeDecodeError) as error:
            raise LedgerError(
                f"the witness at {self.url} does not answer ({error})",
                "start it with `autotelic ledger witness`",
            ) from error
        return self._own_line(Note.parse(checkpoint).text, text)

    def _own_line(self, text: str, answer: str) -> str:
        """The line of the key that is known; lines of others are ignored, as the protocol asks."""
        TreeHead.parse(text)
        for line in answer.splitlines():
            signature = parse_signature(line)
            if signature.by(self.verifier):
                own = signature_line(self.verifier, signature.data)
                verify_cosignature(text, own, self.verifier)
                return own
        raise LedgerError(
            f"the witness at {self.url} did not sign with the known key of {self.verifier.name}"
        )


def _refusal(url: str, error: urllib.error.HTTPError) -> LedgerError:
    said = error.read(MAX_BODY).decode(errors="replace").strip()
    for status in _STATUS:
        if error.code == status:
            if status == 409 and error.headers.get_content_type() == SIZE_TYPE:
                size = decode_decimal(said, "the size that the witness has")
                return WitnessRefusalError(409, f"the witness at {url} has cosigned {size} leaves", size)
            return WitnessRefusalError(status, f"the witness at {url} refuses: {said[:200] or error.reason}")
    return LedgerError(f"the witness at {url} answers {error.code}: {said[:200]}")
