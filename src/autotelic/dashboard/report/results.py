"""The first half of the report: what the run was for, what it started from, and what the exams say."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from autotelic.dashboard import palette
from autotelic.dashboard.card import origin, scale
from autotelic.dashboard.report.charts import Axis, Line, line_chart
from autotelic.dashboard.report.markup import beside, card, para, safe, section, table, titled
from autotelic.dashboard.story import Evaluation, Story
from autotelic.dashboard.wording import clock, count, interval, percent, short
from autotelic.types import Cell, Score

SHARE = Axis(label="share", words=percent, low=0.0, high=1.0)
_SECONDS = Axis(
    label="time worked", words=lambda s: _minutes(s), low=0.0, base=60, step_of=(1, 2, 5, 10, 15, 30)
)
_TOKENS = Axis(label="tokens trained", words=count, low=0.0)
At = Callable[[Evaluation], float]


def head(story: Story, name: str) -> str:
    """The name, the purpose in the human's words, and what was run."""
    run = story.run
    if run is None:
        return f"<h1>{safe(name)}</h1>" + para("The run has not started yet.", style="purpose")
    facts = {
        "model": run.model,
        "seed": run.seed,
        "worked": clock(story.seconds),
        "tokens trained": count(story.tokens),
        "generations": len(story.generations),
        "ended by": story.stopped or "nothing yet",
        "resumed": f"{story.resumes} times" if story.resumes else "",
        "sandbox": run.sandbox,
        "threads": run.machine["threads"],
        "machine": run.platform,
        "charter": short(run.digest),
        "run": short(run.run),
        "autotelic": f"{run.version} {run.commit[:7]}".strip(),
        **{name: value for name, value in run.controls.items() if value},
    }
    chips = [f"<span>{safe(key)} <b>{safe(fact)}</b></span>" for key, fact in facts.items() if fact != ""]
    return (
        f"<h1>{safe(name)}</h1>"
        + para(safe(run.charter["purpose"]), style="purpose")
        + f'<div class="chips">{"".join(chips)}</div>'
        + para(origin(run, lambda name: f"<code>{safe(name)}</code>"), style="origin")
    )


def headline(story: Story) -> str:
    """The sealed exam before and now, with what stands beside it."""
    before, last, measures = story.before, story.after or story.before, story.measures
    if before is None or last is None:
        return section("Result", para("The sealed exam has not been evaluated yet.", style="quiet"))
    when = "" if last.when != "during" else f", in generation {last.generation}"
    ranges = f"95 % interval {_range(before.pass_at_1)} before"
    ranges += f", {_range(last.pass_at_1)} now" if last is not before else ""
    change = _change(before, last, before.pass_at_1, last.pass_at_1)
    cards = [card(f"sealed exam, {measures.one}{when}", change, ranges)]
    if last.pass_at_8:
        one = f"; one sample {percent(last.sampled_at_1.value, 1)}" if last.sampled_at_1 else ""
        shown = _change(before, last, before.pass_at_8, last.pass_at_8)
        cards.append(card(f"sealed exam, {measures.best}", shown, f"{measures.means}{one}"))
    if last.best_of_8:
        note = f"the one of 8 samples that the critic ranks first; interval {_range(last.best_of_8)}"
        cards.append(card(f"{measures.chosen} by the critic", percent(last.best_of_8.value, 1), note))
    if own := story.evaluations_of("own"):
        score = own[-1].pass_at_1
        note = f"{score.n} items that the model set itself; interval {_range(score)}"
        cards.append(card(f"its own exam, {measures.one}", percent(score.value, 1), note))
    return section("Result", f'<div class="cards">{"".join(cards)}</div>', _sealed(story), _own(story))


def curves(story: Story) -> str:
    """The sealed exam during the run: the mean, then each mode by level; over time or over tokens."""
    found = story.evaluations_of("sealed")
    if len(found) < 2:
        return ""
    over_seconds = _pictures(story, found, _SECONDS, lambda e: e.seconds)
    over_tokens = _pictures(story, found, _TOKENS, lambda e: float(e.tokens))
    return section(
        "Learning curves",
        para(
            "The sealed exam during the run; it is never trained on. The band is the 95 % interval.",
            style="quiet",
        ),
        '<div class="toggle">'
        '<input type="radio" name="over" id="over-seconds" checked>'
        '<label for="over-seconds">over time</label>'
        '<input type="radio" name="over" id="over-tokens"><label for="over-tokens">over tokens</label>'
        f'<div class="over-seconds">{over_seconds}</div><div class="over-tokens">{over_tokens}</div></div>',
    )


