"""The messages of a run, read into the nouns that every view shows.

    story = Story()
    for message in journal.read():
        story.add(message)
    story.after.pass_at_1.value

Readers add messages in order. `RunResumed` removes what came after the checkpoint that the run went on from.
A run may be without any of it so far: what it did not measure is None.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from autotelic.budget import Allowance
from autotelic.dashboard.generations import Generation, Proposals, Unfinished
from autotelic.dashboard.palette import HUES
from autotelic.dashboard.wording import REWARD, SUCCESS, Measures
from autotelic.messages import (
    Alarmed,
    BudgetExtended,
    ChampionSaved,
    Decided,
    Dropped,
    Evaluated,
    ExamSet,
    GenerationBegan,
    GenerationEnded,
    Leased,
    Message,
    RunResumed,
    RunStarted,
    RunStopped,
    StageBegan,
    StageEnded,
)
from autotelic.types import Cell, Json, Score

OTHERS = "others"
"""What views call the stages that take too little time to be shown apart."""
POOL = "pool"
"""The name of what the own exam is made of, before there is one. Its scores are no exam's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """One evaluation of one exam, without its answers. `tokens` and `seconds` are what the run had spent by
    then, `took` is how long it took. `cells` are the scores of greedy answers.
    """

    message: int
    exam: str
    digest: str
    when: str
    weights: str
    generation: int
    tokens: int
    seconds: float
    took: float
    pass_at_1: Score
    sampled_at_1: Score | None
    pass_at_8: Score | None
    best_of_8: Score | None
    cells: Mapping[Cell, Score]

    def mean(self, mode: str | None = None, levels: Iterable[int] | None = None) -> float | None:
        """Mean greedy score over the cells of a mode and some levels, each cell weighing the same."""
        wanted = None if levels is None else set(levels)
        found = [
            score.value
            for cell, score in self.cells.items()
            if mode in (None, cell.mode) and (wanted is None or cell.level in wanted)
        ]
        return sum(found) / len(found) if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamItems:
    """How an exam was set: `items` is their number, `refused` counts by reason what is no item, `missing` by
    cell what it is short of.
    """

    message: int
    exam: str
    digest: str
    items: int
    refused: Mapping[str, int]
    missing: Mapping[str, int]


LEVELS = ("run", "slow", "hold", "stop", "quarantine")
"""Levels of the brake, by their numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What the gate decided, and why, without the answers that it saw. References are of the door for weights."""

    message: int
    generation: int
    verdict: str
    reasons: tuple[str, ...]
    weights: str
    champion: str


@dataclass(slots=True)
class Story:
    """All that the messages have said so far. `add` is the only way in.

    `run` and `saved` are messages as they came. `allowance` are the limits, with what was given on top of the
    charter's.
    `success` is whether all outcomes so far were yes or no; None before the first evaluation. `beside` are the ids,
    stages and seconds of what ran outside of any generation.
    """

    run: RunStarted | None = None
    generations: list[Generation] = field(default_factory=list)
    evaluations: list[Evaluation] = field(default_factory=list)
    exams: list[ExamItems] = field(default_factory=list)
    rulings: list[Ruling] = field(default_factory=list)
    drops: list[Dropped] = field(default_factory=list)
    saved: list[ChampionSaved] = field(default_factory=list)
    allowance: Allowance = field(default_factory=lambda: Allowance(0.0, 0, 0))
    beside: list[tuple[int, str, float]] = field(default_factory=list)
    unfinished: Unfinished | None = None
    stage: str = ""
    resumes: int = 0
    stopped: str = ""
    why: str = ""
    leased: Leased | None = None
    alarms: list[Alarmed] = field(default_factory=list)
    success: bool | None = None

    @classmethod
    def of(cls, messages: Iterable[Message]) -> Story:
        """The story of a whole journal."""
        story = cls()
        for message in messages:
            story.add(message)
        return story

    def add(self, message: Message) -> None:
        """Take in one message. Kinds that no view shows are passed over."""
        match message:
            case RunStarted():
                self.run, budget = message, message.charter["budget"]
                self.allowance = Allowance(budget["seconds"], budget["tokens"], budget["generations"])
            case BudgetExtended():
                self.allowance.extend(message)
            case RunResumed():
                self._take_back(message)
            case RunStopped(reason=reason, why=why):
                self.stopped, self.stage, self.why = reason, "", why
            case GenerationBegan():
                self.unfinished = Unfinished()
            case GenerationEnded():
                self.generations.append((self.unfinished or Unfinished()).ended(message))
                self.unfinished = None
            case StageBegan(stage=stage):
                self.stage = stage
            case ExamSet():
                self.exams.append(_items(message))
            case Evaluated():
                self._evaluated(message)
            case Leased():
                self.leased = message
            case Alarmed():
                self.alarms.append(message)
            case Decided():
                self.rulings.append(_ruling(message))
            case ChampionSaved():
                self.saved.append(message)
            case Dropped():
                self.drops.append(message)
        if self.unfinished is not None:
            self.unfinished.add(message)
        elif isinstance(message, StageEnded):
            self.beside.append((message.id, message.stage, message.seconds))

    def _take_back(self, resumed: RunResumed) -> None:
        """Forget what a resume went back on. A journal leaves it out; who watched the run has seen it."""
        gone = range(resumed.first, resumed.last + 1)
        self.resumes += 1
        self.stopped, self.stage, self.unfinished = "", "", None
        self.generations = [g for g in self.generations if g.message not in gone]
        self.evaluations = [e for e in self.evaluations if e.message not in gone]
        self.exams = [e for e in self.exams if e.message not in gone]
        self.rulings = [r for r in self.rulings if r.message not in gone]
        self.drops = [d for d in self.drops if d.id not in gone]
        self.alarms = [a for a in self.alarms if a.id not in gone]
        self.saved = [s for s in self.saved if s.id not in gone]
        self.beside = [b for b in self.beside if b[0] not in gone]

    def _evaluated(self, message: Evaluated) -> None:
        # Outcomes are 0 or 1 where success is known. To look at the verdicts would be to read rows.
        yes_or_no = all(outcome in (0.0, 1.0) for outcome in message.report.outcomes.values())
        self.success = yes_or_no and self.success is not False
        if message.report.exam != POOL:
            self.evaluations.append(_evaluation(message))

    # ── what views ask ───────────────────────────────────────────────────────────────────────────────────────

    @property
    def measures(self) -> Measures:
        """What the scores of this run are called."""
        return REWARD if self.success is False else SUCCESS

    @property
    def seconds(self) -> float:
        """Seconds of work so far, without the time that a stopped run lay still."""
        return max([0.0, *(g.ended for g in self.generations[-1:]), *(e.seconds for e in self.evaluations)])

    @property
    def reached(self) -> int:
        """The number of the last generation that ended, 0 before the first."""
        return self.generations[-1].number if self.generations else 0

    @property
    def tokens(self) -> int:
        """Tokens trained on so far."""
        return max(
            [0, *(g.total_tokens for g in self.generations[-1:]), *(e.tokens for e in self.evaluations)]
        )

    @property
    def flops(self) -> float:
        """Floating-point operations so far."""
        return self.generations[-1].total_flops if self.generations else 0.0

    def spent(self, seconds: float) -> float | None:
        """The share of the budget that is used up after so many seconds of work; the nearest limit counts.

        The budget is the charter's and what was given on top of it.
        """
        if self.run is None:
            return None
        shares = self.allowance.shares(seconds, self.tokens, len(self.generations))
        return min(max(shares.values()), 1.0) if shares else None

    def evaluations_of(self, exam: str) -> list[Evaluation]:
        """Every evaluation of one exam, oldest first."""
        return [e for e in self.evaluations if e.exam == exam]

    def exam(self, name: str) -> ExamItems | None:
        """How an exam was set, if it was."""
        return next((e for e in self.exams if e.exam == name), None)

    @property
    def before(self) -> Evaluation | None:
        """The sealed exam before the first update."""
        return next((e for e in self.evaluations_of("sealed") if e.when == "before"), None)

    @property
    def after(self) -> Evaluation | None:
        """The sealed exam as last evaluated; `when` says whether that was at the end or on the way."""
        known = reversed(self.evaluations_of("sealed"))
        return next((e for e in known if e.when not in ("before", "working")), None)

    @property
    def working(self) -> Evaluation | None:
        """The sealed exam of the working weights at the end; None where these are certified."""
        return next((e for e in reversed(self.evaluations_of("sealed")) if e.when == "working"), None)

    @property
    def modes(self) -> list[str]:
        """The modes in the charter's order, then as they appeared."""
        seen: list[str] = [] if self.run is None else list(self.run.charter["domain"]["modes"])
        seen += [cell.mode for e in self.evaluations for cell in e.cells]
        seen += [cell.mode for g in self.generations for cell in g.cells]
        return list(dict.fromkeys(seen))

    @property
    def levels(self) -> list[int]:
        """The levels met so far, lowest first."""
        seen = {cell.level for e in self.evaluations for cell in e.cells}
        return sorted(seen | {cell.level for g in self.generations for cell in g.cells})

    @property
    def actor_task_share(self) -> float | None:
        """Of the tokens of tasks learned after the bootstrap, the share of tasks that the actor proposed."""
        counted = [g for g in self.generations if not g.bootstrap]
        total = sum(g.actor_tokens + g.rules_tokens for g in counted)
        return sum(g.actor_tokens for g in counted) / total if total else None

    @property
    def proposals(self) -> Proposals:
        """What became of all that the actor proposed."""
        return sum((g.proposals for g in self.generations), Proposals())

    @property
    def stage_seconds(self) -> dict[str, float]:
        """Where the time went, by stage, in the order in which they first ran."""
        total: dict[str, float] = {}
        for generation in self.generations:
            for stage, seconds in generation.stage_seconds.items():
                total[stage] = total.get(stage, 0.0) + seconds
        for _, stage, seconds in self.beside:
            total[stage] = total.get(stage, 0.0) + seconds
        return total

    @property
    def slow_stages(self) -> dict[str, float]:
        """`stage_seconds` of the slowest, as many as there are distinct colours, and of all `others`."""
        total = self.stage_seconds
        slowest = sorted(total, key=lambda stage: -total[stage])[: len(HUES) - 1]
        shown = {stage: seconds for stage, seconds in total.items() if stage in slowest}
        rest = sum(total.values()) - sum(shown.values())
        return {**shown, OTHERS: rest} if len(shown) < len(total) else shown

    def rulings_of(self, generation: int) -> list[Ruling]:
        """What was decided in a generation, in order."""
        return [r for r in self.rulings if r.generation == generation]

    @property
    def oversight(self) -> str:
        """The grade of isolation and the level of the brake, in a sentence; empty before the first lease."""
        if self.leased is None:
            return ""
        said = f"Oversight: grade {self.leased.grade}, brake {self.brake}."
        return f"{said} Last alarm, {told(self.alarms[-1])}." if self.alarms else said

    @property
    def brake(self) -> str:
        """The level of the brake with its name, by the last lease and the alarms since; empty before the first."""
        if self.leased is None:
            return ""
        since = [alarm.level for alarm in self.alarms if alarm.id > self.leased.id]
        return named(max([self.leased.level, *since]))

    @property
    def promoted(self) -> Ruling | None:
        """The decision that made the champion; None while it is what the run began from."""
        return next((r for r in reversed(self.rulings) if r.verdict == "promote"), None)

    @property
    def champion(self) -> dict[str, Json]:
        """The champion: the generation it was made in, its reference, and that of its saved folder."""
        promoted, saved = self.promoted, self.saved[-1] if self.saved else None
        return {
            "generation": promoted.generation if promoted else 0,
            "weights": promoted.weights if promoted else saved.weights if saved else None,
            "folder": saved.folder if saved else None,
        }


