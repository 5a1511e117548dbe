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
from typing import Protocol

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.live import Live
from rich.padding import Padding
from rich.segment import Segments
from rich.table import Table
from rich.text import Text

from autotelic.dashboard.story import Ruling, Sitting, Story, Told
from autotelic.dashboard.wording import MISSING, bar, clock, count, decimal, interval, percent, sparkline
from autotelic.types import Cell

SILENCE = 10.0
"""Seconds after which a stage that has said nothing says what it waits for."""
_WIDEST = 104
_ROOMY = 68
_WAITS_FOR = {
    "start": "torch and the model to load",
    "tokenizer": "a tokenizer trained on text from the rules",
    "exam": "the sealed exam to be drawn",
    "propose": "the actor to write tasks",
    "admit": "the sandbox to run what was proposed",
    "attempt": "the actor to write its answers",
    "judge": "the sandbox to run the answers",
    "critic": "the critic to learn from the verdicts",
    "pack": "sequences to be packed into rows",
    "learn": "the updates of the actor",
    "examine": "the answers to an exam",
    "record": "the disk",
}


class View(Protocol):
    """Something that shows a run as it goes."""

    def __call__(self, event: Told) -> None:
        """Show one event."""

    def say(self, notice: str) -> None:
        """Show a line that is about the run, but no event of it."""


@contextmanager
def watching(console: Console, title: str, told: Iterable[Told] = ()) -> Iterator[View]:
    """A callback for the loop that shows each event; `told` is what a resumed run has already recorded."""
    if not console.is_terminal or console.is_dumb_terminal:
        log = PlainLog(console, title)
        for event in told:
            log.story.add(event)
        yield log
        return
    view = LiveView(title)
    for event in told:
        view(event)
    with Live(get_renderable=view.render, console=console, refresh_per_second=4, redirect_stdout=False):
        yield view


