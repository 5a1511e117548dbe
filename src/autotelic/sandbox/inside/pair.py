"""The zygote of pairs: for each job it forks a candidate, then the tests, which meet on a mapping and nowhere else.

The candidate is forked before the tests are read, and does not inherit the page that the verdict is written on. So it
has neither: what it knows of the tests is what it is called with.
"""

from __future__ import annotations

import contextlib
import gc
import io
import marshal
import mmap
import os
import select
import sys
import time
import types
from typing import Any

from autotelic.sandbox.inside import wire
from autotelic.sandbox.inside.atoms import DENIED, Library
from autotelic.sandbox.inside.channel import BODY, CANDIDATE, CAPACITY, OVER, TESTS, Channel, pass_turn
from autotelic.sandbox.inside.crossing import Crossing
from autotelic.sandbox.inside.peer import PairSide
from autotelic.sandbox.inside.syscalls import Syscall
from autotelic.sandbox.inside.trial import Trial
from autotelic.sandbox.inside.zygote import SIGKILL, Printed, Zygote, describe, write

BUILT_IN = (
    types.BuiltinFunctionType,
    types.MethodDescriptorType,
    types.MethodWrapperType,
    types.WrapperDescriptorType,
    types.ClassMethodDescriptorType,
)


class Pairs(Zygote):
    """Like `Zygote`, with two processes a job: `inputs` of a job are the text of tests."""

    def __init__(
        self, syscall: Syscall, limits: dict[str, Any], reader: int, modules: tuple[str, ...]
    ) -> None:
        super().__init__(syscall, limits, reader)
        self.modules = modules
        self.shared = mmap.mmap(-1, BODY + CAPACITY)

    def serve(self, writer: int) -> None:
        """Judge every job that arrives, in order, until the pipe closes."""
        head = memoryview(bytearray(wire.PROGRAM.size))
        while self._fill(head):
            number, code, entry, tests = wire.PROGRAM.unpack(head)
            with memoryview(self.frame) as frame:
                with frame[: code + entry] as program:
                    if not self._fill(program):
                        return
                self.sizes = (code, entry, 0)
                self.page.madvise(mmap.MADV_DONTFORK)
                pass_turn(self.syscall, self.shared, CANDIDATE)
                candidate = self.fork(self.candidate)
                self.page.madvise(mmap.MADV_DOFORK)
                self.sizes = (code, entry, tests)
                with frame[code + entry : code + entry + tests] as text:
                    if tests and not self._fill(text):
                        return
            self.judge(number, writer, candidate)
            self.frame.madvise(mmap.MADV_DONTNEED)
            self.page.madvise(mmap.MADV_REMOVE)
            self.shared.madvise(mmap.MADV_REMOVE)

    def judge(self, number: int, writer: int, candidate: tuple[int, int]) -> None:
        """Run the tests against a candidate that waits, bury both, and send what the tests wrote."""
        start = time.monotonic()
        tests = self.fork(self.tests)
        state, detail = self._watch(tests, candidate, start)
        used, peak, status = 0.0, 0, 0
        for pid, pidfd in (candidate, tests):
            _, status, usage = os.wait4(pid, 0)
            used += usage.ru_utime + usage.ru_stime
            peak = max(peak, usage.ru_maxrss)
            os.close(pidfd)
        finished, results, printed = wire.PAGE.unpack_from(self.page)
        if state == wire.DONE and os.WIFSIGNALED(status):
            state, detail = wire.SIGNALLED, os.WTERMSIG(status)
        elif state == wire.DONE and finished != wire.FINISHED:
            state, detail = wire.EXITED, os.WEXITSTATUS(status)
        results = min(results, self.printed_at - wire.PAGE.size)
        printed = min(printed, self.room)
        times = (int(used * 1e6), int((time.monotonic() - start) * 1e6), peak)
        with memoryview(self.page) as page:
            write(writer, memoryview(wire.OUTCOME.pack(number, state, detail, *times, results, printed)))
            write(writer, page[wire.PAGE.size : wire.PAGE.size + results])
            write(writer, page[self.printed_at : self.printed_at + printed])

    def _watch(self, tests: tuple[int, int], candidate: tuple[int, int], start: float) -> tuple[int, int]:
        """Until the tests' process is dead, by itself or at a deadline; then the candidate's is, too."""
        wall, cpu = self.limits["wall_s"], self.limits["cpu_s"]
        clocks = [((~pid) << 3) | 2 for pid, _ in (tests, candidate)]
        poll, state, detail = select.poll(), wire.DONE, 0
        poll.register(tests[1], select.POLLIN)
        poll.register(candidate[1], select.POLLIN)
        while True:
            spent = time.monotonic() - start
            used = spent if spent < cpu else sum(map(self._used, clocks))
            over = wire.WALL if spent >= wall else wire.CPU if used >= cpu else wire.DONE
            left = 0 if over else 1000 * min(wall - spent, max(cpu - used, 0.001)) + 1
            ended = {fd for fd, _ in poll.poll(left)}
            if tests[1] in ended:
                break
            if over:
                state, detail = over, int.from_bytes(self.shared[:4], "little") & 3
                break
            if candidate[1] in ended:
                poll.unregister(candidate[1])
                self.shared[4] = 1
                pass_turn(self.syscall, self.shared, OVER)
        for _, pidfd in (tests, candidate):
            self._kill(pidfd)
        return state, detail

    def _kill(self, pidfd: int) -> None:
        with contextlib.suppress(OSError):  # it has died already
            self.syscall("pidfd_send_signal", pidfd, SIGKILL, 0, 0)

    def _crossing(self, denied: frozenset[str], first: int) -> Crossing:
        return Crossing(Library(self.modules, denied), first)

    # ---- the two processes ----------------------------------------------------------------------------------------

    def candidate(self) -> None:
        """In the candidate's process: load the program, then answer what the tests ask, until killed."""
        self.confine()
        printed = io.StringIO()
        sys.stdout = sys.__stdout__ = printed  # type: ignore[assignment, misc]
        sys.stderr = sys.__stderr__ = Printed(self.frame, 0, 0)  # type: ignore[assignment, misc]
        code, entry, _ = self.sizes
        name = self.frame[code : code + entry].decode()
        scope = vars(sys.modules["candidate"])
        peer = PairSide(
            Channel(self.syscall, self.shared, CANDIDATE),
            self._crossing(frozenset(), 2),
            judges=False,
            printed=lambda: _taken(printed, self.room),
        )
        status, function = "", None
        try:
            exec(marshal.loads(self.frame[:code]), scope)
        except BaseException as error:
            status = describe(error)
        else:
            function = scope.get(name)
            if not callable(function):
                status, function = "the program defines no function of that name", None
            elif type(function) in BUILT_IN or Library(self.modules, frozenset()).write(function):
                function = _called_here(function)
        gc.collect(0)
        peer.greet(status, function)
        peer.listen()

    def tests(self) -> None:
        """In the tests' process: run them, and write on the page how they went."""
        self.confine()
        printed = Printed(self.page, self.printed_at, self.room)
        sys.stdout = sys.__stdout__ = printed  # type: ignore[assignment, misc]
        sys.stderr = sys.__stderr__ = Printed(self.page, self.printed_at, 0)  # type: ignore[assignment, misc]
        code, entry, tests = self.sizes
        name = self.frame[code : code + entry].decode()
        text = self.frame[code + entry : code + entry + tests].decode()
        channel = Channel(self.syscall, self.shared, TESTS)
        trial = Trial(PairSide(channel, self._crossing(DENIED, 1), judges=True))
        trial.run(text, name)
        line = (wire.OUTPUT + trial.report() + "\n").encode()
        self.page[wire.PAGE.size : wire.PAGE.size + len(line)] = line
        wire.PAGE.pack_into(self.page, 0, wire.FINISHED, len(line), int.from_bytes(self.page[8:12], "little"))
        os._exit(0)


def _called_here(function: Any) -> Any:
    """A function of the library, as the candidate's own: what crosses by name the tests would call on their side."""
    return lambda *args, **keywords: function(*args, **keywords)


def _taken(printed: io.StringIO, room: int) -> str:
    """What was printed since last time, cut to `room` characters."""
    text = printed.getvalue()
    if text:
        printed.seek(0)
        printed.truncate()
    return text[:room]