def named(level: int) -> str:
    """A level of the brake with its name."""
    return f"{level} ({LEVELS[level] if 0 <= level < len(LEVELS) else 'unknown'})"


def told(alarm: Alarmed) -> str:
    """An alarm in a line: when, what, and to which level of the brake."""
    return f"generation {alarm.generation}: {alarm.trigger} to {named(alarm.level)}, {alarm.reason}"


def _evaluation(message: Evaluated) -> Evaluation:
    report = message.report
    return Evaluation(
        message=message.id,
        exam=report.exam,
        digest=report.digest,
        when=message.when,
        weights=report.weights,
        generation=message.generation,
        tokens=message.tokens,
        seconds=message.seconds,
        took=message.took,
        pass_at_1=report.overall.pass_at_1,
        sampled_at_1=report.overall.sampled_at_1,
        pass_at_8=report.overall.pass_at_8,
        best_of_8=report.overall.best_of_8,
        cells={Cell.parse(name): scores.pass_at_1 for name, scores in report.cells.items()},
    )


def _items(message: ExamSet) -> ExamItems:
    return ExamItems(
        message=message.id,
        exam=message.exam,
        digest=message.digest,
        items=len(message.items),
        refused=message.refused,
        missing=message.missing,
    )


def _ruling(message: Decided) -> Ruling:
    decision = message.decision
    return Ruling(
        message=message.id,
        generation=message.generation,
        verdict=decision.verdict,
        reasons=decision.reasons,
        weights=message.weights,
        champion=message.champion,
    )
