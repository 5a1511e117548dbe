"""Processes of the engine, forked from one that has imported torch: an import costs seconds, a fork milliseconds.

    popen = Nursery()                       # where a module of the engine calls `subprocess.Popen`
    child = popen([sys.executable, "-m", "autotelic.cli", ...], stdin=popen.PIPE, ...)

Only `python -m MODULE` is started so, in the environment that is given. Everything else is as with `subprocess`.
`python tests/nursery.py FD FD` is the process that forks.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import resource
import runpy
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import IO, Any

STARTING = ("autotelic.oversee.sitting", "autotelic.oversee.supervision")
"""The modules that start a process for each run: the examiner, and the overseer with its auditors."""
WARM = ("autotelic.engine.examiner", "autotelic.commands.oversight", "autotelic.oversee.server")
"""Imported once, and with them nearly all that any child imports. None of them starts a thread."""
LIMITED = (resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE, resource.RLIMIT_CPU)
"""Limits that a test may set: a child has those of who asked for it."""
STEPS = 0.01
"""Seconds between two looks at a child that is waited for."""


class Nursery:
    """Stands for the module `subprocess` in the modules that start processes of the engine."""

    PIPE, DEVNULL, STDOUT = subprocess.PIPE, subprocess.DEVNULL, subprocess.STDOUT
    TimeoutExpired = subprocess.TimeoutExpired

    def __init__(self, asking: socket.socket | None = None) -> None:
        self._asking = asking
        self._process: subprocess.Popen[bytes] | None = None

    def Popen(self, command: Sequence[str], **how: Any) -> Forked | subprocess.Popen[Any]:
        """A child that is forked, or, where it is no module of Python, started as ever."""
        if list(command[:2]) != [sys.executable, "-m"]:
            return subprocess.Popen(command, **how)
        return Forked(self, list(command[2:]), **how)

    def start(self, request: Mapping[str, Any], descriptors: Sequence[int]) -> socket.socket:
        """A connection that says the child's process number and later how it ended."""
        ours, theirs = socket.socketpair()
        with theirs:
            message = [json.dumps(request).encode()]
            socket.send_fds(self._opened(), message, [theirs.fileno(), *descriptors])
        return ours

    def _opened(self) -> socket.socket:
        if self._asking is None:
            self._asking, listening = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with listening:
                both = [listening.fileno(), self._asking.fileno()]
                command = [sys.executable, __file__, *map(str, both)]
                self._process = subprocess.Popen(command, pass_fds=both, stdin=subprocess.PIPE)
        return self._asking

    def close(self) -> None:
        """Let the process that forks end, once its children have."""
        if self._process is not None and self._asking is not None:
            self._process.communicate()
            self._asking.close()
            self._asking = self._process = None