def cells(story: Story) -> str:
    """The sealed exam by mode and level as a table."""
    before, last = story.before, story.after or story.before
    if last is None or not last.cells:
        return ""
    levels = sorted({c.level for c in last.cells})
    rows = [
        [mode, *(_cell(before, last, Cell(mode=mode, level=n)) for n in levels), percent(last.mean(mode))]
        for mode in _examined(story, [last])
    ]
    return section(
        "By mode and level",
        para(
            f"Greedy answers to the sealed exam, {story.measures.one}: before learning (small), and now.",
            style="quiet",
        ),
        table(
            ["", *(f"level {level}" for level in levels), "mean"], [[safe(row[0]), *row[1:]] for row in rows]
        ),
    )


def _sealed(story: Story) -> str:
    exam = story.exam("sealed")
    if exam is None:
        return ""
    free = exam.refused.get("free", 0)
    missing = sum(exam.missing.values())
    return para(
        scale(story),
        f"The sealed exam has {exam.items} items, drawn before learning began. Their hash",
        f"<code>{safe(short(exam.digest))}</code> was recorded before the first update, and training refuses",
        "any task that behaves like one of them.",
        f"{free} items that a random answer passes too often were left out." if free else "",
        f"It is {missing} items short of what the charter asks for." if missing else "",
        style="quiet",
    )


def _own(story: Story) -> str:
    exam = story.exam("own")
    if exam is None:
        return ""
    refused = ", ".join(f"{n} {safe(reason)}" for reason, n in exam.refused.items())
    return para(
        f"Its own exam was frozen with {exam.items} items that it proposed.",
        f"Others were refused: {refused}." if refused else "",
        "It says how well the model does at what it finds hard; only the sealed exam can be compared.",
        style="quiet",
    )


def _pictures(story: Story, found: Sequence[Evaluation], axis: Axis, at: At) -> str:
    def line(name: str, hue: int, scores: Sequence[Score | None], *, main: bool = False) -> Line:
        known = [(at(s), score) for s, score in zip(found, scores, strict=True) if score]
        return Line(
            name=name,
            colour=f"var(--hue-{hue})",
            points=[(x, score.value) for x, score in known],
            band=[(x, score.low, score.high) for x, score in known] if main else (),
            joined=main,
        )

    measures = story.measures
    lines = [
        line(measures.one, 0, [s.pass_at_1 for s in found], main=True),
        line(measures.best, 8, [s.pass_at_8 for s in found]),
        line(measures.chosen, 1, [s.best_of_8 for s in found]),
    ]
    whole = line_chart(lines, axis, SHARE, width=1020, height=300, margin=130)
    modes = [_by_level(mode, found, axis, at) for mode in _examined(story, found)]
    return whole + beside(*modes)


def _by_level(mode: str, found: Sequence[Evaluation], axis: Axis, at: At) -> str:
    levels = sorted({c.level for s in found for c in s.cells if c.mode == mode})
    lines = []
    for place, level in enumerate(levels):
        cell, shade = Cell(mode=mode, level=level), palette.shade_index(place, len(levels))
        points = [(at(s), s.cells[cell].value) for s in found if cell in s.cells]
        lines.append(Line(name=f"level {level}", colour=f"var(--shade-{shade})", points=points))
    chart = line_chart(lines, axis, SHARE, width=400, height=230, margin=98)
    return titled(safe(mode), chart)


def _cell(before: Evaluation | None, last: Evaluation, cell: Cell) -> str:
    if cell not in last.cells:
        return "<td></td>"
    score = last.cells[cell]
    was = before.cells[cell] if before and before is not last and cell in before.cells else None
    small = f"<small>{percent(was.value)}</small> " if was else ""
    tint = f"tint-{round(palette.TINTS * score.value)}"
    about = f"{interval(score)} of {score.n} items"
    return f'<td class="cell {tint}" title="{about}">{small}{percent(score.value)}</td>'


def _examined(story: Story, found: Sequence[Evaluation]) -> list[str]:
    met = {c.mode for s in found for c in s.cells}
    return [mode for mode in story.modes if mode in met]


def _change(before: Evaluation, last: Evaluation, was: Score | None, now: Score) -> str:
    if last is before or was is None:
        return percent(now.value, 1)
    return f"<small>{percent(was.value, 1)}</small> → {percent(now.value, 1)}"


def _range(score: Score) -> str:
    return f"{100 * score.low:.1f}–{100 * score.high:.1f}&nbsp;%"


def _minutes(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
