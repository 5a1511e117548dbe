"""`Sandbox`: lanes, one a core, and the pump that moves jobs through them."""

from __future__ import annotations

import hashlib
import os
import select
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from autotelic.errors import SandboxError
from autotelic.sandbox import level as levels
from autotelic.sandbox.cage import Plan, core_path, greet, launch, supported
from autotelic.sandbox.encoding import NotJsonError, TooLongError, encode
from autotelic.sandbox.lane import Lane, Stage, Ticket
from autotelic.sandbox.level import Level
from autotelic.sandbox.run import MAX_CASES, MAX_SOURCE_BYTES, Job, Limits, Run, refusal

if TYPE_CHECKING:
    from autotelic.types import Json

WINDOW = 128
"""Jobs in flight a lane: enough to hide the pipes, few enough that a slow consumer holds little."""
MAX_INPUT_BYTES = 8 << 20
MAX_ENTRY = 255
LASTING = ("ok", "error", "refused")
"""What is worth remembering: a deadline or a crash may be the machine's doing."""

Tag = TypeVar("Tag")


class Sandbox:
    """Runs programs that a model wrote, each in a process of its own, under limits, at a verified level.

    A context manager; may be shared by threads, not by forks. `workers` lanes (default: a core each that this
    process may use), pinned. `require` is the weakest level to accept: where the machine gives less, the
    constructor raises `SandboxError` and names what is missing. `ceiling` is the highest level to attempt.
    `modules` is what a program may import (default `cage.MODULES`). `cache` is how many runs are remembered
    by the hash of program, inputs and limits. `core=False` does without the C core.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        workers: int | None = None,
        require: str = "L2",
        ceiling: str = "L3",
        modules: Sequence[str] = (),
        cache: int = 4096,
        core: bool = True,
    ) -> None:
        self.limits = limits if limits is not None else Limits()
        if why := supported():
            raise SandboxError(why, "run the engine in a Linux virtual machine")
        cpus = sorted(os.sched_getaffinity(0))
        count = len(cpus) if workers is None else workers
        if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= 256:
            raise SandboxError(f"workers is {workers!r}", "give a number of processes between 1 and 256")
        least, most = levels.parse(require), levels.parse(ceiling)
        plans = [
            Plan(
                role="zygote",
                limits=self.limits,
                ceiling=most,
                cpu=cpus[index % len(cpus)],
                core=core_path() if core else "",
                modules=tuple(modules),
            )
            for index in range(count)
        ]
        self._lock = threading.RLock()
        self._waiters = 0
        self._owner = os.getpid()
        self._cache: OrderedDict[bytes, Run] = OrderedDict()
        self._cache_size = cache
        self._flying: dict[bytes, Ticket] = {}
        self._salt = repr((self.limits, least, most, tuple(modules))).encode()
        self._lanes = [Lane(plan, least) for plan in plans]
        self._closed = False
        try:
            self.level = self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> Level:
        """Start every process at once; the weakest of them is the level in force, told by a zygote if it can be."""
        stages = [stage for lane in self._lanes for stage in (lane.zygote, lane.second, lane.compiler)]
        started = [launch(stage.plan) for stage in stages]
        found: list[Level] = []
        for index, (stage, process) in enumerate(zip(stages, started, strict=True)):
            try:
                cage = greet(stage.plan, process)
                stage.admit(cage)
            except BaseException:
                for left in started[index:]:
                    left.kill()
                    left.wait()
                raise
            found.append(levels.verified(cage.greeting))
        return min(found, key=lambda level: level.number)  # the first of equals

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End every process. Safe to call twice; in a fork of the process that opened it, does nothing."""
        if os.getpid() == self._owner:
            self._closed = True
            for lane in self._lanes:
                lane.stop()

    def run(self, source: str, *, entry: str, inputs: Sequence[Json], twice: bool = False) -> Run:
        """All cases of one program, in one process."""
        job = Job(source=source, entry=entry, inputs=inputs, twice=twice)  # type: ignore[arg-type]
        ticket = self._submit(job)
        self._await(ticket)
        assert ticket.run is not None
        return ticket.run

    def map(self, jobs: Iterable[Job]) -> Iterator[Run]:
        """A run a job, in the order of the jobs, which are taken only as fast as runs are consumed."""
        return (run for _, run in self.stream((None, job) for job in jobs))

    def stream(self, jobs: Iterable[tuple[Tag, Job]]) -> Iterator[tuple[Tag, Run]]:
        """Like `map`, with whatever came along with each job handed back beside its run."""
        flight: deque[tuple[Tag, Ticket]] = deque()
        source, more, window = iter(jobs), True, WINDOW * len(self._lanes)
        while more or flight:
            while more and len(flight) < window:
                try:
                    tag, job = next(source)
                except StopIteration:
                    more = False
                else:
                    flight.append((tag, self._submit(job)))
            if flight:
                tag, ticket = flight.popleft()
                self._await(ticket)
                assert ticket.run is not None
                yield tag, ticket.run

    def _submit(self, job: Job) -> Ticket:
        """Check a job and send it on its way; a known one is done at once, one already flying is shared."""
        if os.getpid() != self._owner:
            raise SandboxError(
                "this sandbox belongs to the process that opened it", "open one in each process"
            )
        ticket = self._ticket(job)
        if ticket.run is not None:
            return ticket
        self._waiters += 1
        with self._lock:
            self._waiters -= 1
            if self._closed:
                raise SandboxError("this sandbox is closed", "use it inside its `with` block")
            if (known := self._cache.get(ticket.key)) is not None:
                self._cache.move_to_end(ticket.key)
                ticket.run = known
            elif (flying := self._flying.get(ticket.key)) is not None:
                return flying
            else:
                lane = min(self._lanes, key=_load) if len(self._lanes) > 1 else self._lanes[0]
                lane.submit(ticket)
                if self._cache_size:
                    self._flying[ticket.key] = ticket
        return ticket

    def _ticket(self, job: Job) -> Ticket:
        """A job as bytes; already refused if it is not what a job should be."""
        why = _unfit(job)
        if not why:
            try:
                parts = [job.source.encode(), job.entry.encode(), _given(job)]
            except UnicodeEncodeError as error:
                why = f"the source is not text: {error.reason}"
            except (NotJsonError, TooLongError) as error:
                why = f"the inputs are not JSON: {error}"
        if why:
            count = len(job.inputs) if isinstance(job.inputs, tuple | list) else 0
            count = count if job.tests is None else 1
            refused = Ticket(source=b"", entry=b"", inputs=b"", cases=count, twice=False, key=b"")
            refused.run = refusal(count, why)
            return refused
        source, entry, inputs = parts
        named = b"".join([b"%d:%b" % (len(part), part) for part in (self._salt, *parts)])
        tested, twice = job.tests is not None, bool(job.twice)
        suffix = b"tests" if tested else b"twice" if twice else b""
        key = hashlib.blake2b(named + suffix, digest_size=16).digest()
        cases = 1 if tested else len(job.inputs)
        ticket = Ticket(source=source, entry=entry, inputs=inputs, cases=cases, twice=twice, key=key)
        ticket.tested, ticket.twice = tested, twice and not tested
        return ticket

    def _await(self, ticket: Ticket) -> None:
        """Pump until a ticket is done, then remember its run."""
        while ticket.run is None:
            self._waiters += 1
            with self._lock:
                self._waiters -= 1
                if ticket.run is None:
                    if self._closed:
                        raise SandboxError(
                            "this sandbox was closed while a program ran", "keep it open until done"
                        )
                    self._pump()
        if ticket.key in self._flying:
            with self._lock:
                if self._flying.pop(ticket.key, None) is not None and ticket.run.status in LASTING:
                    self._cache[ticket.key] = ticket.run
                    while len(self._cache) > self._cache_size:
                        self._cache.popitem(last=False)

    def _pump(self) -> None:
        """Move bytes both ways, once; replace what died or fell silent."""
        poll = select.poll()
        readers: dict[int, tuple[Lane, Stage]] = {}
        for lane in self._lanes:
            for stage in lane.stages:
                if stage.cage is None:
                    continue
                if stage.cage.outbox and not stage.cage.flush():
                    lane.recover(stage, silent=False)
                    if stage.cage is None:
                        continue
                readers[stage.cage.reader] = (lane, stage)
                poll.register(stage.cage.reader, select.POLLIN)
                if stage.cage.outbox:
                    poll.register(stage.cage.writer, select.POLLOUT)
        # With another thread at the door, look up often: it may have work for an idle lane.
        for fd, _ in poll.poll(1 if self._waiters else 50):
            if fd in readers:
                lane, stage = readers[fd]
                if stage.cage is not None and stage.cage.reader == fd:
                    lane.receive(stage)
        now = time.monotonic()
        for lane in self._lanes:
            for stage in lane.stages:
                if stage.overdue(now):
                    lane.recover(stage, silent=True)


