"""The zygote in Python: forks a fresh copy-on-write process a program. The C core has the same loop, faster.

The process it forks holds no file but /dev/null, may not fork, and reports on a shared mapping that is read
and wiped after its death.
"""

from __future__ import annotations

import gc
import io
import json
import marshal
import mmap
import os
import resource
import select
import sys
import time
from typing import Any

from autotelic.sandbox.inside import wire
from autotelic.sandbox.inside.encode import NotJsonError, TooLongError, encode, type_name
from autotelic.sandbox.inside.syscalls import Syscall

SIGKILL, FORK_FLAGS = 9, 0x1000 | 17
CAPACITY = 24 << 20
"""Bytes of the largest program that can be sent: more than the engine lets pass."""


class Printed:
    """What `sys.stdout` is inside: keeps the first `room` bytes on the shared page."""

    encoding, errors, closed, newlines = "utf-8", "backslashreplace", False, None

    def __init__(self, page: mmap.mmap, start: int, room: int) -> None:
        self._page, self._at, self._room, self._start = page, start, room, start

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        data = str.encode(text, "utf-8", "backslashreplace")[: self._room]
        self._page[self._at : self._at + len(data)] = data
        self._at += len(data)
        self._room -= len(data)
        self._page[8:12] = (self._at - self._start).to_bytes(4, "little")
        return str.__len__(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """There is nothing to flush to."""

    def isatty(self) -> bool:
        return False

    def writable(self) -> bool:
        return True


class Zygote:
    """The fork loop. `limits` are those of `Limits`; `syscall` is how calls that `os` lacks are made."""

    def __init__(self, syscall: Syscall, limits: dict[str, Any], reader: int) -> None:
        self.syscall, self.limits = syscall, limits
        self.reader = io.FileIO(reader, closefd=False)
        self.room = limits["output_kb"] << 10
        self.page = mmap.mmap(-1, wire.page_bytes(limits["output_kb"]))
        self.printed_at = wire.PAGE.size + wire.results_room(limits["output_kb"])
        # The one program being run. Not on the heap, where what is freed stays readable for the next program, and
        # not in a local, since a candidate can walk up the frames, to the inputs of its later cases.
        self.frame = mmap.mmap(-1, CAPACITY, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self.sizes = (0, 0, 0)
        self.cases: list[bytes] = []

    def serve(self, writer: int) -> None:
        """Run every program that arrives, in order, until the pipe closes."""
        head = memoryview(bytearray(wire.PROGRAM.size))
        while self._fill(head):
            number, *sizes = wire.PROGRAM.unpack(head)
            self.sizes = tuple(sizes)
            with memoryview(self.frame) as frame, frame[: sum(sizes)] as body:
                if sum(sizes) and not self._fill(body):
                    return
            self.outcome(number, writer)
            self.frame.madvise(mmap.MADV_DONTNEED)  # wipes it
            self.page.madvise(mmap.MADV_REMOVE)

    def close(self) -> None:
        """Give back the mappings of a zygote that only proved its seal."""
        self.page.close()
        self.frame.close()

    def outcome(self, number: int, writer: int) -> None:
        """Fork, run, wait, and send what is on the page: results that the engine has yet to check."""
        start = time.monotonic()
        pid, pidfd = self.fork(self.candidate)
        state = self._wait(pid, pidfd, start)
        _, status, used = os.wait4(pid, 0)
        os.close(pidfd)
        wall = time.monotonic() - start
        detail = 0
        if state == wire.DONE and os.WIFSIGNALED(status):
            state, detail = wire.SIGNALLED, os.WTERMSIG(status)
        finished, results, printed = wire.PAGE.unpack_from(self.page)
        if state == wire.DONE and finished != wire.FINISHED:
            state, detail = wire.EXITED, os.WEXITSTATUS(status)
        results = min(results, self.printed_at - wire.PAGE.size)
        printed = min(printed, self.room)
        cpu = used.ru_utime + used.ru_stime
        times = (int(cpu * 1e6), int(wall * 1e6), used.ru_maxrss)
        with memoryview(self.page) as page:
            write(writer, memoryview(wire.OUTCOME.pack(number, state, detail, *times, results, printed)))
            write(writer, page[wire.PAGE.size : wire.PAGE.size + results])
            write(writer, page[self.printed_at : self.printed_at + printed])

    def fork(self, body: Any) -> tuple[int, int]:
        """Run `body` in a new process; returns its pid and a pidfd. The process ends when `body` does."""
        # A bare clone with just these flags, because the filter allows no other.
        pidfd = bytearray(4)
        pid = self.syscall("clone", FORK_FLAGS, 0, pidfd, 0, 0)
        if pid == 0:
            try:
                body()
            finally:
                os._exit(70)
        return pid, int.from_bytes(pidfd, "little")

    def confine(self) -> None:
        """What a forked process gives up beyond what it inherits."""
        os.closerange(3, 16)
        self.syscall("prctl", 1, SIGKILL, 0, 0, 0)  # die with the zygote
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
        seconds = int(self.limits["cpu_s"]) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))

    def candidate(self) -> None:
        """In the forked process: load the program, call it with every case, each read when its turn comes."""
        self.confine()
        printed = Printed(self.page, self.printed_at, self.room)
        sys.stdout = sys.__stdout__ = printed  # type: ignore[assignment, misc]
        sys.stderr = sys.__stderr__ = Printed(self.page, self.printed_at, 0)  # type: ignore[assignment, misc]
        report = _Report(self.page, self.room)
        code, entry, inputs = self.sizes
        name = self.frame[code : code + entry].decode()
        self.cases = self.frame[code + entry : code + entry + inputs].split(b"\n")[::-1]
        scope = vars(sys.modules["candidate"])
        program = marshal.loads(self.frame[:code])
        gc.collect(0)  # untracks the program's own constants, which an earlier program's are compared with
        try:
            exec(program, scope)
        except BaseException as error:
            report.line(wire.BROKEN, describe(error))
        else:
            function = scope.get(name)
            if callable(function):
                while self.cases:
                    report.case(function, json.loads(self.cases.pop()))
            else:
                report.line(wire.ABSENT, "")
        wire.PAGE.pack_into(
            self.page, 0, wire.FINISHED, report.used, int.from_bytes(self.page[8:12], "little")
        )
        os._exit(0)

    def _wait(self, pid: int, pidfd: int, start: float) -> int:
        """Until the process is dead, by itself or at a deadline."""
        wall, cpu = self.limits["wall_s"], self.limits["cpu_s"]
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        clock = ((~pid) << 3) | 2  # the CPU clock of that process (clock_gettime(2), dynamic clocks)
        while True:
            spent = time.monotonic() - start
            used = spent if spent < cpu else self._used(clock)  # one thread: never more CPU than wall time
            over = wire.WALL if spent >= wall else wire.CPU if used >= cpu else wire.DONE
            if over and not poll.poll(0):
                self.syscall("pidfd_send_signal", pidfd, SIGKILL, 0, 0)
                return over
            if over or poll.poll(1000 * min(wall - spent, max(cpu - used, 0.001)) + 1):
                return wire.DONE

    @staticmethod
    def _used(clock: int) -> float:
        """CPU seconds of a process by its clock; 0 if it has just ended."""
        try:
            return time.clock_gettime(clock)
        except OSError:
            return 0.0

    def _fill(self, into: memoryview) -> bool:
        """Read exactly as much as there is room for; False at the end of the pipe."""
        at = 0
        while at < len(into):
            got = self.reader.readinto(into[at:])
            if not got:
                return False
            at += got
        return True


