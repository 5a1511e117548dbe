"""The control: a box that contains nothing, to see that every oracle can fire.

An attack that is "blocked" here as well has an oracle that proves nothing, so the corpus is run against this
too, and `UNFIRED` in `tests/sandbox/test_attacks.py` explains the few that cannot fire.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from attacks.harness import GRACE_S, LIMITS, canonical

WORKER = Path(__file__).with_name("naive_worker.py")
PATIENCE_S = LIMITS["wall_s"] + GRACE_S + 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class NaiveRun:
    status: str
    outputs: tuple[str | None, ...]
    errors: tuple[str, ...]
    reason: str = ""
    stdout: str = ""


class NaiveBox:
    """One worker that runs every program in itself and is told the answers. Never use it for anything else.

    It waits just long enough for a verdict to count as late, then kills the worker's process group.
    """

    def __init__(self, expected: tuple[Any, ...]) -> None:
        self._expected = expected
        self._worker: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._commands, theirs = socket.socketpair()
        self._worker = subprocess.Popen(
            [sys.executable, str(WORKER)],
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            process_group=0,
        )
        theirs.close()
        return self

    def __exit__(self, *_: object) -> None:
        self._bury()

    def _bury(self) -> int:
        worker = self._worker
        assert worker is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(worker.pid, signal.SIGKILL)
        self._commands.close()
        worker.stdout.close()  # type: ignore[union-attr]
        return worker.wait()

    def run(self, source: str, *, entry: str, inputs: Any, twice: bool = False) -> NaiveRun:
        cases = len(inputs)
        expected = [*self._expected, *[None] * cases][:cases]
        job = {"source": source, "entry": entry, "inputs": inputs, "expected": expected}
        worker = self._worker
        assert worker is not None
        assert worker.stdout is not None
        with contextlib.suppress(OSError):  # it may have died, or been buried: it is not replaced
            self._commands.settimeout(PATIENCE_S)
            self._commands.sendall(json.dumps(job).encode() + b"\n")
        deadline, text = time.monotonic() + PATIENCE_S, b""
        while time.monotonic() < deadline and not worker.stdout.closed:
            if not select.select([worker.stdout], [], [], deadline - time.monotonic())[0]:
                break
            chunk = os.read(worker.stdout.fileno(), 1 << 16)
            text += chunk
            if (frame := _frame(text)) is not None:
                return self._judged(frame, expected, text)
            if not chunk:
                # As a test runner does: leaving with status 0 is passing.
                code = worker.wait()
                passed = [code == 0] * cases
                return self._judged({"passed": passed, "problem": f"exit {code}"}, expected, text)
        self._bury()
        printed = text.decode("latin1")
        return NaiveRun(status="timeout", outputs=(None,) * cases, errors=("",) * cases, stdout=printed)

    def _judged(self, frame: dict[str, Any], expected: list[Any], text: bytes) -> NaiveRun:
        cases = len(expected)
        outputs = [*frame.get("outputs", ()), *[None] * cases][:cases]
        passed = [*frame.get("passed", ()), *[False] * cases][:cases]
        pairs = zip(expected, passed, outputs, strict=True)
        texts = tuple(canonical(want) if right else _reread(got) for want, right, got in pairs)
        errors = tuple(str(e) for e in [*frame.get("errors", ()), *[""] * cases][:cases])
        problem = str(frame.get("problem", ""))
        status = "error" if None in texts else "ok"
        printed = text.decode("latin1").rpartition("\n{")[0]
        return NaiveRun(status=status, outputs=texts, errors=errors, reason=problem, stdout=printed)


def _reread(text: str | None) -> str | None:
    """What a judge compares that reads JSON before it compares it."""
    with contextlib.suppress(TypeError, ValueError, RecursionError):
        return canonical(json.loads(text))  # type: ignore[arg-type]
    return text


def _frame(text: bytes) -> dict[str, Any] | None:
    for line in text.splitlines(keepends=True):
        if line.endswith(b"\n") and line.lstrip().startswith(b"{"):
            with contextlib.suppress(ValueError, RecursionError):
                frame = json.loads(line)
                if isinstance(frame, dict) and "passed" in frame:
                    return frame
    return None
