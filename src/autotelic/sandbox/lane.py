"""`Lane`: one core's compiler and zygotes, and the jobs on their way through them."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field, replace

from autotelic.sandbox.cage import Cage, Plan, greet, launch
from autotelic.sandbox.inside import wire
from autotelic.sandbox.level import demand, verified
from autotelic.sandbox.run import Run, Status, failure, read_outcome, refusal

COMPILE_S = 0.4
"""What compiling may take at least, whatever the limits: honest programs take milliseconds."""
GRACE_S = 0.3
"""How much longer than its limit a program may take before the process that watches it is replaced."""


@dataclass(slots=True, eq=False)
class Ticket:
    """A job on its way. `run` is set when it is done; `twice` needs an outcome from both zygotes.

    `tested` says that `inputs` is the text of tests, which a pair of processes runs.
    """

    source: bytes
    entry: bytes
    inputs: bytes
    cases: int
    twice: bool
    key: bytes
    tested: bool = False
    number: int = 0
    code: bytes = b""
    first: Run | None = None
    second: Run | None = None
    run: Run | None = None

    def settle(self) -> None:
        """Decide, if every outcome that is needed is there."""
        if self.first is None or (self.twice and self.second is None):
            return
        self.run = self.first
        if self.second is not None and self.first.ok and self.second.outputs != self.first.outputs:
            usage = self.first.usage
            self.run = replace(refusal(self.cases, "nondeterministic"), stdout=self.first.stdout, usage=usage)


@dataclass(slots=True, eq=False)
class Stage:
    """A cage and the tickets it owes an answer, oldest first. Restarts what dies or falls silent."""

    plan: Plan
    require: int
    allowance_s: float
    cage: Cage | None = None
    owed: deque[Ticket] = field(default_factory=deque)
    heard: float = 0.0
    suspect: int = -1
    """Number of the ticket that was at the head when the cage last failed: a second time it is to blame."""

    def start(self) -> Cage:
        """The running cage, started and checked against the required level if need be."""
        if self.cage is None:
            cage = greet(self.plan, launch(self.plan))
            self.admit(cage)
        assert self.cage is not None
        return self.cage

    def admit(self, cage: Cage) -> None:
        """Take a greeted cage, unless it proved less than is required."""
        try:
            demand(verified(cage.greeting), self.require, self.plan.ceiling)
        except BaseException:
            cage.stop()
            raise
        self.cage = cage
        self.heard = time.monotonic()
        for ticket in self.owed:
            cage.outbox += self.frame(ticket)

    def frame(self, ticket: Ticket) -> bytes:
        """What asks this stage for `ticket`."""
        if self.plan.role == "compiler":
            return wire.SOURCE.pack(ticket.number, len(ticket.source)) + ticket.source
        sizes = (len(ticket.code), len(ticket.entry), len(ticket.inputs))
        return b"".join((wire.PROGRAM.pack(ticket.number, *sizes), ticket.code, ticket.entry, ticket.inputs))

    def ask(self, ticket: Ticket) -> None:
        """Queue a ticket; `flush` of the cage sends it."""
        cage = self.start()
        if not self.owed:
            self.heard = time.monotonic()
        self.owed.append(ticket)
        cage.outbox += self.frame(ticket)

    def overdue(self, now: float) -> bool:
        """Whether the head has had all the time it may have."""
        return bool(self.owed) and now - self.heard > self.allowance_s

    def fail(self, silent: bool) -> Ticket | None:
        """Replace the cage. Returns the head ticket if it is to blame, which is then owed no more.

        A death is not yet the head's doing: it may have been killed from outside. The second in a row is. A
        compiler's silence is the head's doing at once, since it does one thing at a time and no more.
        """
        if self.cage is not None:
            self.cage.stop()
            self.cage = None
        blamed = None
        if self.owed:
            head = self.owed[0]
            if head.number == self.suspect or (silent and self.plan.role == "compiler"):
                blamed = self.owed.popleft()
            self.suspect = head.number
        if self.owed:
            self.start()
        return blamed

    def stop(self) -> None:
        if self.cage is not None:
            self.cage.stop()
            self.cage = None


class Lane:
    """One compiler and one zygote on a core; others, of another seed or for pairs, once a job needs them."""

    def __init__(self, plan: Plan, require: int) -> None:
        wall = plan.limits.wall_s + GRACE_S
        compiling = max(plan.limits.wall_s, COMPILE_S)
        self.compiler = Stage(replace(plan, role="compiler"), require, compiling)
        self.zygote = Stage(replace(plan, role="zygote"), require, wall)
        self.second = Stage(replace(plan, role="zygote", seed=plan.seed + 1), require, wall)
        self.pairs = Stage(replace(plan, role="pair"), require, wall)
        self.stages = (self.compiler, self.zygote, self.second, self.pairs)
        self._numbers = 0

    @property
    def load(self) -> int:
        """Jobs on their way."""
        running = max(len(self.zygote.owed), len(self.second.owed))
        return len(self.compiler.owed) + running + len(self.pairs.owed)

    def submit(self, ticket: Ticket) -> None:
        self._numbers = (self._numbers + 1) & 0xFFFFFFFF
        ticket.number = self._numbers
        if ticket.code:
            self._compiled(ticket)
        else:
            self.compiler.ask(ticket)

    def receive(self, stage: Stage) -> None:
        """Read what a stage has written and act on every whole frame."""
        cage = stage.cage
        if cage is None:
            return
        alive = cage.fill()
        good = self._codes(stage, cage.inbox) if stage is self.compiler else self._outcomes(stage, cage.inbox)
        if not alive or not good:
            self.recover(stage, silent=False)

    def recover(self, stage: Stage, *, silent: bool) -> None:
        """Replace a stage's process; a ticket that is to blame gets its verdict."""
        blamed = stage.fail(silent)
        if blamed is not None:
            what = "compiling" if stage is self.compiler else "running"
            status: Status = "timeout" if silent else "crashed"
            how = f"took more than {stage.allowance_s:g} s" if silent else "ended the sandbox's process"
            blamed.run = failure(status, blamed.cases, f"{what} it {how}")

    def _compiled(self, ticket: Ticket) -> None:
        if ticket.tested:
            self.pairs.ask(ticket)
            return
        self.zygote.ask(ticket)
        if ticket.twice:
            self.second.ask(ticket)

    def _codes(self, stage: Stage, inbox: bytearray) -> bool:
        """Take in compiled programs. False if the frames make no sense."""
        at, size = 0, wire.COMPILED.size
        while len(inbox) - at >= size:
            number, compiled, length = wire.COMPILED.unpack_from(inbox, at)
            if len(inbox) - at < size + length:
                break
            if not stage.owed or stage.owed[0].number != number:
                return False
            ticket = stage.owed.popleft()
            body = bytes(inbox[at + size : at + size + length])
            at += size + length
            if compiled:
                ticket.code = body
                self._compiled(ticket)
            else:
                ticket.run = refusal(ticket.cases, body.decode("ascii", "replace"))
        if at:
            del inbox[:at]
            stage.heard = time.monotonic()
        return True

    def _outcomes(self, stage: Stage, inbox: bytearray) -> bool:
        """Take in what programs did. False if the frames make no sense."""
        at, size = 0, wire.OUTCOME.size
        checked = stage.cage is not None and bool(stage.cage.greeting["core"])
        while len(inbox) - at >= size:
            head = wire.OUTCOME.unpack_from(inbox, at)
            middle = at + size + head[6]
            end = middle + head[7]
            if len(inbox) < end:
                break
            if not stage.owed or stage.owed[0].number != head[0]:
                return False
            ticket = stage.owed.popleft()
            results, printed = inbox[at + size : middle], inbox[middle:end]
            run = read_outcome(head, results, printed, ticket.cases, stage.plan.limits, checked=checked)
            at = end
            if stage is self.second:
                ticket.second = run
            else:
                ticket.first = run
            ticket.settle()
        if at:
            del inbox[:at]
            stage.heard = time.monotonic()
        return True

    def stop(self) -> None:
        for stage in self.stages:
            stage.stop()
