"""LaTeX answers that the domain's own reader does not know, put to math-verify in killable processes.

math-verify guards itself with SIGALRM, which works on a main thread only, and sympy can take for ever over a
short text. So each comparison has a wall-clock limit, and a worker that passes it is killed and replaced.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType

from autotelic.errors import DomainError

MATH_VERIFY = "math-verify"
_PACKAGES = (MATH_VERIFY, "latex2sympy2_extended", "sympy")
_WORKER = Path(__file__).with_name("verify_worker.py")
_MAX_ANSWER = 400
_WORKING = re.compile(
    r"\\(?:times|cdot|ast|div|b?mod|pmod|[dt]?binom|sqrt|pm|mp|log|ln|lg|exp|sin|cos|tan|gcd|max|min|sum|prod|int|lim"
    r"|over|choose|not|neq?|lnot|neg|lfloor|lceil|bar|overline|det"
    r"|[lr]?brack|[lr]?[vV]ert|mid|prime|l?dots|infty|[gl]eq?|[gl]t)(?![A-Za-z])"
)
"""Commands with which something could be worked out, or which deny."""
_START_S = 120.0
"""Importing sympy on a busy machine takes seconds, and is no fault of an answer."""


def may_be_value(answer: str, expected: str) -> bool:
    r"""Whether a text that the domain's own reader cannot read may be the expected value in other dress.

    math-verify works out what it reads, and takes `13=12`, `[12,12]` and `|-12|` for 12. So it is asked only where
    the digits are those of the expected answer, and no sign stands there with which something could be worked out,
    or the problem be said again.
    """
    if len(answer) > _MAX_ANSWER or sorted(re.findall("[0-9]", answer)) != sorted(
        re.findall("[0-9]", expected)
    ):
        return False
    bare = re.sub(r"\\[{}]", "", answer)
    if any(bare.count(opening) != bare.count(closing) for opening, closing in ("{}", "()")):
        return False
    if re.search(r"[*^!+%.=|'\[\]<>/]|[0-9)}]\s*-|-\s*[-(]", answer) or _WORKING.search(answer):
        return False
    words = re.findall("[^\\W\\d_]+", re.sub(r"\\[A-Za-z]+", " ", answer))
    if any(word not in ("and", "or", "x", "y") for word in words):
        return False  # `not 7`, `7k`
    return len(re.findall(r"\\[a-z]*frac", answer)) <= expected.count("/")


def versions() -> dict[str, str]:
    """The versions of the packages that a verdict of math-verify depends on; empty texts where they are not here."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = ""
    return found


def open_verifier(choice: str, workers: int) -> Verifier | None:
    """The verifier that a machine's setting asks for: `math-verify`, `none`, or `auto`, which takes what is there.

    Raises DomainError where it is asked for and is not installed.
    """
    if choice == "none" or (choice == "auto" and importlib.util.find_spec("math_verify") is None):
        return None
    return Verifier(workers=workers)


class Verifier:
    """`workers` processes of math-verify, each comparison limited to `wall_s` seconds.

    The processes start with the first comparison. Use it as a context, or call `close`.
    """

    def __init__(self, workers: int = 1, wall_s: float = 2.0, command: Sequence[str] = ()) -> None:
        if not command and importlib.util.find_spec("math_verify") is None:
            raise DomainError(
                "math-verify is not installed", "pip install -e '.[math]' in the project's folder"
            )
        self.wall_s = wall_s
        self._command = list(command) or [sys.executable, "-I", str(_WORKER)]
        self._threads = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="verifier")
        self._idle: SimpleQueue[_Worker] = SimpleQueue()
        for _ in range(workers):
            self._idle.put(_Worker(self._command))

    def compare(self, pairs: Sequence[tuple[str, str]]) -> list[str]:
        """For each expected and given LaTeX text: `right`, `wrong`, `format` or `timeout`."""
        return list(self._threads.map(self._one, pairs))

    def _one(self, pair: tuple[str, str]) -> str:
        worker = self._idle.get()
        try:
            return worker.ask({"gold": pair[0], "answer": pair[1]}, self.wall_s)
        finally:
            self._idle.put(worker)

    def close(self) -> None:
        """End the processes."""
        self._threads.shutdown(wait=True)
        while not self._idle.empty():
            self._idle.get().kill()

    def __enter__(self) -> Verifier:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Worker:
    """One process, started when it is asked something, and again after it had to be killed."""

    def __init__(self, command: list[str]) -> None:
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._pending = b""

    def ask(self, request: dict[str, str], wall_s: float) -> str:
        try:
            process = self._process or self._start()
            assert process.stdin is not None
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
            return self._line(wall_s)
        except TimeoutError:
            self.kill()
            return "timeout"
        except OSError:
            # It died over this answer: out of memory, or a recursion that the interpreter did not survive.
            self.kill()
            return "format"

    def _start(self) -> subprocess.Popen[bytes]:
        environment = {"PATH": os.environ.get("PATH", ""), "OMP_NUM_THREADS": "1"}
        process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )
        self._process, self._pending = process, b""
        try:
            greeting = self._line(_START_S)
        except (OSError, TimeoutError) as error:
            self.kill()
            fix = f"try `{' '.join(self._command)}` by hand to see why"
            raise DomainError("math-verify did not start", fix) from error
        if greeting != "ready":
            raise DomainError(
                f"math-verify said {greeting!r}, not ready",
                "install it again: pip install -e '.[math]' in the project's folder",
            )
        return process

    def _line(self, wall_s: float) -> str:
        """The next line; raises `TimeoutError` after `wall_s`, `OSError` where the process ended."""
        assert self._process is not None
        assert self._process.stdout is not None
        out, deadline = self._process.stdout.fileno(), time.monotonic() + wall_s
        while b"\n" not in self._pending:
            if not select.select([out], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise TimeoutError
            if not (chunk := os.read(out, 4096)):
                raise OSError("the process ended")
            self._pending += chunk
        line, _, self._pending = self._pending.partition(b"\n")
        return line.decode()

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
            self._process = None
