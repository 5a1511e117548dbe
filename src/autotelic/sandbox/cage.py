"""`Cage`: one sealed process as the trusted side sees it, its pipes and what it proved about itself."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import select
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from autotelic.errors import SandboxError
from autotelic.sandbox.run import Limits

START = Path(__file__).parent / "inside" / "start.py"
_STANDARD = """
__future__ abc argparse array ast base64 binascii bisect calendar cmath codecs collections collections.abc colorsys
contextlib contextvars copy copyreg csv dataclasses datetime _strptime decimal difflib enum errno fnmatch fractions
functools gc getopt graphlib hashlib heapq hmac html inspect io ipaddress itertools json keyword locale logging
math numbers operator os os.path pathlib pickle pprint queue random re reprlib sched secrets shlex statistics string
struct sys textwrap threading time timeit token tokenize traceback types typing unicodedata urllib.parse uuid
warnings weakref zlib zoneinfo
"""
MODULES = tuple(_STANDARD.split())
"""What a candidate can import; nothing else exists for it, at any level.

What public programs use and cannot reach out with. `os`, `io` and `pathlib` are among them for what they compute: the
seal, and not a missing import, is what denies them every file. What does nothing else than reach out (`socket`,
`subprocess`, `multiprocessing`, `ctypes`, `tempfile`, `shutil`) is not.
"""
GREETING_S = 30.0
BURIAL_S = 2.0
PIECE = 1 << 16
"""Bytes asked of a pipe at a time: what it holds, and little enough that making room for it is no system call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a cage is made. `ceiling` 0..3 is the highest level to attempt; `core` the C core's path."""

    role: Literal["zygote", "compiler", "pair"]
    limits: Limits
    ceiling: int = 3
    seed: int = 0
    cpu: int | None = None
    core: str = ""
    modules: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class Cage:
    """A running process made by `plan`. `inbox` holds what was read, `outbox` what is yet to be sent."""

    plan: Plan
    process: subprocess.Popen[bytes]
    greeting: dict[str, Any]
    inbox: bytearray = field(default_factory=bytearray)
    outbox: bytearray = field(default_factory=bytearray)
    reader: int = field(init=False)
    writer: int = field(init=False)

    def __post_init__(self) -> None:
        assert self.process.stdout is not None and self.process.stdin is not None  # noqa: PT018
        self.reader, self.writer = self.process.stdout.fileno(), self.process.stdin.fileno()

    def flush(self) -> bool:
        """Write what the pipe takes now; False if the process has gone."""
        try:
            while self.outbox:
                with memoryview(self.outbox) as view, view[: 1 << 20] as piece:
                    written = os.write(self.writer, piece)
                del self.outbox[:written]
        except BlockingIOError:
            pass
        except BrokenPipeError:
            return False
        return True

    def fill(self) -> bool:
        """Read what is there; False if the process has gone."""
        try:
            data = os.read(self.reader, PIECE)
        except BlockingIOError:
            return True
        self.inbox += data
        return bool(data)

    def stop(self) -> None:
        """End it now: its guard ends and buries what is inside, then itself."""
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self.process.terminate()
        try:
            self.process.wait(BURIAL_S)
        except subprocess.TimeoutExpired:  # a guard that was stopped: the kernel kills what it guards
            self.process.kill()
            self.process.wait()


def launch(plan: Plan) -> subprocess.Popen[bytes]:
    """Start a cage's process, without waiting for it.

    A fresh interpreter: this one, with whatever threads and libraries it has loaded, is never forked.
    """
    config = {
        "role": plan.role,
        "ceiling": plan.ceiling,
        "limits": asdict(plan.limits),
        "modules": plan.modules or MODULES,
        "core": plan.core,
        "seed": plan.seed,
        "cpu": plan.cpu,
        "engine": os.getpid(),
    }
    environment = {"PYTHONHASHSEED": str(plan.seed), "LC_ALL": "C.UTF-8"}
    if "LD_LIBRARY_PATH" in os.environ:  # an interpreter may need it to find its own library
        environment["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
    python = getattr(sys, "_base_executable", "") or sys.executable
    return subprocess.Popen(
        [python, "-s", "-S", "-P", str(START), json.dumps(config)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        cwd="/",
        bufsize=0,
        start_new_session=True,  # a Ctrl-C at the terminal is for the engine, not for what it guards
    )


def greet(plan: Plan, process: subprocess.Popen[bytes]) -> Cage:
    """Wait until a launched process has sealed itself and said what held."""
    assert process.stderr is not None
    cage = Cage(plan, process, {})
    deadline = time.monotonic() + GREETING_S
    while len(cage.inbox) < 4 or len(cage.inbox) < 4 + int.from_bytes(cage.inbox[:4], "little"):
        ready, _, _ = select.select([cage.reader], [], [], max(0.0, deadline - time.monotonic()))
        if not ready or not cage.fill():
            process.kill()
            said = process.stderr.read(2000).decode(errors="replace").strip()
            cage.stop()
            why = "it ended" if ready else f"nothing was heard for {GREETING_S:g} s"
            raise SandboxError(
                f"the sandbox's {plan.role} did not start: {said or why}",
                "see `autotelic sandbox doctor`",
            )
    size = int.from_bytes(cage.inbox[:4], "little")
    cage.greeting = json.loads(bytes(cage.inbox[4 : 4 + size]))
    del cage.inbox[: 4 + size]
    process.stderr.close()
    if "error" in cage.greeting:
        cage.stop()
        raise SandboxError(
            f"the sandbox's {plan.role} could not seal itself: {cage.greeting['error']}",
            "see `autotelic sandbox doctor`",
        )
    os.set_blocking(cage.reader, False)
    os.set_blocking(cage.writer, False)
    return cage


def supported() -> str:
    """Why no sandbox is possible on this machine, or `""`."""
    if sys.platform != "linux":
        return f"this is {platform.system()}, and the sandbox is made of Linux system calls"
    if platform.machine() not in ("x86_64", "aarch64"):
        return f"no system call table for {platform.machine()}"
    return ""


def core_path() -> str:
    """The C core that pip built for this interpreter, or `""`."""
    from importlib.machinery import EXTENSION_SUFFIXES

    for suffix in EXTENSION_SUFFIXES:
        path = Path(__file__).parent / f"_core{suffix}"
        if path.exists():
            return str(path)
    return ""
