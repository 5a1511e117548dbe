"""Environments of a domain from outside the package: one that raises or hangs ends its own episode and no other."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from autotelic.domains.watch import HANGS, Failure, Watch, WrongValueError, in_number, kind_of
from autotelic.protocols import Actor, Interactive, Seated, Sessions
from autotelic.types import Ids, Image, Observation, Task, Text

Seen = tuple[Observation, float] | None


class GuardedSessions:
    """Episodes in progress. `failed` has the places of those whose environment failed; they are over.

    While nothing goes wrong, all are one batch. When a batch fails, every episode that goes on gets an
    environment of its own, with the same seed, that is given the same replies again: the same seed gives the
    same environment.
    """

    def __init__(
        self, domain: Interactive, watch: Watch, tasks: Sequence[Task], seeds: Sequence[int]
    ) -> None:
        self.failed: set[int] = set()
        self._domain = domain
        self._watch = watch
        self._tasks = tuple(tasks)
        self._seeds = tuple(seeds)
        self._over: set[int] = set()
        self._past: list[tuple[str | None, ...]] = []
        self._alone: dict[int, Sessions] = {}
        self._hangs = 0
        self._actor: Actor | None = None
        opened = watch.call(lambda: domain.open(self._tasks, self._seeds))
        self._together: Sessions | None = None if isinstance(opened, Failure) else opened
        if isinstance(opened, Failure):
            self._part(opened)
            self._count("open", range(len(self._tasks)))

    def seat(self, actor: Actor) -> None:
        """As `Seated.seat`, for sessions that have further seats; nothing for others."""
        self._actor = actor
        for sessions in [*self._alone.values(), *([self._together] if self._together else [])]:
            if isinstance(sessions, Seated):
                sessions.seat(actor)

    def step(self, replies: Sequence[str | None]) -> list[Seen]:
        """As `Sessions.step`; None for an episode that is over, also because its environment failed."""
        live = [at for at, reply in enumerate(replies) if reply is not None and at not in self._over]
        shown = self._all(replies) if self._together is not None else None
        if shown is None:
            shown = [self._one(at, reply) if at in live else None for at, reply in enumerate(replies)]
        self._past.append(tuple(replies))
        found = [self._seen(at, item) if at in live else None for at, item in enumerate(shown)]
        self._count("step", live)
        return found

    def _all(self, replies: Sequence[str | None]) -> list[Any] | None:
        """What all of them show as one batch; None where that failed, and each has an environment of its own."""
        together = self._together
        assert together is not None
        shown = self._watch.call(lambda: in_number(together.step(replies), len(replies)))
        if isinstance(shown, Failure):
            self._part(shown)
            return None
        return shown

    def _part(self, why: Failure) -> None:
        """Give each episode that goes on an environment of its own, where the common one was."""
        self._together = None
        self._hangs += why.reason == "hang"
        for at, (task, seed) in enumerate(zip(self._tasks, self._seeds, strict=True)):
            if at not in self._over:
                opened = self._ask(at, partial(self._again, at, task, seed))
                if opened is not None:
                    self._alone[at] = opened

    def _again(self, at: int, task: Task, seed: int) -> Sessions:
        session = self._domain.open([task], [seed])
        if self._actor is not None and isinstance(session, Seated):
            session.seat(self._actor)
        for replies in self._past:
            session.step([replies[at]])
        return session

    def _one(self, at: int, reply: str | None) -> Any:
        session = self._alone.get(at)
        if session is None:
            return None
        shown = self._ask(at, lambda: in_number(session.step([reply]), 1))
        return None if shown is None else shown[0]

    def _ask(self, at: int, function: Callable[[], Any]) -> Any:
        """The value of a call for one episode; None where it failed, and the episode with it."""
        tired = Failure("hang", "too many others hung before it")
        found = tired if self._hangs > HANGS else self._watch.call(function)
        if isinstance(found, Failure):
            self._hangs += found.reason == "hang"
            self._fail(at, found.why)
            return None
        return found

    def _seen(self, at: int, item: Any) -> Seen:
        """What an environment showed, if it is what one may show."""
        try:
            seen = _checked(item)
        except WrongValueError as error:
            self._fail(at, str(error))
            return None
        if seen is None:
            self._over.add(at)
        return seen

    def _fail(self, at: int, why: str) -> None:
        if at not in self.failed:
            self.failed.add(at)
            self._over.add(at)
            self._alone.pop(at, None)
            self._watch.drop("episode", f"its environment failed: {why}")

    def _count(self, what: str, places: Sequence[int]) -> None:
        failures = [Failure("error", "every environment failed") for at in places if at in self.failed]
        if places:
            self._watch.whole(what, failures, len(places))


def _checked(item: Any) -> Seen:
    if item is None:
        return None
    if not (isinstance(item, tuple) and len(item) == 2):
        raise WrongValueError("it showed no pair of an observation and a reward")
    shown, reward = item
    parts = isinstance(shown, tuple) and all(isinstance(part, Text | Image | Ids) for part in shown)
    if not (isinstance(shown, str) or parts):
        raise WrongValueError(f"it showed {kind_of(shown)} where a text or parts were expected")
    try:
        number = float(reward)
    except (TypeError, ValueError):
        raise WrongValueError(f"its reward is {kind_of(reward)}") from None
    if not math.isfinite(number):
        raise WrongValueError(f"its reward is {number}")
    return shown, number
