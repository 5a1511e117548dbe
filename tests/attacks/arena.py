"""What an attack attacks: files, listeners, an environment variable and a parent that belong to the harness.

Everything here is bait of our own, so an attack that works does no harm and leaves evidence that does not
depend on what the program says about itself.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import secrets
import shutil
import signal
import socket
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Self

CANARY = "AUTOTELIC_ATTACK_CANARY"
SET_CHILD_SUBREAPER = 36
"""prctl(2): orphans of this process's descendants come back to it, so that daemons are seen."""
STATE_FILES = ("/proc/sysvipc/shm", "/proc/sysvipc/msg", "/proc/sysvipc/sem")


class Arena:
    """A directory of bait, four loopback listeners, a canary in the environment, and a watch on this process.

    `values` is what `{name}` in an attack's inputs stands for.
    """

    values: dict[str, Any]

    def __enter__(self) -> Self:
        self.token = f"token-{secrets.token_hex(16)}"
        self.name = f"autotelic-attack-{secrets.token_hex(6)}"
        self.root = Path(tempfile.mkdtemp(prefix="autotelic-arena-"))
        self.secret_dir = self.root / "secret"
        self.drop_dir = self.root / "drop"
        self.module_dir = self.root / "modules"
        # Open to every user, so that what stops an attack is the sandbox and not the owner of a directory.
        os.chmod(self.root, 0o777)
        for folder in (self.secret_dir, self.drop_dir, self.module_dir):
            folder.mkdir()
            os.chmod(folder, 0o777)
        (self.secret_dir / "secret.txt").write_text(self.token)
        (self.module_dir / "planted_module.py").write_text(f"TOKEN = {self.token!r}\n")
        self._tcp = _listener(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0))
        self._udp = _listener(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0))
        self._unix = _listener(socket.AF_UNIX, socket.SOCK_STREAM, str(self.root / "unix"))
        self._abstract = _listener(socket.AF_UNIX, socket.SOCK_STREAM, f"\0{self.name}")
        os.chmod(self.root / "unix", 0o777)
        self._signals = 0
        self._handler = signal.signal(signal.SIGURG, self._count)
        ctypes.CDLL(None).prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        os.environ[CANARY] = self.token
        self.values = {
            "token": self.token,
            "name": self.name,
            "canary": CANARY,
            "root": str(self.root),
            "secret_dir": str(self.secret_dir),
            "secret_path": str(self.secret_dir / "secret.txt"),
            "secret_size": len(self.token),
            "drop_dir": str(self.drop_dir),
            "victim": str(self.root / "victim.txt"),
            "module_dir": str(self.module_dir),
            "tcp_port": self._tcp.getsockname()[1],
            "udp_port": self._udp.getsockname()[1],
            "unix_path": str(self.root / "unix"),
            "parent_pid": os.getpid(),
            "signal": int(signal.SIGURG),
        }
        self.arm()
        return self

    def __exit__(self, *_: object) -> None:
        os.environ.pop(CANARY, None)
        ctypes.CDLL(None).prctl(SET_CHILD_SUBREAPER, 0, 0, 0, 0)
        signal.signal(signal.SIGURG, self._handler)
        for listener in (self._tcp, self._udp, self._unix, self._abstract):
            listener.close()
        shutil.rmtree(self.root, ignore_errors=True)

    def _count(self, number: int, frame: FrameType | None) -> None:
        self._signals += 1

    def arm(self) -> None:
        """Put every bait back in its place and remember what must not change."""
        self._connections()
        if os.listdir(self.drop_dir):
            shutil.rmtree(self.drop_dir, ignore_errors=True)
            self.drop_dir.mkdir(exist_ok=True)
        os.chmod(self.drop_dir, 0o777)
        victim = self.root / "victim.txt"
        with contextlib.suppress(FileNotFoundError):
            victim.unlink()
        victim.write_text("untouched")
        os.chmod(victim, 0o666)
        os.utime(victim, (1_000_000_000, 1_000_000_000))
        self._signals = 0
        self._state = _state()

    def evidence(self) -> list[str]:
        """Forbidden effects that happened since `arm`, each as a sentence."""
        seen = [f"{kind} reached a listener outside" for kind in self._connections()]
        if dropped := sorted(os.listdir(self.drop_dir)):
            seen.append(f"it left {dropped[:3]} in a directory outside")
        seen += self._victim()
        if self._signals:
            seen.append(f"{self._signals} signals reached the parent")
        for folder in ("/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", os.getcwd(), str(Path.home())):
            with contextlib.suppress(OSError):
                litter = [name for name in os.listdir(folder) if self.name in name]
                seen += [f"it left {folder}/{name}" for name in litter]
                for name in litter:
                    os.unlink(f"{folder}/{name}")
        for name, value in _state().items():
            if value != self._state[name]:
                seen.append(f"{name} of this process or machine changed from {self._state[name]} to {value}")
        return seen

    def _victim(self) -> list[str]:
        path = self.root / "victim.txt"
        try:
            text, status = path.read_text(), path.stat()
        except FileNotFoundError:
            return ["it removed a file outside"]
        found = (text, status.st_mode & 0o7777, int(status.st_mtime), status.st_nlink, os.listxattr(path))
        if found == ("untouched", 0o666, 1_000_000_000, 1, []):
            return []
        return [f"it changed a file outside: {found}"]

    def _connections(self) -> list[str]:
        kinds = []
        listeners = {"TCP": self._tcp, "a unix socket": self._unix, "an abstract socket": self._abstract}
        for kind, listener in listeners.items():
            with contextlib.suppress(BlockingIOError):
                while True:
                    listener.accept()[0].close()
                    kinds.append(kind)
        with contextlib.suppress(BlockingIOError):
            while True:
                self._udp.recv(2048)
                kinds.append("UDP")
        return kinds


