"""The event stream of a run, read into the nouns that every view shows.

    story = Story()
    for event in record.events():
        story.add(event)
    story.after.pass_at_1.value

A story is told forwards. `run.resume` takes back what came after the checkpoint it went on from, and a
generation that is told again replaces its first telling. What a run did not measure is None.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from autotelic.types import Cell, Score

Data = Mapping[str, Any]
_READING_ORDER = ("deduction", "abduction", "induction", "repair")


class Told(Protocol):
    """What a story needs of an event; `record.Event` is one."""

    @property
    def kind(self) -> str: ...
    @property
    def generation(self) -> int: ...
    @property
    def time(self) -> float:
        """Seconds since the epoch."""

    @property
    def data(self) -> Data: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitting:
    """One exam sat once. `tokens` and `seconds` are what the run had spent by then."""

    exam: str
    when: str
    weights: str
    generation: int
    tokens: int
    seconds: float
    pass_at_1: Score
    sampled_at_1: Score | None
    pass_at_8: Score | None
    best_of_8: Score | None
    cells: Mapping[Cell, Score]

    @property
    def place(self) -> tuple[str, str, int]:
        """What this is the sitting of; a second one of the same place replaces the first."""
        return self.exam, self.when, self.generation

    def mean(self, mode: str | None = None, levels: Iterable[int] | None = None) -> float | None:
        """Mean greedy pass@1 over the cells of a mode and some levels, each cell weighing the same."""
        wanted = None if levels is None else set(levels)
        found = [
            score.value
            for cell, score in self.cells.items()
            if mode in (None, cell.mode) and (wanted is None or cell.level in wanted)
        ]
        return sum(found) / len(found) if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposals:
    """How many tasks the actor was asked for in a generation, and what became of them."""

    asked: int
    valid: int
    novel: int
    admitted: int
    reasons: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class CellState:
    """The curriculum's view of a cell: success `p`, `share` of the tasks, `gain` expected of more."""

    p: float | None
    share: float
    gain: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One trip around the loop. `ended` is how many seconds the run had worked when it was over."""

    number: int
    bootstrap: bool
    seconds: float
    ended: float
    stage_seconds: Mapping[str, float]
    trained: int
    decoded: int
    total_tokens: int
    total_flops: float
    train_speed: float | None
    decode_speed: float | None
    proposals: Proposals
    actor_task_share: float | None
    groups_kept: int
    groups_dropped: int
    cells: Mapping[Cell, CellState]
    learn: Mapping[str, float | None]
    critic: Mapping[str, float | None]
    consensus_agreement: float | None
    certainty_agreement: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What the gate said at the end of a generation, and why."""

    generation: int
    verdict: str
    reasons: tuple[str, ...]
    inputs: Data


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """Something that was left out: `n` of `what`, because of `why`."""

    generation: int
    what: str
    n: int
    why: str