class _Report:
    """Lines written to the shared page, each complete before its length is announced."""

    def __init__(self, page: mmap.mmap, room: int) -> None:
        self.page, self.room, self.used, self.spare = page, room, 0, wire.ERROR_KEPT

    def line(self, tag: str, text: str) -> None:
        if tag == wire.OUTPUT:
            self.room -= len(text)
        else:
            text = text[: max(0, min(wire.ERROR_TEXT, self.spare))]
            self.spare -= len(text)
        data = (tag + text + "\n").encode()
        start = wire.PAGE.size + self.used
        self.page[start : start + len(data)] = data
        self.used += len(data)
        self.page[4:8] = self.used.to_bytes(4, "little")

    def case(self, function: Any, arguments: list[Any]) -> None:
        try:
            self.line(wire.OUTPUT, encode(function(*arguments), self.room))
        except NotJsonError as error:
            self.line(wire.UNENCODABLE, str(error))
        except TooLongError as error:
            self.line(wire.OVERSIZED, str(error))
        except BaseException as error:
            self.line(wire.RAISED, describe(error))


def describe(error: BaseException) -> str:
    """`TypeName: message` in printable ASCII, from the exception's arguments: no method of it is called."""
    arguments: tuple[Any, ...] = BaseException.args.__get__(error)  # type: ignore[attr-defined]
    kind = type(error)
    shown = [
        str(a)[: wire.ERROR_TEXT]
        if type(a) in (str, int, float, bool, type(None))
        else f"<{type_name(type(a))}>"
        for a in arguments[:4]
    ]
    text = ", ".join(shown)
    if KeyError in type.mro(kind) and len(arguments) == 1 and type(arguments[0]) is str:
        text = repr(text)
    elif OSError in type.mro(kind) and len(arguments) == 2:
        text = f"[Errno {shown[0]}] {shown[1]}"
    text = f"{type_name(kind)}: {text}" if text else type_name(kind)
    text = text.encode("ascii", "backslashreplace").decode()
    return "".join(c if c.isprintable() else " " for c in text)


def write(fd: int, data: memoryview) -> None:
    """All of it."""
    with data:
        at = 0
        while at < len(data):
            with data[at:] as rest:
                at += os.write(fd, rest)