class Forked:
    """Like `subprocess.Popen`, of a child that another process forked."""

    def __init__(
        self,
        nursery: Nursery,
        module: list[str],
        *,
        stdin: Any = None,
        stdout: Any = None,
        stderr: Any = None,
        env: Mapping[str, str] | None = None,
        text: bool = False,
        start_new_session: bool = False,
    ) -> None:
        self.args, self.returncode = [sys.executable, "-m", *module], None
        self.stdin: IO[Any] | None = None
        self.stdout: IO[Any] | None = None
        self.stderr: IO[Any] | None = None
        given, closing = [], []
        for number, (name, asked) in enumerate((("stdin", stdin), ("stdout", stdout), ("stderr", stderr))):
            if asked == subprocess.PIPE:
                reader, writer = os.pipe()
                mine, its = (writer, reader) if number == 0 else (reader, writer)
                mode = ("w" if number == 0 else "r") + ("" if text else "b")
                setattr(self, name, os.fdopen(mine, mode, *([] if text else [0 if number == 0 else -1])))
                given.append(its)
                closing.append(its)
            elif asked == subprocess.DEVNULL:
                given.append(os.open(os.devnull, os.O_RDWR))
                closing.append(given[-1])
            else:
                given.append(number if asked is None else asked if isinstance(asked, int) else asked.fileno())
        request = {
            "module": module,
            "env": dict(os.environ if env is None else env),
            "cwd": os.getcwd(),
            "session": start_new_session,
            "limits": [resource.getrlimit(kind)[0] for kind in LIMITED],
        }
        self._line = nursery.start(request, given)
        for descriptor in closing:
            os.close(descriptor)
        self._told = b""
        while b"\n" not in self._told:
            if not (chunk := self._line.recv(64)):
                raise OSError("the nursery ended")
            self._told += chunk
        number, _, self._told = self._told.partition(b"\n")
        self.pid = int(number)

    def poll(self) -> int | None:
        """How it ended, or None."""
        while self.returncode is None and select.select([self._line], [], [], 0)[0]:
            chunk = self._line.recv(64)
            self._told += chunk
            if b"\n" in self._told:
                self.returncode = int(self._told)
            elif not chunk:
                self.returncode = -signal.SIGKILL
        if self.returncode is not None:
            self._line.close()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended. Raises subprocess.TimeoutExpired."""
        until = None if timeout is None else time.monotonic() + timeout
        while (ended := self.poll()) is None:
            if until is not None and time.monotonic() > until:
                raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
            time.sleep(STEPS)
        return ended

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


# ---- the process that forks ----------------------------------------------------------------------------------------


def serve(listening: socket.socket, asking: socket.socket) -> None:
    """Fork a child for each request, until standard input ends and no child is left."""
    for name in (*WARM, *STARTING):
        importlib.import_module(name)
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # a Ctrl-C at the terminal is for the tests and for the children
    ended, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    born: dict[int, socket.socket] = {}
    open_ = True
    while open_ or born:
        ready, _, _ = select.select([ended, listening, *([0] if open_ else [])], [], [])
        if 0 in ready:
            open_ = False
        if ended in ready:
            os.read(ended, 4096)
            bury(born)
        if listening in ready:
            message, descriptors, _, _ = socket.recv_fds(listening, 1 << 20, 8)
            line = socket.socket(fileno=descriptors[0])
            pid = os.fork()
            if pid == 0:
                become(json.loads(message), descriptors[1:4], asking)
            for descriptor in descriptors[1:]:
                os.close(descriptor)
            born[pid] = line
            with contextlib.suppress(OSError):  # whoever asked may have been killed
                line.sendall(f"{pid}\n".encode())


def bury(born: dict[int, socket.socket]) -> None:
    """Say of every child that has ended how it did."""
    while born:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        line = born.pop(pid)
        with line, contextlib.suppress(OSError):  # whoever started it may have gone
            line.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


def become(request: dict[str, Any], streams: Sequence[int], asking: socket.socket) -> None:
    """In the child: be the module that was asked for, in the environment that was asked for. Never returns."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if request["session"]:
        os.setsid()
    for number, stream in enumerate([*streams, asking.fileno()]):
        os.dup2(stream, number, inheritable=number < 3)
    os.closerange(4, 1024)
    nursery = Nursery(socket.socket(fileno=3))
    for name in STARTING:
        vars(sys.modules[name])["subprocess"] = nursery
    sys.stdin = os.fdopen(0, "r", closefd=False)
    sys.stdout = sys.__stdout__ = os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.__stderr__ = os.fdopen(2, "w", buffering=1, closefd=False)
    for kind, soft in zip(LIMITED, request["limits"], strict=True):
        resource.setrlimit(kind, (soft, resource.getrlimit(kind)[1]))
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    path = [part for part in request["env"].get("PYTHONPATH", "").split(os.pathsep) if part]
    sys.path[:] = [request["cwd"], *dict.fromkeys([*path, *sys.path[1:]])]
    module, *arguments = request["module"]
    sys.argv = [module, *arguments]
    code = 1
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as ended:
        code = 0 if ended.code is None else ended.code if isinstance(ended.code, int) else 1
        if not isinstance(ended.code, int | None):
            print(ended.code, file=sys.stderr)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve(*(socket.socket(fileno=int(number)) for number in sys.argv[1:3]))
    os._exit(0)  # to let go of what torch holds, one thing after the other, takes longer than all the rest