@dataclass(slots=True)
class Story:
    """All that the events have told so far. `add` is the only way in."""

    start: Data = field(default_factory=dict)
    sealed: Data = field(default_factory=dict)
    own: Data = field(default_factory=dict)
    generations: list[Generation] = field(default_factory=list)
    sittings: list[Sitting] = field(default_factory=list)
    rulings: list[Ruling] = field(default_factory=list)
    drops: list[Drop] = field(default_factory=list)
    stage: Data = field(default_factory=dict)
    resumes: int = 0
    stopped: str = ""
    started: float | None = None

    def add(self, event: Told) -> None:
        """Take in one event. Kinds that no view shows are passed over."""
        data, generation = event.data, event.generation
        if event.kind == "run.start":
            self.start, self.started = data, event.time
        elif event.kind == "run.resume":
            self.resumes, self.stopped = self.resumes + 1, ""
            self._take_back(int(data["from_generation"]))
        elif event.kind == "run.stop":
            self.stopped, self.stage = str(data.get("reason", "finished")), {}
        elif event.kind == "exam.sealed":
            self.sealed = data
        elif event.kind == "exam.own":
            self.own = data
        elif event.kind == "exam":
            sitting = _sitting(data, generation)
            self.sittings = [s for s in self.sittings if s.place != sitting.place]
            self.sittings.append(sitting)
        elif event.kind == "generation":
            self.generations = [g for g in self.generations if g.number < generation]
            before = self.generations[-1].ended if self.generations else 0.0
            self.generations.append(_generation(data, generation, before))
        elif event.kind == "decision":
            self.rulings = [r for r in self.rulings if r.generation < generation]
            reasons = tuple(str(reason) for reason in data.get("reasons", ()))
            verdict, inputs = str(data.get("verdict", "")), data.get("inputs", {})
            self.rulings.append(
                Ruling(generation=generation, verdict=verdict, reasons=reasons, inputs=inputs)
            )
        elif event.kind == "dropped":
            what, n, why = str(data.get("what", "")), int(data.get("n", 1)), str(data.get("why", ""))
            self.drops.append(Drop(generation=generation, what=what, n=n, why=why))
        elif event.kind == "stage":
            self.stage = data

    @property
    def charter(self) -> Data:
        return self.start.get("charter") or {}

    @property
    def seconds(self) -> float:
        """Seconds of work so far, without the time that a stopped run lay still."""
        worked = self.generations[-1].ended if self.generations else 0.0
        return max([worked, *(s.seconds for s in self.sittings)])

    @property
    def tokens(self) -> int:
        """Tokens trained on so far."""
        told = self.generations[-1].total_tokens if self.generations else 0
        return max([told, *(s.tokens for s in self.sittings)])

    @property
    def flops(self) -> float:
        return self.generations[-1].total_flops if self.generations else 0.0

    def spent(self, seconds: float) -> float | None:
        """The share of the budget that is used up after so many seconds of work; the nearest limit counts."""
        budget = self.charter.get("budget", {})
        used = {"seconds": seconds, "tokens": self.tokens, "generations": len(self.generations)}
        shares = [used[limit] / budget[limit] for limit in used if budget.get(limit)]
        return min(max(shares), 1.0) if shares else None

    def sat(self, exam: str) -> list[Sitting]:
        """Every sitting of one exam, in order of tokens spent."""
        return sorted((s for s in self.sittings if s.exam == exam), key=lambda s: (s.tokens, s.generation))

    @property
    def before(self) -> Sitting | None:
        """The sealed exam before the first update."""
        return next((s for s in self.sat("sealed") if s.when == "before"), None)

    @property
    def after(self) -> Sitting | None:
        """The sealed exam as last sat; `when` says whether that was at the end or on the way."""
        return next((s for s in reversed(self.sat("sealed")) if s.when != "before"), None)

    @property
    def modes(self) -> list[str]:
        """The modes met so far, from reading programs to writing them, then as they appeared."""
        seen = dict.fromkeys(c.mode for s in self.sittings for c in s.cells)
        seen |= dict.fromkeys(c.mode for g in self.generations for c in g.cells)
        return [m for m in _READING_ORDER if m in seen] + [m for m in seen if m not in _READING_ORDER]

    @property
    def levels(self) -> list[int]:
        """The levels met so far, lowest first."""
        seen = {c.level for s in self.sittings for c in s.cells}
        return sorted(seen | {c.level for g in self.generations for c in g.cells})

    @property
    def actor_task_share(self) -> float | None:
        """Share of what was trained on after the bootstrap that the actor proposed, weighted by tokens."""
        weighed = [
            (g.actor_task_share, g.trained)
            for g in self.generations
            if not g.bootstrap and g.actor_task_share is not None
        ]
        total = sum(trained for _, trained in weighed)
        return sum(share * trained for share, trained in weighed) / total if total else None

    @property
    def proposals(self) -> Proposals:
        """What became of all that the actor proposed after the bootstrap."""
        told = [g.proposals for g in self.generations if not g.bootstrap]
        reasons: dict[str, int] = {}
        for proposals in told:
            for reason, n in proposals.reasons.items():
                reasons[reason] = reasons.get(reason, 0) + n
        return Proposals(
            asked=sum(p.asked for p in told),
            valid=sum(p.valid for p in told),
            novel=sum(p.novel for p in told),
            admitted=sum(p.admitted for p in told),
            reasons=dict(sorted(reasons.items(), key=lambda item: -item[1])),
        )

    @property
    def stage_seconds(self) -> dict[str, float]:
        """Where the time of all generations went, in the order of the loop."""
        total: dict[str, float] = {}
        for generation in self.generations:
            for stage, seconds in generation.stage_seconds.items():
                total[stage] = total.get(stage, 0.0) + seconds
        return total

    def _take_back(self, generation: int) -> None:
        self.generations = [g for g in self.generations if g.number <= generation]
        self.sittings = [s for s in self.sittings if s.generation <= generation]
        self.rulings = [r for r in self.rulings if r.generation <= generation]
        self.drops = [d for d in self.drops if d.generation <= generation]

    def ruling(self, generation: int) -> Ruling | None:
        return next((r for r in self.rulings if r.generation == generation), None)