class LiveView:
    """Keeps the story and draws it. `clock` is a monotonic time in seconds."""

    def __init__(self, title: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.story = Story()
        self.title = title
        self.notice = ""
        self._clock = clock
        self._begun = self._heard = self._counted = clock()
        self._failure = ""

    def __call__(self, event: Told) -> None:
        try:
            stage = self.story.stage.get("name")
            self.story.add(event)
        except Exception as error:
            self._failure = f"the view cannot read event {event.kind}: {error!r}; the run goes on"
            return
        self._heard = self._clock()
        if event.kind in ("generation", "exam", "run.start", "run.resume"):
            self._counted = self._heard
        if self.story.stage.get("name") != stage:
            self._begun = self._heard

    def say(self, notice: str) -> None:
        self.notice = notice

    def render(self) -> RenderableType:
        """The screen as it is now; called from the thread that refreshes the terminal."""
        if self._failure:
            return Text(self._failure, style="yellow")
        now = self._clock()
        worked = self.story.seconds + (
            now - self._counted if self.story.started and not self.story.stopped else 0
        )
        return Screen(
            story=self.story,
            title=self.title,
            worked=worked,
            in_stage=now - self._begun,
            silent=now - self._heard,
            notice=self.notice,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """The whole screen, as wide as the console allows.

    `worked` is the seconds of the run, `in_stage` those in this stage, `silent` those since the last event.
    """

    story: Story
    title: str
    worked: float
    in_stage: float
    silent: float
    notice: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = max(1, min(options.max_width, _WIDEST) - 4)
        try:
            # Rendered here rather than handed on, so that what goes wrong is caught here.
            lines = list(console.render(self._body(roomy=width >= _ROOMY), options.update(width=width)))
        except Exception as error:
            yield Text(f"the view cannot be drawn: {error!r}; the run goes on", style="yellow")
            return
        yield Padding(Segments(lines), (1, 2, 0, 2))

    def _body(self, *, roomy: bool) -> RenderableType:
        parts = [
            _headline(self.story, self.title, self.worked),
            _stage(self.story, self.in_stage, self.silent),
            Text(),
            exam_grid(self.story, trends=roomy),
            Text(),
            _facts(self.story, columns=2 if roomy else 1),
        ]
        if self.story.rulings:
            parts += [Text(), _decision(self.story.rulings[-1])]
        if self.notice:
            parts += [Text(), Text(self.notice, style="yellow")]
        return Group(*parts)


def _headline(story: Story, title: str, worked: float) -> RenderableType:
    line = Text(no_wrap=True, overflow="ellipsis")
    line.append("autotelic", style="bold")
    line.append(f"  {title}", style="dim")
    if story.start:
        line.append(f"  {story.start.get('model', '')}, seed {story.start.get('seed', '')}", style="dim")
    if story.generations:
        line.append(f"   generation {story.generations[-1].number}")
        line.append("  bootstrap" if story.generations[-1].bootstrap else "", style="dim")
    budget = Text(no_wrap=True, overflow="ellipsis")
    share = story.spent(worked)
    budget.append(bar(share, 24), style="cyan")
    budget.append(f"  {percent(share)}  {clock(worked)}")
    if share and share > 0.01 and not story.stopped:
        budget.append(f"  about {clock(worked / share - worked)} left", style="dim")
    return Group(line, budget)


def exam_grid(story: Story, *, trends: bool = True) -> RenderableType:
    """The sealed exam by mode and level: where it stands, and with `trends` a bar for each sitting so far."""
    sittings = story.sat("sealed")
    if not sittings:
        return Text("sealed exam: not sat yet", style="dim")
    last = sittings[-1]
    levels = sorted({cell.level for cell in last.cells})
    grid = Table(box=None, padding=(0, 2 if trends else 1, 0, 0), pad_edge=False)
    grid.add_column(Text("sealed exam", style="bold"), no_wrap=True, min_width=4)
    for level in levels:
        heading = f"level {level}" if trends else str(level)
        grid.add_column(Text(heading, style="dim"), justify="right", no_wrap=True)
    grid.add_column(Text("mean", style="dim"), justify="right", no_wrap=True)
    for mode in [m for m in story.modes if any(c.mode == m for c in last.cells)]:
        row = [_trend(sittings, Cell(mode=mode, level=level), 8 if trends else 0) for level in levels]
        grid.add_row(mode, *row, Text(percent(last.mean(mode)), style="bold"))
    whole = Text(no_wrap=True, overflow="ellipsis")
    whole.append(interval(last.pass_at_1), style="bold green")
    whole.append(
        f" now, {interval(sittings[0].pass_at_1)} before" if len(sittings) > 1 else " before learning"
    )
    if last.pass_at_8:
        whole.append(f"   pass@8 {percent(last.pass_at_8.value)}", style="dim")
    if last.best_of_8:
        whole.append(f"   best of 8 by critic {percent(last.best_of_8.value)}", style="dim")
    if own := story.sat("own"):
        whole.append(f"   own exam {interval(own[-1].pass_at_1)}", style="dim")
    return Group(grid, whole)


def _trend(sittings: list[Sitting], cell: Cell, bars: int) -> Text:
    values = [s.cells[cell].value for s in sittings if cell in s.cells]
    if not values:
        return Text(MISSING, style="dim")
    trend = Text(sparkline(values, min(bars, len(sittings))), style="cyan")
    return trend.append(f" {percent(values[-1]):>5}" if bars else percent(values[-1]), style="default")


def _facts(story: Story, columns: int) -> RenderableType:
    """Labels and values of the last generation, side by side or below each other."""
    if not story.generations:
        return Text("no generation yet", style="dim")
    last = story.generations[-1]
    asked, valid = last.proposals.asked, last.proposals.valid
    skipped = last.learn.get("skipped")
    facts = [
        ("proposer", f"{percent(valid / asked if asked else None)} valid"),
        ("", f"{percent(last.proposals.novel / valid if valid else None)} of those novel"),
        ("actor's tasks", f"{percent(last.actor_task_share)} of training"),
        ("critic", f"AUROC {decimal(last.critic.get('auroc'))}  ECE {decimal(last.critic.get('ece'), 3)}"),
        ("groups", f"{count(last.groups_kept)} kept, {count(last.groups_dropped)} all alike"),
        ("decode", f"{count(last.decode_speed)} tokens/s"),
        ("train", f"{count(last.train_speed)} tokens/s, {count(story.tokens)} total"),
        ("loss", f"{decimal(last.learn.get('loss'))}  entropy {decimal(last.learn.get('entropy'))}"),
        ("KL", f"{decimal(last.learn.get('kl'), 3)}  clipped {percent(last.learn.get('clipped'), 1)}"),
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


def _decision(ruling: Ruling) -> Text:
    line = Text("decision  ", style="dim", no_wrap=True, overflow="ellipsis")
    line.append(ruling.verdict, style="not dim green" if ruling.verdict == "promote" else "not dim yellow")
    return line.append(f" at generation {ruling.generation}: {'; '.join(ruling.reasons)}", style="not dim")


def _stage(story: Story, in_stage: float, silent: float) -> Text:
    line = Text(no_wrap=True, overflow="ellipsis")
    if story.stopped:
        return line.append(f"stopped: {story.stopped}", style="bold")
    name = str(story.stage.get("name", "start"))
    line.append("stage     ", style="dim").append(name, style="bold").append(f"  {clock(in_stage)}")
    if (done := story.stage.get("done")) is not None and (of := story.stage.get("of")):
        line.append(f"  {count(done)} of {count(of)}", style="dim")
    if silent > SILENCE:
        waits_for = story.stage.get("waits_for") or _WAITS_FOR.get(name, "its work to finish")
        line.append(f"  waits for {waits_for}", style="yellow")
    return line


class PlainLog:
    """One line an event that matters, for a pipe or a log file."""

    def __init__(self, console: Console, title: str) -> None:
        self.story = Story()
        self.title = title
        self._console = console

    def __call__(self, event: Told) -> None:
        try:
            self.story.add(event)
            line = self._line(event)
        except Exception as error:
            line = f"the log cannot read event {event.kind}: {error!r}; the run goes on"
        if line:
            # Soft wrap: a log line is one line, whatever the width of a terminal that is not there.
            self._console.print(line, soft_wrap=True, markup=False, highlight=False)

    def say(self, notice: str) -> None:
        # Called from a signal handler, maybe in the middle of a line that is being written: Python refuses
        # to write within a write, and then the line that comes next has to do.
        with suppress(RuntimeError):
            self._console.print(notice, soft_wrap=True, markup=False, highlight=False)

    def _line(self, event: Told) -> str:
        story, data = self.story, event.data
        match event.kind:
            case "run.start":
                facts = (
                    self.title,
                    data.get("model"),
                    f"seed {data.get('seed')}",
                    f"sandbox {data.get('sandbox_level')}",
                )
                return "start       " + ", ".join(str(fact) for fact in facts)
            case "run.resume":
                return f"resume      from generation {data['from_generation']}"
            case "exam" if data.get("exam") != "gate":
                sitting = story.sittings[-1]
                modes = ", ".join(f"{mode} {percent(sitting.mean(mode))}" for mode in story.modes)
                return (
                    f"exam        {sitting.exam}, {sitting.when}: {interval(sitting.pass_at_1, 1)}; {modes}"
                )
            case "generation":
                return self._generation()
            case "decision" if data.get("verdict") != "promote":
                return f"decision    {data.get('verdict')}: {'; '.join(data.get('reasons', ()))}"
            case "dropped":
                return f"dropped     {data.get('n', 1)} {data.get('what')}: {data.get('why')}"
            case "run.stop":
                return f"stop        {data.get('reason')} after {clock(story.seconds)}"
        return ""

    def _generation(self) -> str:
        last = self.story.generations[-1]
        asked, valid = last.proposals.asked, last.proposals.valid
        proposer = (
            f"valid {percent(valid / asked)}, novel {percent(last.proposals.novel / valid)}" if valid else ""
        )
        facts = (
            f"loss {decimal(last.learn.get('loss'))}",
            proposer or "tasks from the rules",
            f"actor's tasks {percent(last.actor_task_share)}",
            f"AUROC {decimal(last.critic.get('auroc'))}",
            f"train {count(last.train_speed)}/s",
            f"decode {count(last.decode_speed)}/s",
        )
        return f"generation  {last.number:>4}  {clock(last.ended):>8}  " + ", ".join(facts)
