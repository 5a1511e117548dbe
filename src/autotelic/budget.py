"""When a run ends: at the nearest of its limits, as its charter has them and as it was given more."""

from __future__ import annotations

from dataclasses import dataclass, field

from autotelic.envelope import BudgetExtended

KINDS = ("seconds", "tokens", "generations")
"""What can be limited: seconds of work, tokens trained on, generations."""


@dataclass(slots=True)
class Allowance:
    """The limits of a charter, what was given on top of them, and which bind no more. 0 is no limit."""

    seconds: float
    tokens: int
    generations: int
    extra: dict[str, float] = field(default_factory=lambda: dict.fromkeys(KINDS, 0.0))
    lifted: set[str] = field(default_factory=set)

    def bare(self) -> Allowance:
        """The charter's limits alone."""
        return Allowance(self.seconds, self.tokens, self.generations)

    def extend(self, more: BudgetExtended) -> None:
        """Count what a run was given."""
        for kind in KINDS:
            given = getattr(more, kind)
            self.extra[kind] += given
            if given:
                self.lifted.discard(kind)
        self.lifted |= set(more.lifts)

    def limit(self, kind: str) -> float:
        """The limit of a kind with all that was given; 0 where there is none."""
        return 0.0 if kind in self.lifted else float(getattr(self, kind)) + self.extra[kind]

    def shares(self, *spent: float) -> dict[str, float]:
        """Of each limit that binds, how much is spent, where so many seconds, tokens and generations are."""
        used = dict(zip(KINDS, spent, strict=True))
        return {kind: used[kind] / limit for kind in KINDS if (limit := self.limit(kind))}

    def progress(self, *spent: float) -> float:
        """How much of the nearest limit is spent, in [0, 1]; 0 without a limit."""
        return min(1.0, max(self.shares(*spent).values(), default=0.0))

    def extension(self, asked: BudgetExtended, *spent: float, finished: bool) -> BudgetExtended:
        """What makes a run go on for as much as is asked.

        On a limit that is not reached yet it is added. Where there is none, or the run has ended at one, it
        counts from what is spent. A limit that was reached, and of which no more is asked, is lifted:
        otherwise the run would end again before it began.
        """
        shares = self.shares(*spent)
        nearest = max(shares.values(), default=0.0)
        reached = {kind for kind, share in shares.items() if share >= 1 or (finished and share == nearest)}
        given = {kind: getattr(asked, kind) for kind in KINDS if getattr(asked, kind)}
        adds: dict[str, float] = {}
        for kind, used in zip(KINDS, spent, strict=True):
            if kind in given:
                own = float(getattr(self, kind)) + self.extra[kind]
                begin = own if kind in shares and kind not in reached else used
                adds[kind] = begin + given[kind] - own
        return BudgetExtended(
            seconds=adds.get("seconds", 0.0),
            tokens=int(adds.get("tokens", 0)),
            generations=int(adds.get("generations", 0)),
            lifts=tuple(kind for kind in KINDS if kind in reached and kind not in given),
        )
