"""What a person watching a run sees: one calm screen in a terminal, one line a generation elsewhere.

    with watching(console, "runs/default") as watch:
        run(charter, folder, watch=watch)

A view that fails says so once and falls silent: it must never cost the run that it shows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.live import Live
from rich.padding import Padding
from rich.segment import Segments
from rich.table import Table
from rich.text import Text

from autotelic.dashboard.latest import Latest, latest_of
from autotelic.dashboard.story import POOL, Evaluation, Ruling, Story, told
from autotelic.dashboard.wording import MISSING, bar, clock, count, decimal, interval, percent, sparkline
from autotelic.errors import command
from autotelic.messages import (
    Alarmed,
    Decided,
    Dropped,
    Evaluated,
    GenerationEnded,
    Leased,
    Message,
    RunResumed,
    RunStarted,
    RunStopped,
    SourceCut,
    StageBegan,
)
from autotelic.types import Cell

SILENCE = 10.0
"""Seconds after which a stage that has said nothing says what it waits for."""
_WIDEST = 104
_ROOMY = 68
_TALL = 34
"""Lines of a terminal from which on there is room to explain the words of the screen."""
_WORDS = (
    "AUROC: how well the critic tells right from wrong, 0.5 is chance. ECE: how far its percentages are off.",
    "flat groups: attempts at a task that all fared alike teach nothing. KL: distance from the champion.",
    "clipped: tokens whose step was held back. entropy: how undecided the actor is. actor: the model itself.",
)
_WAITS_FOR = {
    "": "torch and the model to load, and the sealed exam to be drawn",
    "propose": "the actor to write tasks",
    "admit": "the domain to try what was proposed",
    "attempt": "the actor to write its answers",
    "judge": "the domain to judge the answers",
    "draft": "the actor to write answers to repair",
    "appraise": "the other sources of feedback",
    "learn": "the updates of the actor",
    "instruct": "the critic to learn from the verdicts",
    "review": "the answers to the gate's items and the exams",
    "settle": "the answers to the gate's items",
    "watch": "the answers to sealed items",
    "examine": "the answers to an exam",
    "save_champion": "the disk",
}


class View(Protocol):
    """Something that shows a run as it goes."""

    def __call__(self, message: Message) -> None:
        """Show one message."""

    def say(self, notice: str) -> None:
        """Show a line that is about the run, but no message of it."""


@contextmanager
def watching(console: Console, title: str, past: Iterable[Message] = ()) -> Iterator[View]:
    """A callback for the loop that shows each message; `past` is what a resumed run has already recorded."""
    if not console.is_terminal or console.is_dumb_terminal:
        log = PlainLog(console, title)
        for message in past:
            log.story.add(message)
        yield log
        return
    view = LiveView(title)
    for message in past:
        view.story.add(message)  # the answers of the past are not looked at: there may be days of them
    with Live(get_renderable=view.render, console=console, refresh_per_second=4, redirect_stdout=False):
        yield view


class LiveView:
    """Keeps the story and draws it. `clock` is a monotonic time in seconds."""

    def __init__(self, title: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.story = Story()
        self.title = title
        self.notice = ""
        self.latest: Latest | None = None
        self._clock = clock
        self._begun = self._heard = self._counted = clock()
        self._failure = ""

    def __call__(self, message: Message) -> None:
        try:
            self.story.add(message)
            self.latest = latest_of(message) or self.latest
        except Exception as error:
            self._failure = f"the view cannot read message {message.kind}: {error!r}; the run goes on"
            return
        self._heard = self._clock()
        if isinstance(message, GenerationEnded | Evaluated | RunStarted | RunResumed):
            self._counted = self._heard
        if isinstance(message, StageBegan | RunStarted | RunResumed):
            self._begun = self._heard

    def say(self, notice: str) -> None:
        self.notice = notice

    def render(self) -> RenderableType:
        """The screen as it is now; called from the thread that refreshes the terminal."""
        if self._failure:
            return Text(self._failure, style="yellow")
        now = self._clock()
        worked = self.story.seconds + (
            now - self._counted if self.story.run and not self.story.stopped else 0
        )
        return Screen(
            story=self.story,
            title=self.title,
            worked=worked,
            in_stage=now - self._begun,
            silent=now - self._heard,
            notice=self.notice,
            latest=self.latest,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """The whole screen, as wide as the console allows.

    `worked` is the seconds of the run, `in_stage` those in this stage, `silent` those since the last message.
    """

    story: Story
    title: str
    worked: float
    in_stage: float
    silent: float
    notice: str = ""
    latest: Latest | None = None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = max(1, min(options.max_width, _WIDEST) - 4)
        try:
            # Rendered here rather than handed on, so that what goes wrong is caught here.
            body = self._body(width >= _ROOMY, options.size.height >= _TALL)
            lines = list(console.render(body, options.update(width=width)))
        except Exception as error:
            yield Text(f"the view cannot be drawn: {error!r}; the run goes on", style="yellow")
            return
        yield Padding(Segments(lines), (1, 2, 0, 2))

    def _body(self, roomy: bool, tall: bool) -> RenderableType:
        parts = [
            _headline(self.story, self.title, self.worked, roomy=roomy),
            _stage(self.story, self.in_stage, self.silent),
            *_spent(self.story, self.worked),
            *_attempt(self.latest),
            Text(),
            exam_grid(self.story, trends=roomy),
            Text(),
            _facts(self.story, columns=2 if roomy else 1),
        ]
        parts += [Text(), _decision(self.story.rulings[-1])] if self.story.rulings else []
        parts += [Text(f"alarm     {told(alarm)}", style="bold red") for alarm in self.story.alarms[-1:]]
        if roomy and tall:
            parts += [
                Text(),
                *(Text(line, style="dim", no_wrap=True, overflow="ellipsis") for line in _WORDS),
            ]
        if not self.story.stopped:
            hint = f"Ctrl-C stops and keeps everything; more: {command('inspect', Path(self.title))}"
            parts += [Text(), Text(self.notice or hint, style="yellow" if self.notice else "dim")]
        return Group(*parts)


def _headline(story: Story, title: str, worked: float, *, roomy: bool) -> RenderableType:
    names, generation = Text("autotelic", style="bold"), Text()
    names.append(f"  {title}", style="not bold dim")
    if story.run:
        names.append(f"  {story.run.model}, seed {story.run.seed}", style="not bold dim")
    if story.generations:
        generation.append(f"generation {story.generations[-1].number}")
        generation.append("  bootstrap" if story.generations[-1].bootstrap else "", style="dim")
    # Where there is no room for both, the number is what changes.
    parts = [names, generation] if roomy else [generation, names]
    line = Text("   ", no_wrap=True, overflow="ellipsis").join(part for part in parts if part)
    if story.run is None:
        return line
    budget = Text(no_wrap=True, overflow="ellipsis")
    share = story.spent(worked)
    budget.append(f"{clock(worked):>7}  {percent(share):>5}  ")
    budget.append(bar(share, 24 if roomy else 12), style="cyan")
    if share and 0.01 < share < 1 and not story.stopped:
        budget.append(f"  about {clock(worked / share - worked)} left", style="dim")
    return Group(line, budget)


def _spent(story: Story, worked: float) -> list[Text]:
    """What still comes when the budget is spent: a generation is never cut."""
    if story.run is None or story.stopped or (story.spent(worked) or 0.0) < 1:
        return []
    number = story.generations[-1].number + 1 if story.generations else 1
    what = f"finishing generation {number}, then " if story.unfinished is not None else ""
    line = Text("budget    ", style="dim", no_wrap=True, overflow="ellipsis")
    return [line.append(f"spent: {what}the last decision and exam", style="not dim")]


def _attempt(latest: Latest | None) -> list[Text]:
    """The last task, answer and verdict: what the numbers are numbers of."""
    if latest is None:
        return []
    colour = {True: "green", False: "red", None: "cyan"}[latest.passed]
    task = Text("task      ", style="dim", no_wrap=True, overflow="ellipsis")
    task.append(f"{latest.cell} by {latest.author}: ", style="not dim").append(latest.asked, style="not dim")
    answer = Text("answer    ", style="dim", no_wrap=True, overflow="ellipsis")
    answer.append(latest.outcome, style=f"not dim {colour}").append("  " + latest.answer, style="not dim")
    return [Text(), task, answer]


def exam_grid(story: Story, *, trends: bool = True) -> RenderableType:
    """The sealed exam by mode and level: where it stands, and with `trends` a bar for each evaluation so far."""
    found, measures = story.evaluations_of("sealed"), story.measures
    if not found:
        return Text("sealed exam: not evaluated yet", style="dim")
    last = found[-1]
    levels = sorted({cell.level for cell in last.cells})
    grid = Table(box=None, padding=(0, 2 if trends else 1, 0, 0), pad_edge=False)
    grid.add_column(Text("sealed exam", style="bold"), no_wrap=True, min_width=4)
    for level in levels:
        heading = f"level {level}" if trends else str(level)
        grid.add_column(Text(heading, style="dim"), justify="right", no_wrap=True)
    grid.add_column(Text("mean", style="dim"), justify="right", no_wrap=True)
    for mode in [m for m in story.modes if any(c.mode == m for c in last.cells)]:
        row = [_trend(found, Cell(mode=mode, level=level), 8 if trends else 0) for level in levels]
        grid.add_row(mode, *row, Text(percent(last.mean(mode)), style="bold"))
    whole = Text(no_wrap=True, overflow="ellipsis")
    whole.append(interval(last.pass_at_1), style="bold green")
    whole.append(f" now, {interval(found[0].pass_at_1)} before" if len(found) > 1 else " before learning")
    if last.pass_at_8:
        whole.append(f"   {measures.best} {percent(last.pass_at_8.value)}", style="dim")
    if last.best_of_8:
        whole.append(f"   {measures.chosen} by critic {percent(last.best_of_8.value)}", style="dim")
    if own := story.evaluations_of("own"):
        whole.append(f"   own exam {interval(own[-1].pass_at_1)}", style="dim")
    return Group(grid, whole)


def _trend(found: list[Evaluation], cell: Cell, bars: int) -> Text:
    values = [e.cells[cell].value for e in found if cell in e.cells]
    if not values:
        return Text(MISSING, style="dim")
    trend = Text(sparkline(values, min(bars, len(found))), style="cyan")
    return trend.append(f" {percent(values[-1]):>5}" if bars else percent(values[-1]), style="default")


def _facts(story: Story, columns: int) -> RenderableType:
    """Labels and values of the last generation, side by side or below each other."""
    if not story.generations:
        return Text("no generation yet", style="dim")
    last = story.generations[-1]
    learned, critic = last.learned, last.calibration
    skipped = learned.skipped if learned else 0
    facts = [
        *_proposer(story),
        ("actor's tasks", f"{percent(last.actor_task_share)} of training"),
        (
            "critic",
            f"AUROC {decimal(critic.auroc if critic else None)}  ECE {decimal(critic.ece if critic else None, 3)}",
        ),
        ("groups", f"{count(last.kept)} kept, {count(last.flat)} flat"),
        ("decode", f"{count(last.decode_speed)} tokens/s"),
        ("train", f"{count(last.train_speed)} tokens/s, {count(story.tokens)} total"),
        ("loss", f"{decimal(learned.loss)}  entropy {decimal(learned.entropy)}" if learned else MISSING),
        ("KL", f"{decimal(learned.kl, 3)}  clipped {percent(learned.clipped, 1)}" if learned else MISSING),
        ("generation", f"{clock(last.seconds)}" + (f", {skipped} updates skipped" if skipped else "")),
    ]
    rows = len(facts) // columns
    table = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(columns):
        table.add_column(style="dim", no_wrap=True, min_width=10)
        table.add_column(no_wrap=True, overflow="ellipsis")
    for row in range(rows):
        table.add_row(*(text for column in range(columns) for text in facts[row + column * rows]))
    return table


def _proposer(story: Story) -> list[tuple[str, str]]:
    last = story.generations[-1].proposals
    if not last.asked and story.run is not None:
        until = story.run.charter["curriculum"]["bootstrap_generations"]
        return [("tasks", "written by the rules"), ("", f"until generation {until}")]
    return [
        ("proposer", f"{percent(last.valid_share)} valid"),
        ("", f"{percent(last.novel_share)} of those novel"),
    ]


def _decision(ruling: Ruling) -> Text:
    line = Text("decision  ", style="dim", no_wrap=True, overflow="ellipsis")
    good = ruling.verdict == "promote"
    line.append("promote, certified" if good else ruling.verdict, f"not dim {'green' if good else 'yellow'}")
    return line.append(f" at generation {ruling.generation}: {'; '.join(ruling.reasons)}", style="not dim")


def _stage(story: Story, in_stage: float, silent: float) -> Text:
    line = Text(no_wrap=True, overflow="ellipsis")
    if story.stopped:
        return line.append(f"stopped: {story.stopped}", style="bold")
    line.append("stage     ", style="dim").append(story.stage or "start", style="bold")
    line.append(f"  {clock(in_stage)}")
    if silent > SILENCE or story.run is None:
        line.append(f"  waits for {_WAITS_FOR.get(story.stage, 'its work to finish')}", style="yellow")
    return line


class PlainLog:
    """One line a message that matters, for a pipe or a log file."""

    def __init__(self, console: Console, title: str) -> None:
        self.story = Story()
        self.title = title
        self._console = console

    def __call__(self, message: Message) -> None:
        try:
            self.story.add(message)
            line = self._line(message)
        except Exception as error:
            line = f"the log cannot read message {message.kind}: {error!r}; the run goes on"
        if line:
            # Soft wrap: a log line is one line, whatever the width of a terminal that is not there.
            self._console.print(line, soft_wrap=True, markup=False, highlight=False)

    def say(self, notice: str) -> None:
        # Called from a signal handler, maybe in the middle of a line that is being written: Python refuses
        # to write within a write, and then the line that comes next has to do.
        with suppress(RuntimeError):
            self._console.print(notice, soft_wrap=True, markup=False, highlight=False)

    def _line(self, message: Message) -> str:
        match message:
            case RunStarted():
                return f"start       {self.title}, {message.model}, seed {message.seed}, sandbox {message.sandbox}"
            case RunResumed(from_generation=generation):
                return f"resume      from generation {generation}"
            case Evaluated() if message.report.exam != POOL:
                return self._evaluation(self.story.evaluations[-1])
            case GenerationEnded():
                return self._generation()
            case Decided(decision=decision) if decision.verdict != "promote":
                return f"decision    {decision.verdict}: {'; '.join(decision.reasons)}"
            case Dropped():
                return f"dropped     {message.n} {message.what}: {message.why}"
            case Alarmed():
                return f"alarm       {told(message)}"
            case SourceCut():
                return f"cut         {message.source} from update {message.step} on: {message.why}"
            case RunStopped(reason=reason):
                why = f": {message.why}" if message.why else ""
                return f"stop        {reason} after {clock(self.story.seconds)}{why}"
            case Leased(level=level) if level or message.epoch == 1:
                return f"oversight   {self.story.oversight}"
        return ""

    def _evaluation(self, found: Evaluation) -> str:
        modes = ", ".join(f"{mode} {percent(found.mean(mode))}" for mode in self.story.modes)
        return f"exam        {found.exam}, {found.when}: {interval(found.pass_at_1, 1)}; {modes}"

    def _generation(self) -> str:
        last, made = self.story.generations[-1], self.story.generations[-1].proposals
        proposer = f"valid {percent(made.valid_share)}, novel {percent(made.novel_share)}"
        facts = (
            f"loss {decimal(last.learned.loss if last.learned else None)}",
            proposer if made.valid else "tasks from the rules",
            f"actor's tasks {percent(last.actor_task_share)}",
            f"AUROC {decimal(last.calibration.auroc if last.calibration else None)}",
            f"train {count(last.train_speed)}/s",
            f"decode {count(last.decode_speed)}/s",
        )
        return f"generation  {last.number:>4}  {clock(last.ended):>8}  " + ", ".join(facts)