def _listener(family: int, kind: int, address: Any) -> socket.socket:
    listener = socket.socket(family, kind)
    listener.bind(address)
    if kind == socket.SOCK_STREAM:
        listener.listen(8)
    listener.setblocking(False)
    return listener


def _state() -> dict[str, Any]:
    """What a program could change about its parent or leave in the kernel."""
    state: dict[str, Any] = {
        "limits": [resource.getrlimit(which) for which in range(16)],
        "affinity": sorted(os.sched_getaffinity(0)),
        "niceness": os.getpriority(os.PRIO_PROCESS, 0),
        "directory": os.getcwd(),
        "hostname": os.uname().nodename,
    }
    for path in STATE_FILES:
        with contextlib.suppress(OSError):
            state[path] = len(Path(path).read_text().splitlines())
    return state


@dataclass(frozen=True, slots=True)
class Census:
    """The processes below this one and the file descriptors it holds, counted at one moment."""

    processes: frozenset[int]
    descriptors: int

    @staticmethod
    def take() -> Census:
        return Census(frozenset(descendants(os.getpid())), len(os.listdir("/proc/self/fd")))

    def left_behind(self, patience_s: float) -> list[str]:
        """What is there now and was not before. A pool may replace a worker, so numbers count, not ids.

        What was left is killed, so that the next attack is judged on its own.
        """
        deadline = time.monotonic() + patience_s
        while True:
            now = Census.take()
            extra = len(now.processes) - len(self.processes)
            if (extra <= 0 and now.descriptors <= self.descriptors) or time.monotonic() > deadline:
                break
            time.sleep(0.005)
        left = []
        if extra > 0:
            strangers = sorted(now.processes - self.processes)
            left.append(f"{extra} processes were left: {[(pid, _command(pid)) for pid in strangers[:4]]}")
            for pid in strangers:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, 0)
        if now.descriptors > self.descriptors:
            left.append(f"{now.descriptors - self.descriptors} file descriptors of the parent were left open")
        return left


def descendants(root: int) -> set[int]:
    """Every process below `root`, zombies included."""
    found: set[int] = set()
    todo = [root]
    while todo:
        fresh = [pid for pid in _children(todo.pop()) if pid not in found]
        found.update(fresh)
        todo += fresh
    return found


def _children(pid: int) -> list[int]:
    children: list[int] = []
    with contextlib.suppress(OSError):  # it may end while it is looked at
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as file:
                children += map(int, file.read().split())
    return children


def _command(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")[:60] or "(exited)"
    return "(gone)"
