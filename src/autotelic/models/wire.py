"""HTTP to one server that samples, and what is wrong with it in one line."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from autotelic.errors import ModelError

_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
"""Seconds before the first retry, and before the last: each waits twice as long as the one before."""
SPEAK = "sample from a server that speaks vLLM's completions protocol (autotelic/models/server.py says which part)"


class ServerLostError(ModelError):
    """A server that gave no answer, or does not know the model that it was given: it stopped, began anew, or the
    link to it is cut. What was asked may be asked again, there or elsewhere: a seed names the answer.
    """


class Wire:
    """HTTP to one server. Proxies in the environment are not heeded."""

    def __init__(self, url: str, *, key: str, timeout: float, patience: float) -> None:
        try:
            parts = urlsplit(url)
            self.host, self.port = parts.hostname or "", parts.port
        except ValueError:
            self.host = ""
        if not self.host or parts.scheme not in ("http", "https"):
            raise ModelError(
                f"{url!r} is no address of a server", "give one such as http://127.0.0.1:8000/v1"
            )
        self.url = url.rstrip("/")
        self.connection = (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )
        self.prefix = parts.path.rstrip("/")
        self.headers = {"Content-Type": "application/json", "Connection": "close"}
        if key:
            self.headers["Authorization"] = f"Bearer {key}"
        self.timeout, self.patience = timeout, patience

    def get(self, path: str) -> Any:
        return self._parsed(path, *self.ask(path))

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        return self._parsed(path, *self.ask(path, body))

    def _parsed(self, path: str, status: int, answer: bytes) -> Any:
        if status != 200:
            kind = (
                ServerLostError if status in (404, 502) else ModelError
            )  # 404: it has no such model any more
            raise kind(f"{self.url}{path} answered {status}: {said(answer)}")
        try:
            return json.loads(answer)
        except ValueError as error:
            raise ModelError(f"{self.url}{path} answered no JSON: {answer[:200]!r}", SPEAK) from error

    def ask(self, path: str, body: Mapping[str, Any] | None = None) -> tuple[int, bytes]:
        """Status and body of the answer, tried again while the server refuses or is not ready."""
        until, pause = time.monotonic() + self.patience, _PAUSE
        while True:
            try:
                status, answer = self._once(path, body)
                busy = f"answers 503: {said(answer)}"
            except ConnectionRefusedError:
                status, answer, busy = 503, b"", "refuses connections"
            except TimeoutError as error:
                raise ServerLostError(
                    f"{self.url}{path} did not answer within {self.timeout:g} s",
                    "raise timeout, or lower concurrency",
                ) from error
            except (OSError, http.client.HTTPException) as error:
                raise ServerLostError(
                    f"{self.url}{path} cannot be asked ({type(error).__name__}: {error})",
                    "see whether the server still runs, and what it says",
                ) from error
            if status != 503:
                return status, answer
            if time.monotonic() + pause > until:
                raise ServerLostError(
                    f"{self.url} {busy}, for {self.patience:g} s", "start the server, or wait for it"
                )
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _once(self, path: str, body: Mapping[str, Any] | None) -> tuple[int, bytes]:
        until = time.monotonic() + self.timeout
        connection = self.connection(self.host, self.port, timeout=self.timeout)
        try:
            method, data = ("GET", None) if body is None else ("POST", json.dumps(body).encode())
            connection.request(method, self.prefix + path, body=data, headers=self.headers)
            response = connection.getresponse()
            parts: list[bytes] = []
            # The socket's own timeout starts anew with every byte.
            while part := response.read1(1 << 20):
                parts.append(part)
                if time.monotonic() > until:
                    raise TimeoutError
            return response.status, b"".join(parts)
        finally:
            connection.close()


def said(answer: bytes) -> str:
    """What a server gives as the reason of an error, on one line."""
    text = answer.decode(errors="replace")
    try:
        found = json.loads(text)
        for name in ("error", "message", "detail"):
            if isinstance(found, dict) and name in found:
                found = found[name]
        text = found if isinstance(found, str) else text
    except ValueError:
        pass
    return " ".join(text.split())[:300] or "nothing"