def tell(events: Iterable[Told]) -> Story:
    """The story of a whole stream."""
    story = Story()
    for event in events:
        story.add(event)
    return story


def _sitting(data: Data, generation: int) -> Sitting:
    cells = {
        Cell.parse(name): score
        for name, scores in data.get("cells", {}).items()
        if (score := _score(scores.get("pass_at_1"))) is not None
    }
    score = _score(data.get("pass_at_1"))
    if score is None:
        raise ValueError(f"an exam event of generation {generation} has no pass_at_1")
    return Sitting(
        exam=str(data["exam"]),
        when=str(data.get("when", "during")),
        weights=str(data.get("weights", "")),
        generation=generation,
        tokens=int(data.get("tokens") or 0),
        seconds=float(data.get("seconds") or 0.0),
        pass_at_1=score,
        sampled_at_1=_score(data.get("sampled_at_1")),
        pass_at_8=_score(data.get("pass_at_8")),
        best_of_8=_score(data.get("best_of_8")),
        cells=cells,
    )


def _score(data: Data | None) -> Score | None:
    if not data:
        return None
    return Score(value=data["value"], low=data["low"], high=data["high"], n=data["n"])


def _generation(data: Data, number: int, before: float) -> Generation:
    seconds, tokens = float(data.get("seconds", 0.0)), data.get("tokens", {})
    speed, groups, proposals = (
        data.get("tokens_per_second", {}),
        data.get("groups", {}),
        data.get("proposals", {}),
    )
    return Generation(
        number=number,
        bootstrap=bool(data.get("bootstrap", False)),
        seconds=seconds,
        ended=before + seconds,
        stage_seconds=data.get("stage_seconds", {}),
        trained=int(tokens.get("trained", 0)),
        decoded=int(tokens.get("decoded", 0)),
        total_tokens=int(data.get("total_tokens", 0)),
        total_flops=float(data.get("total_flops", 0.0)),
        train_speed=_known(speed.get("train")),
        decode_speed=_known(speed.get("decode")),
        proposals=Proposals(
            asked=int(proposals.get("asked", 0)),
            valid=int(proposals.get("valid", 0)),
            novel=int(proposals.get("novel", 0)),
            admitted=int(proposals.get("admitted", 0)),
            reasons=proposals.get("reasons", {}),
        ),
        actor_task_share=_known(data.get("actor_task_share")),
        groups_kept=int(groups.get("kept", 0)),
        groups_dropped=int(groups.get("dropped_no_variance", 0)),
        cells={
            Cell.parse(name): CellState(
                p=_known(state.get("p")), share=float(state.get("share") or 0), gain=_known(state.get("gain"))
            )
            for name, state in data.get("cells", {}).items()
        },
        learn=_measured(data.get("learn") or {}),
        critic=_measured(data.get("critic") or {}),
        consensus_agreement=_known(data.get("consensus_agreement")),
        certainty_agreement=_known(data.get("certainty_agreement")),
    )


def _known(value: object) -> float | None:
    """A finite number, or None: the record stores nan and infinity, which JSON lacks, as their names."""
    return value if isinstance(value, int | float) and math.isfinite(value) else None


def _measured(data: Data) -> dict[str, float | None]:
    return {name: _known(value) for name, value in data.items()}
