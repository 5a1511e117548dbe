"""What stands between a run and a domain from outside the package: nothing that the domain does breaks the
run.

What raises, hangs, comes in the wrong number or leaves the scale is replaced by the least that the run can go
on with, and named and counted (`Guarded.take_dropped`). When a batch fails as a whole, its members are asked
one by one, so that the culprit alone is blamed.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autotelic.domains.sessions import GuardedSessions
from autotelic.domains.watch import Failure, Watch, in_number, kind_of
from autotelic.errors import DomainError
from autotelic.protocols import Domain, Interactive
from autotelic.types import (
    Binary,
    Cell,
    Demonstration,
    Episode,
    Ids,
    Image,
    Lineage,
    Proposal,
    Rejection,
    Spec,
    Task,
    Text,
    Verdict,
)

SECONDS = 30.0
"""Seconds that one call of a domain may take: a batch of a slow simulator fits, and a run is not held up for long."""
REMEMBERED = 10_000
"""Ids that a domain gave its tasks by itself and that are remembered, to notice two tasks of one id."""
TEXTS = ("ask", "proposal", "form", "corpus")
"""Methods without whose value a run cannot go on: it stops with one line."""


class Guarded:
    """A domain that cannot break a run. It has the capabilities of the domain it guards, and no others.

    `seconds` is how long one call may take; `watch.deadline` says what can be interrupted. A verdict that the
    domain does not give, or not on its scale, is the lowest reward with the reason `error`, `hang` or
    `scale`. An episode whose environment failed is not judged by the domain: its reason is `failed`. Raises
    DomainError when batch after batch fails as a whole, and for a text without which a run cannot go on.
    """

    def __init__(self, domain: Domain, seconds: float = SECONDS) -> None:
        self.domain = domain
        self.spec: Spec = domain.spec
        self._watch = Watch(self.spec.name, seconds)
        self._given: OrderedDict[str, str] = OrderedDict()
        # On the instance, and only what the domain has: `isinstance(guarded, Proposable)` says what it says
        # of the domain.
        for name in (
            "open",
            "admit",
            "demonstrate",
            "answers",
            "check",
            "pose",
            "repair",
            "answer",
            "same",
            *TEXTS,
        ):
            if hasattr(domain, name):
                guarded = self._text(name) if name in TEXTS else getattr(self, f"_{name}")
                setattr(self, name, guarded)
        if hasattr(domain, "special"):
            self.special = tuple(domain.special)

    def take_dropped(self) -> list[tuple[str, int, str]]:
        """What was left out since the last time, as (what, how many, why)."""
        return self._watch.take()

    # ── what every domain has ────────────────────────────────────────────────────────────────────────────────

    def tasks(self, rng: np.random.Generator, cells: Sequence[Cell]) -> list[Task]:
        """The domain's tasks, without what is no task of it, and each id once."""
        found = self._watch.each("tasks", cells, lambda some: list(self.domain.tasks(rng, some)))
        kept: dict[str, Task] = {}
        for item in found:
            if isinstance(item, Failure):
                self._watch.drop("task", f"`tasks` failed: {item.why}")
            elif why := self._unfit("tasks", item) or ("its id is given twice" if item.id in kept else ""):
                self._watch.drop("task", why)
            else:
                kept[item.id] = item
        return list(kept.values())

    def _unfit(self, method: str, item: Any) -> str:
        """Why what a method gave is no task of this domain; empty where it is one."""
        if not isinstance(item, Task):
            return f"`{method}` gave {kind_of(item)}"
        if item.mode not in self.spec.modes or item.level not in self.spec.levels:
            return f"the spec has no {item.cell}"
        shown = item.prompt if isinstance(item.prompt, tuple) else ()
        if not (
            isinstance(item.prompt, str)
            or (shown and all(isinstance(part, Text | Image | Ids) for part in shown))
        ):
            return "its prompt is neither a text nor parts"
        own = replace(item, id="").id
        if own != item.id:  # given by the domain, so two tasks may have it
            if self._given.setdefault(item.id, own) != own:
                return "another task has its id"
            if len(self._given) > REMEMBERED:
                self._given.popitem(last=False)
        return ""

    def judge(self, episodes: Sequence[tuple[Task, Episode]]) -> list[Verdict]:
        """The domain's verdicts, and in place of those it does not give the lowest reward."""
        asked = [pair for pair in episodes if pair[1].ending != "failed"]
        found = self._watch.each("judge", asked, lambda some: in_number(self.domain.judge(some), len(some)))
        given = iter(found)
        return [
            self._lowest("failed") if episode.ending == "failed" else self._verdict(next(given))
            for _, episode in episodes
        ]

    def _verdict(self, item: Any) -> Verdict:
        if isinstance(item, Failure):
            self._watch.drop("verdict", f"`judge` failed: {item.why}")
            return self._lowest(item.reason)
        if not isinstance(item, Verdict):
            self._watch.drop("verdict", f"`judge` gave {kind_of(item)}")
            return self._lowest("error")
        try:
            reward = float(item.reward)
        except (TypeError, ValueError):
            reward = math.nan
        scale = self.spec.scale
        ends = (scale.low, scale.high)
        if not (reward in ends if isinstance(scale, Binary) else scale.low <= reward <= scale.high):
            where = f"{scale.low:g} {'or' if isinstance(scale, Binary) else 'to'} {scale.high:g}"
            self._watch.drop("verdict", f"the reward {item.reward} is not on the scale, {where}")
            return self._lowest("scale")
        passed = None if item.passed is None else bool(item.passed)
        return replace(item, reward=reward, passed=passed)

    def _lowest(self, reason: str) -> Verdict:
        scale = self.spec.scale
        return Verdict(reward=scale.low, passed=False if isinstance(scale, Binary) else None, reason=reason)

    # ── capabilities ─────────────────────────────────────────────────────────────────────────────────────────

    def _open(self, tasks: Sequence[Task], seeds: Sequence[int]) -> GuardedSessions:
        assert isinstance(self.domain, Interactive)
        return GuardedSessions(self.domain, self._watch, tasks, seeds)

    def _admit(self, proposals: Sequence[Proposal]) -> list[Task | Rejection]:
        method = self._method("admit")
        found = self._watch.each("admit", proposals, lambda some: in_number(method(some), len(some)))
        return [self._admitted(item) for item in found]

    def _admitted(self, item: Any) -> Task | Rejection:
        if isinstance(item, Rejection):
            return item
        why = f"`admit` failed: {item.why}" if isinstance(item, Failure) else self._unfit("admit", item)
        if not why:
            return item  # type: ignore[no-any-return]
        self._watch.drop("proposal", why)
        return Rejection(reason="error", detail=why)

    def _demonstrate(self, tasks: Sequence[Task]) -> list[Demonstration | None]:
        method = self._method("demonstrate")
        found = self._watch.each("demonstrate", tasks, lambda some: in_number(method(some), len(some)))
        return [self._kept(item, Demonstration, "demonstration", "demonstrate") for item in found]

    def _check(self, episodes: Sequence[tuple[Task, Episode]]) -> list[Verdict | None]:
        method = self._method("check")
        found = self._watch.each("check", episodes, lambda some: in_number(method(some), len(some)))
        return [self._kept(item, Verdict, "check", "check") for item in found]

    def _pose(self, text: str) -> Task:
        return self._method("pose")(text)  # type: ignore[no-any-return]  # a person waits, and reads what it raises

    def _answers(self, tasks: Sequence[Task], rng: np.random.Generator) -> list[str | None]:
        method = self._method("answers")
        found = self._watch.each("answers", tasks, lambda some: in_number(method(some, rng), len(some)))
        return [self._kept(item, str, "answer of the right form", "answers") for item in found]

    def _repair(self, task: Task, answer: str, verdict: Verdict, lineage: Lineage) -> Task | None:
        found = self._watch.call(lambda: self._method("repair")(task, answer, verdict, lineage))
        return self._kept(found, Task, "repair", "repair")  # type: ignore[no-any-return]

    def _answer(self, mode: str, completion: str) -> str:
        found = self._watch.call(lambda: self._method("answer")(mode, completion))
        return self._kept(found, str, "answer", "answer") or ""

    def _same(self, mode: str, answer: str) -> str:
        found = self._watch.call(lambda: self._method("same")(mode, answer))
        return self._kept(found, str, "vote", "same") or ""

    def _kept(self, item: Any, kind: type, what: str, method: str) -> Any:
        """What a domain gave if it is of that kind; else None, counted if it was not None."""
        if isinstance(item, kind) or item is None:
            return item
        why = f"failed: {item.why}" if isinstance(item, Failure) else f"gave {kind_of(item)}"
        self._watch.drop(what, f"`{method}` {why}")
        return None

    def _text(self, name: str) -> Callable[..., Any]:
        method, kind = self._method(name), list if name == "corpus" else str

        def ask(*given: Any) -> Any:
            found = self._watch.call(lambda: method(*given))
            if isinstance(found, kind):
                return found
            why = found.why if isinstance(found, Failure) else f"it gave {kind_of(found)}"
            raise DomainError(f"`{name}` of the domain {self.spec.name} failed: {why}", "correct the domain")

        return ask

    def _method(self, name: str) -> Any:
        return getattr(self.domain, name)