def _given(job: Job) -> bytes:
    """What a program is called with: a line a case, or the text of tests."""
    if job.tests is not None:
        return job.tests.encode()
    room = MAX_INPUT_BYTES // max(1, len(job.inputs))
    return "\n".join([encode(list(case), room) for case in job.inputs]).encode()  # type: ignore[arg-type]


def _unfit(job: Job) -> str:
    """Why a job is refused at a glance, or `""`."""
    if not isinstance(job.source, str) or not isinstance(job.entry, str):
        return "source and entry must be text"
    if len(job.source) > MAX_SOURCE_BYTES:
        return f"the source is longer than {MAX_SOURCE_BYTES} characters"
    if "\0" in job.source:
        return "the source holds a NUL byte"
    if job.tests is not None and not isinstance(job.tests, str):
        return "tests must be text"
    if job.tests is not None and (len(job.tests) > MAX_SOURCE_BYTES or "\0" in job.tests or job.inputs):
        return (
            f"tests are text of at most {MAX_SOURCE_BYTES} characters without a NUL byte, in place of inputs"
        )
    if len(job.entry) > MAX_ENTRY or not job.entry.isidentifier():
        return f"the entry {job.entry[:80]!r} is not a name"
    if not isinstance(job.inputs, tuple | list) or len(job.inputs) > MAX_CASES:
        return f"inputs must be a list of at most {MAX_CASES} lists of arguments"
    if not all([isinstance(case, tuple | list) for case in job.inputs]):  # noqa: C419 - faster
        return "each input must be a list of arguments"
    return ""


_load: Callable[[Lane], int] = lambda lane: lane.load  # noqa: E731 - a key for min, made once
