"""A process that answers JSON requests, a line each: what may hang or crash runs there and not in the trainer."""

from __future__ import annotations

import json
import os
import select
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from autotelic.errors import DomainError

START_S = 120.0
"""Seconds until a process must have said that it is ready: importing a large package on a busy machine."""
_SAID = 400
"""Characters of an error from the other side that are shown."""


class ProcessError(Exception):
    """The other side raised, hung or ended. It says which in one line."""


class Process:
    """A program that reads a JSON request a line and writes a JSON answer a line: `{"ok": ...}` or `{"error": ...}`.

    It starts with the first request, and again after it was killed. A request that takes more than `seconds` of wall
    time kills it. `name` is what an error calls it, `fix` what a user does where it does not start.
    """

    def __init__(self, command: Sequence[str], *, name: str, fix: str, seconds: float) -> None:
        self._command = list(command)
        self._name = name
        self._fix = fix
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._pending = b""

    def ask(self, request: Mapping[str, Any]) -> Any:
        """The answer to a request. Raises ProcessError for an error of the other side, DomainError where it does not
        start.
        """
        line = json.dumps(request).encode() + b"\n"
        process = self._process or self._start()
        try:
            assert process.stdin is not None
            process.stdin.write(line)
            process.stdin.flush()
            answer = self._line(self._seconds)
        except TimeoutError:
            self.close()
            raise ProcessError(f"{self._name} did not answer within {self._seconds:g} s") from None
        except ValueError:
            self.close()
            raise ProcessError(f"the process of {self._name} said what is no JSON") from None
        except OSError:
            status = process.wait()
            self.close()
            raise ProcessError(f"the process of {self._name} ended with the status {status}") from None
        except BaseException:
            self.close()  # interrupted in the middle of an answer, which the next request must not be given
            raise
        if "error" in answer:
            raise ProcessError(str(answer["error"])[:_SAID])
        return answer.get("ok")

    def _start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            start_new_session=True,
        )
        self._process, self._pending = process, b""
        try:
            greeting = self._line(START_S)
        except (OSError, TimeoutError, ValueError):
            self.close()
            shown = " ".join(self._command)
            raise DomainError(f"{self._name} did not start", f"try `{shown}` by hand to see why") from None
        if "error" in greeting:
            self.close()
            raise DomainError(
                f"{self._name} cannot be used: {greeting['error']}", greeting.get("fix") or self._fix
            )
        return process

    def _line(self, seconds: float) -> dict[str, Any]:
        """The next line; raises TimeoutError after so many seconds, OSError where the process ended."""
        assert self._process is not None
        assert self._process.stdout is not None
        out, until = self._process.stdout.fileno(), time.monotonic() + seconds
        while b"\n" not in self._pending:
            if not select.select([out], [], [], max(0.0, until - time.monotonic()))[0]:
                raise TimeoutError
            if not (chunk := os.read(out, 1 << 16)):
                raise OSError("the process ended")
            self._pending += chunk
        line, _, self._pending = self._pending.partition(b"\n")
        answer = json.loads(line)
        return answer if isinstance(answer, dict) else {"error": "its answer is no object"}

    def close(self) -> None:
        """End the process; a request starts it again."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):  # what was not sent is of no use to a process that ended
                    pipe.close()
        self._process = None

    def __del__(self) -> None:
        if getattr(self, "_process", None) is not None:
            self.close()
