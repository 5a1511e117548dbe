"""Several servers as one: work goes to whichever has room, and what one loses is asked of another.

    requests ──► queue ──► server a, server b, ... (so many at a time each) ──► turns, once each
                   ▲              │ lost: it stopped, or began anew without the adapter
                   └──────────────┘ until it answers, has the adapter again and passes the probe

A request asked twice is counted once: its seed goes with it. A server that begins anew is given the adapter again,
and is probed before it is given work: it may have another model now.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from autotelic.errors import ModelError
from autotelic.models.server import ServerSampler, check
from autotelic.models.wire import ServerLostError
from autotelic.types import Request, Turn

Probe = Callable[[Sequence[Turn]], None]
"""Raises ModelError where turns are not those of the weights that they should be of."""
PAUSE = 1.0
"""Seconds between two tries at a server that does not answer."""
PROBED = 8
"""Tokens of the completion that is compared when a server is taken back."""


class Servers:
    """One or several servers that hold the same model. `patience` is how many seconds all of them may be gone.

    `probe` looks at a completion of every server that is taken back.
    """

    def __init__(
        self, servers: Sequence[ServerSampler], *, patience: float, probe: Probe | None = None
    ) -> None:
        self.servers = list(servers)
        self.patience = patience
        self.probe = probe
        self.tokens = 0
        """Completion tokens sampled so far."""
        self.prefilled = 0
        """Prompt tokens sent so far, once a request."""
        self.seconds = 0.0
        self.lost: dict[str, int] = {}
        """How often each server was lost, by its address."""
        self._adapter: Path | None = None
        self._lock = threading.Lock()

    @property
    def model(self) -> str:
        """What the first server calls the base model."""
        return self.servers[0].model

    def find_model(self, name: str) -> None:
        """Learn what each server calls the base model. Raises ModelError where one serves another, or several."""
        for server in self.servers:
            server.model = server.base_model(name)

    @property
    def digest(self) -> str:
        """Of the weights that turns are signed with."""
        return self.servers[0].digest

    @digest.setter
    def digest(self, digest: str) -> None:
        for server in self.servers:
            server.digest = digest

    def load_adapter(self, folder: Path) -> str:
        """Have every server sample with an adapter; its digest. One that does not answer is given it when it does.

        Raises ModelError where none answers, or one does not take it.
        """
        self._adapter = folder
        digest = ""
        for server in self.servers:
            try:
                digest = server.load_adapter(folder)
            except ServerLostError as error:
                self._note(server)
                if len(self.lost) == len(self.servers) and server is self.servers[-1] and not digest:
                    raise ModelError(error.cause, error.fix) from error
        return digest

    def sample(self, requests: Sequence[Request]) -> list[list[Turn]]:
        """`requests[i].n` turns for each request, in order. As `ServerSampler.sample`, by all servers together."""
        began = time.perf_counter()
        check(requests)
        if not requests:
            return []
        call = _Call(requests)
        count = [min(server.concurrency, len(requests)) for server in self.servers]
        with ThreadPoolExecutor(sum(count), thread_name_prefix="sample") as threads:
            for server, many in zip(self.servers, count, strict=True):
                gate = _Gate(server, self, call)
                for _ in range(many):
                    threads.submit(gate.work)
        turns = call.finished()
        self.tokens += sum(len(turn.completion_ids) for siblings in turns for turn in siblings)
        self.prefilled += sum(len(request.prompt_ids) for request in requests)
        self.seconds += time.perf_counter() - began
        return turns

    def take_back(self, server: ServerSampler, request: Request) -> None:
        """Give a server that answers again the adapter, and see that it computes with it. Raises ServerLostError
        where it does not answer yet, ModelError where it holds other weights.
        """
        if self._adapter is not None:
            digest = server.digest
            server.load_adapter(self._adapter)
            server.digest = digest
        if self.probe is not None:
            asked = Request(
                prompt_ids=request.prompt_ids,
                n=1,
                max_tokens=min(PROBED, request.max_tokens),
                temperature=1.0,
                seed=request.seed,
            )
            self.probe(server.complete(asked))

    def _note(self, server: ServerSampler) -> None:
        with self._lock:
            self.lost[server.url] = self.lost.get(server.url, 0) + 1


class _Call:
    """The requests of one call that wait, and the turns of those that are done."""

    def __init__(self, requests: Sequence[Request]) -> None:
        self.requests = requests
        self.waiting = deque(range(len(requests)))
        self.turns: list[list[Turn] | None] = [None] * len(requests)
        self.left = len(requests)
        self.error: BaseException | None = None
        self.lock = threading.Condition()
        self.answered = time.monotonic()

    def next(self) -> int | None:
        """A request to ask, once there is one; None where all are done or the call has failed."""
        with self.lock:
            while self.left and self.error is None and not self.waiting:
                self.lock.wait(PAUSE)
            return self.waiting.popleft() if self.left and self.error is None else None

    def done(self, at: int, turns: list[Turn]) -> None:
        """Take the turns of a request, the first time that they come."""
        with self.lock:
            if self.turns[at] is None:
                self.turns[at] = turns
                self.left -= 1
            self.answered = time.monotonic()
            self.lock.notify_all()

    def again(self, at: int) -> None:
        """Ask a request again: whoever was asked is gone."""
        with self.lock:
            self.waiting.appendleft(at)
            self.lock.notify_all()

    def failed(self, error: BaseException) -> None:
        """End the call."""
        with self.lock:
            self.error = self.error or error
            self.lock.notify_all()

    def finished(self) -> list[list[Turn]]:
        if self.error is not None:
            raise self.error
        return [turns for turns in self.turns if turns is not None]


class _Gate:
    """The threads that ask one server: while it is gone, one of them waits for it and the others stand by."""

    def __init__(self, server: ServerSampler, servers: Servers, call: _Call) -> None:
        self.server = server
        self.servers = servers
        self.call = call
        self.lock = threading.Lock()
        self.times = 0
        """How often the server was lost in this call."""

    def work(self) -> None:
        """Ask until nothing waits."""
        while (at := self.call.next()) is not None:
            times = self.times
            try:
                self.call.done(at, self.server.complete(self.call.requests[at]))
            except ServerLostError as error:
                self.call.again(at)
                self._wait(times, error, self.call.requests[at])
            except BaseException as error:
                self.call.failed(error)

    def _wait(self, times: int, error: ServerLostError, request: Request) -> None:
        """Until the server is back, or the call is over."""
        with self.lock:
            if self.times != times:
                return  # another thread has seen to it
            self.servers._note(self.server)
            while self.call.left and self.call.error is None:
                try:
                    self.servers.take_back(self.server, request)
                    self.times += 1
                    return
                except ServerLostError as still:
                    error = still
                except ModelError as wrong:
                    self.call.failed(wrong)
                    return
                if time.monotonic() - self.call.answered > self.servers.patience:
                    self.call.failed(
                        ModelError(error.cause, error.fix or "start the servers again, then resume the run")
                    )
                    return
                time.sleep(min(PAUSE, self.servers.patience))
