"""`Sandbox`: a pool of workers, one a core, and the pump that feeds them."""

from __future__ import annotations

import contextlib
import json
import os
import select
import struct
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autotelic.errors import SandboxError
from autotelic.sandbox.run import MAX_CASES, MAX_SOURCE_BYTES, Job, Limits, Run, Status, Usage, refusal

if TYPE_CHECKING:
    from autotelic.types import Json

WORKER = Path(__file__).parent / "inside" / "worker.py"
WINDOW = 64
"""Jobs in flight a worker: enough to hide the pipe, few enough that a slow consumer holds little."""


@dataclass(slots=True, eq=False)
class Ticket:
    """A job on its way: what is sent, and where its answer goes."""

    frame: bytes
    cases: int
    tries: int = 0
    run: Run | None = None


@dataclass(slots=True, eq=False)
class Worker:
    """One worker process, its pipes, and the tickets it has not answered, oldest first."""

    seed: int
    process: subprocess.Popen[bytes] | None = None
    out: bytearray = field(default_factory=bytearray)
    got: bytearray = field(default_factory=bytearray)
    waiting: deque[Ticket] = field(default_factory=deque)
    heard: float = 0.0

    def start(self) -> None:
        environment = {"PYTHONHASHSEED": str(self.seed), "LC_ALL": "C.UTF-8"}
        python = getattr(sys, "_base_executable", sys.executable)
        self.process = subprocess.Popen(
            [python, "-s", "-S", "-P", str(WORKER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            cwd="/",
        )
        assert self.process.stdin
        assert self.process.stdout
        os.set_blocking(self.process.stdin.fileno(), False)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.out.clear()
        self.got.clear()
        for ticket in self.waiting:
            self.out += ticket.frame
        self.heard = time.monotonic()

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            assert self.process.stdin
            assert self.process.stdout
            self.process.stdout.close()
            with contextlib.suppress(OSError):
                self.process.stdin.close()
            self.process = None

    def send(self, ticket: Ticket) -> None:
        if not self.waiting:
            self.heard = time.monotonic()
        self.waiting.append(ticket)
        self.out += ticket.frame


class Sandbox:
    """Runs programs in processes of their own, under limits. A context manager; safe to share by threads.

    `workers` defaults to the cores this process may use. `require` is the weakest level to accept; a machine
    that cannot give it raises `SandboxError`, naming what is missing.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        workers: int | None = None,
        require: str = "L2",
        cache: int = 4096,
    ) -> None:
        self.limits = limits or Limits()
        count = workers if workers is not None else len(os.sched_getaffinity(0))
        if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= 256:
            raise SandboxError(f"workers is {workers!r}", "give a number of processes between 1 and 256")
        self.level = "L0"
        self._workers = [Worker(seed=0) for _ in range(count)]
        self._second = Worker(seed=1)
        self._lock = threading.RLock()
        self._closed = False

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End every process. Safe to call twice."""
        self._closed = True
        for worker in [*self._workers, self._second]:
            worker.stop()

    def run(self, source: str, *, entry: str, inputs: Sequence[Json], twice: bool = False) -> Run:
        """All cases of one program, in one process."""
        return next(self.map([Job(source=source, entry=entry, inputs=tuple(inputs), twice=twice)]))

    def map(self, jobs: Iterable[Job]) -> Iterator[Run]:
        """A run a job, in the order of the jobs; takes from `jobs` only as fast as runs are consumed."""
        flight: deque[list[Ticket]] = deque()
        source, more = iter(jobs), True
        while more or flight:
            while more and len(flight) < WINDOW * len(self._workers):
                try:
                    job = next(source)
                except StopIteration:
                    more = False
                else:
                    flight.append(self._submit(job))
            if flight:
                head = flight.popleft()
                while any(ticket.run is None for ticket in head):
                    self._pump(0.05)
                yield self._agree(head)

    stream = map

    def _submit(self, job: Job) -> list[Ticket]:
        """Check a job and queue it: one ticket, or two on differently seeded workers."""
        if self._closed:
            raise SandboxError("this sandbox is closed", "use it inside its `with` block")
        frame = self._frame(job)
        cases = len(job.inputs) if isinstance(job.inputs, tuple | list) else 0
        if isinstance(frame, str):
            return [Ticket(frame=b"", cases=cases, run=refusal(cases, frame))]
        with self._lock:
            first = min(self._workers, key=lambda worker: len(worker.waiting))
            tickets = []
            for worker in (first, self._second) if job.twice else (first,):
                tickets.append(Ticket(frame=frame, cases=cases))
                worker.send(tickets[-1])
        return tickets

    def _frame(self, job: Job) -> bytes | str:
        """What is sent for a job, or why it is refused."""
        if not isinstance(job.source, str) or not isinstance(job.entry, str):
            return "source and entry must be text"
        if len(job.source) > MAX_SOURCE_BYTES:
            return f"the source is longer than {MAX_SOURCE_BYTES} bytes"
        if "\0" in job.source:
            return "the source holds a NUL byte"
        if not isinstance(job.inputs, tuple | list) or len(job.inputs) > MAX_CASES:
            return f"inputs must be a list of at most {MAX_CASES} lists of arguments"
        if not all(isinstance(case, tuple | list) for case in job.inputs):
            return "each input must be a list of arguments"
        try:
            job.source.encode()
            inputs = [json.dumps(list(case), allow_nan=False) for case in job.inputs]
        except (TypeError, ValueError, RecursionError) as error:
            return f"inputs are not JSON: {error}"
        limits = {name: getattr(self.limits, name) for name in ("wall_s", "cpu_s", "memory_mb", "output_kb")}
        body = {"id": 0, "source": job.source, "entry": job.entry, "inputs": inputs, "limits": limits}
        data = json.dumps(body).encode()
        return struct.pack("<I", len(data)) + data

    def _agree(self, tickets: list[Ticket]) -> Run:
        runs = [ticket.run for ticket in tickets if ticket.run is not None]
        if len(runs) == 2 and runs[0].status == "ok" and runs[1].outputs != runs[0].outputs:
            return refusal(len(runs[0].outputs), "nondeterministic")
        return runs[0]

    def _pump(self, timeout: float) -> None:
        """Move bytes both ways once; revive a worker that died or fell silent."""
        with self._lock:
            busy = [worker for worker in [*self._workers, self._second] if worker.waiting]
            poll = select.poll()
            by_fd: dict[int, Worker] = {}
            for worker in busy:
                if worker.process is None:
                    worker.start()
                assert worker.process
                assert worker.process.stdin
                assert worker.process.stdout
                poll.register(worker.process.stdout, select.POLLIN)
                by_fd[worker.process.stdout.fileno()] = worker
                if worker.out:
                    poll.register(worker.process.stdin, select.POLLOUT)
                    by_fd[worker.process.stdin.fileno()] = worker
            if not busy:
                return
            for fd, event in poll.poll(timeout * 1000):
                worker = by_fd[fd]
                if worker.process is None:
                    continue
                assert worker.process.stdin
                assert worker.process.stdout
                if fd == worker.process.stdout.fileno():
                    self._receive(worker, fd)
                elif event:
                    try:
                        del worker.out[: os.write(fd, memoryview(worker.out)[: 1 << 16].tobytes())]
                    except BlockingIOError:
                        pass
                    except BrokenPipeError:
                        self._revive(worker, "crashed", "the worker died")
            for worker in busy:
                if worker.waiting and time.monotonic() - worker.heard > self.limits.wall_s + 5.0:
                    self._revive(worker, "timeout", "the worker fell silent")

    def _receive(self, worker: Worker, fd: int) -> None:
        try:
            data = os.read(fd, 1 << 18)
        except BlockingIOError:
            return
        if not data:
            self._revive(worker, "crashed", "the worker died")
            return
        worker.got += data
        while len(worker.got) >= 4:
            (size,) = struct.unpack_from("<I", worker.got)
            if len(worker.got) < 4 + size:
                return
            answer = json.loads(bytes(worker.got[4 : 4 + size]))
            del worker.got[: 4 + size]
            ticket = worker.waiting.popleft()
            worker.heard = time.monotonic()
            ticket.run = _read(answer, ticket.cases)

    def _revive(self, worker: Worker, status: Status, reason: str) -> None:
        """Kill and restart; the job at its head gets one more try, then this status."""
        worker.stop()
        head = worker.waiting[0]
        head.tries += 1
        if head.tries > 1:
            worker.waiting.popleft()
            head.run = Run(
                status=status, outputs=(None,) * head.cases, errors=(reason,) * head.cases, reason=reason
            )
        worker.start()


def _read(answer: dict[str, Any], cases: int) -> Run:
    """A worker's answer as a `Run`."""
    usage = Usage(cpu_s=answer["cpu_s"], wall_s=answer["wall_s"], peak_kb=answer["peak_kb"])
    status: Status = answer["status"]
    reason: str = answer["reason"]
    if status == "refused":
        return refusal(cases, reason)
    try:
        outputs, errors, why, stdout = json.loads(answer.get("body", ""))
        if len(outputs) != cases or len(errors) != cases:
            raise ValueError
    except (ValueError, TypeError, RecursionError):
        if status == "ok":
            status, reason = "crashed", f"the program ended its process (wait status {answer['wait']})"
        nothing = (None,) * cases
        return Run(status=status, outputs=nothing, errors=(reason,) * cases, reason=reason, usage=usage)
    if status == "ok" and why:
        status, reason = "error", why
        if why.startswith("refused: "):
            return refusal(cases, why[9:])
        if why.startswith("MemoryError"):
            status = "memory"
        if why == "OverflowError: output limit":
            status = "output"
    return Run(
        status=status, outputs=tuple(outputs), errors=tuple(errors), reason=reason, stdout=stdout, usage=usage
    )
