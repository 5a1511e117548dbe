"""The first half of the report: what the run was for, what it started from, and what the exams say."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from autotelic.dashboard import palette
from autotelic.dashboard.report.charts import Axis, Line, line_chart
from autotelic.dashboard.report.markup import beside, card, para, safe, section, table, titled
from autotelic.dashboard.story import Sitting, Story
from autotelic.dashboard.wording import clock, count, interval, percent
from autotelic.types import Cell, Score

SHARE = Axis(label="share", words=percent, low=0.0, high=1.0)
_SECONDS = Axis(
    label="time worked", words=lambda s: _minutes(s), low=0.0, base=60, step_of=(1, 2, 5, 10, 15, 30)
)
_TOKENS = Axis(label="tokens trained", words=count, low=0.0)
_TASKS = {
    "deduction": "given a program and its input, say what it returns",
    "abduction": "given a program and what it returned, find an input that gives it",
    "induction": "given pairs of input and output, write the program",
    "repair": "given a program that failed and what its tests printed, write a better one",
}
At = Callable[[Sitting], float]


def head(story: Story, name: str) -> str:
    """The name, the purpose in the human's words, and what was run."""
    start = story.start
    facts = {
        "model": start.get("model"),
        "seed": start.get("seed"),
        "worked": clock(story.seconds),
        "tokens trained": count(story.tokens),
        "generations": len(story.generations),
        "ended by": story.stopped or "nothing yet",
        "resumed": f"{story.resumes} times" if story.resumes else None,
        "sandbox": start.get("sandbox_level"),
        "threads": start.get("threads"),
        "machine": start.get("machine"),
        "charter": str(start.get("digest", "")).removeprefix("sha256:")[:12],
    }
    chips = [
        f"<span>{key} <b>{safe(fact)}</b></span>" for key, fact in facts.items() if fact not in (None, "")
    ]
    return (
        f"<h1>{safe(name)}</h1>"
        + para(safe(story.charter.get("purpose", "")), style="purpose")
        + f'<div class="chips">{"".join(chips)}</div>'
        + para(_origin(story), style="origin")
    )


def headline(story: Story) -> str:
    """The sealed exam before and now, with what stands beside it."""
    before, last = story.before, story.after or story.before
    if before is None or last is None:
        return section("Result", para("The sealed exam has not been sat yet.", style="quiet"))
    when = "" if last.when != "during" else f", at generation {last.generation}"
    ranges = f"95 % interval {_range(before.pass_at_1)} before"
    ranges += f", {_range(last.pass_at_1)} now" if last is not before else ""
    cards = [
        card(f"sealed exam, pass@1{when}", _change(before, last, before.pass_at_1, last.pass_at_1), ranges)
    ]
    if last.pass_at_8:
        one = f"; one sample {percent(last.sampled_at_1.value, 1)}" if last.sampled_at_1 else ""
        shown = _change(before, last, before.pass_at_8, last.pass_at_8)
        cards.append(card("sealed exam, pass@8", shown, f"any of 8 samples right{one}"))
    if last.best_of_8:
        note = f"the one of 8 samples that the critic ranks first; interval {_range(last.best_of_8)}"
        cards.append(card("best of 8 by the critic", percent(last.best_of_8.value, 1), note))
    if own := story.sat("own"):
        score = own[-1].pass_at_1
        note = f"{score.n} items that the model set itself; interval {_range(score)}"
        cards.append(card("its own exam, pass@1", percent(score.value, 1), note))
    return section("Result", f'<div class="cards">{"".join(cards)}</div>', _sealed(story, last), _own(story))


def curves(story: Story) -> str:
    """The sealed exam during the run: the mean, then each mode by level; over time or over tokens."""
    sittings = story.sat("sealed")
    if len(sittings) < 2:
        return ""
    over_seconds = _pictures(story, sittings, _SECONDS, lambda s: s.seconds)
    over_tokens = _pictures(story, sittings, _TOKENS, lambda s: float(s.tokens))
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
            "Greedy answers to the sealed exam: before learning (small), and now.",
            "A task of level k composes k operations.",
            style="quiet",
        ),
        table(
            ["", *(f"level {level}" for level in levels), "mean"], [[safe(row[0]), *row[1:]] for row in rows]
        ),
    )


def _origin(story: Story) -> str:
    """What the model knew before the run, in a sentence."""
    model = story.charter.get("model", {})
    if model.get("from"):
        return f"It went on from the weights in <code>{safe(model['from'])}</code>."
    if model.get("name", story.start.get("model")) == "tiny":
        return (
            "It started from random weights and a tokenizer trained on text from the rules: it knew the "
            "grammar of the rules and nothing else. No text, program or solution made by people was used."
        )
    return f"It started from the pretrained weights of <code>{safe(model.get('name', 'unknown'))}</code>."


def _sealed(story: Story, last: Sitting) -> str:
    digest = str(story.sealed.get("digest", "")).removeprefix("sha256:")[:12]
    free = story.sealed.get("dropped_free")
    return para(
        f"The sealed exam has {last.pass_at_1.n} items, drawn before learning began. Their hash",
        f"<code>{safe(digest)}</code> was recorded before the first update, and any task that behaves like",
        "one of them is refused by training.",
        f"{free} items that a random answer passes too often were left out." if free else "",
        style="quiet",
    )


def _own(story: Story) -> str:
    if not story.own:
        return ""
    refused = ", ".join(f"{n} {safe(reason)}" for reason, n in story.own.get("refused", {}).items())
    return para(
        f"Its own exam was frozen with {safe(story.own.get('admitted', 'its'))} items that it proposed.",
        f"Others were refused: {refused}." if refused else "",
        "It says how well the model does at what it finds hard; only the sealed exam can be compared.",
        style="quiet",
    )


def _pictures(story: Story, sittings: Sequence[Sitting], axis: Axis, at: At) -> str:
    def line(name: str, hue: int, scores: Sequence[Score | None], *, main: bool = False) -> Line:
        known = [(at(s), score) for s, score in zip(sittings, scores, strict=True) if score]
        return Line(
            name=name,
            colour=f"var(--hue-{hue})",
            points=[(x, score.value) for x, score in known],
            band=[(x, score.low, score.high) for x, score in known] if main else (),
            dashed=not main,
        )

    lines = [
        line("pass@1", 0, [s.pass_at_1 for s in sittings], main=True),
        line("pass@8", 8, [s.pass_at_8 for s in sittings]),
        line("best of 8", 1, [s.best_of_8 for s in sittings]),
    ]
    whole = line_chart(lines, axis, SHARE, width=1020, height=300, margin=130)
    modes = [_by_level(mode, sittings, axis, at) for mode in _examined(story, sittings)]
    return whole + beside(*modes)


def _by_level(mode: str, sittings: Sequence[Sitting], axis: Axis, at: At) -> str:
    levels = sorted({c.level for s in sittings for c in s.cells if c.mode == mode})
    lines = []
    for place, level in enumerate(levels):
        cell, shade = Cell(mode=mode, level=level), palette.shade_index(place, len(levels))
        points = [(at(s), s.cells[cell].value) for s in sittings if cell in s.cells]
        lines.append(Line(name=f"level {level}", colour=f"var(--shade-{shade})", points=points))
    chart = line_chart(lines, axis, SHARE, width=400, height=230, margin=98)
    return titled(safe(mode), para(_TASKS.get(mode, ""), style="quiet"), chart)


def _cell(before: Sitting | None, last: Sitting, cell: Cell) -> str:
    score = last.cells.get(cell)
    if score is None:
        return "<td></td>"
    was = before.cells.get(cell) if before and before is not last else None
    small = f"<small>{percent(was.value)}</small> " if was else ""
    tint = f"background: color-mix(in srgb, var(--hue-0) {55 * score.value:.0f}%, var(--card))"
    about = f"{interval(score)} of {score.n} items"
    return f'<td class="cell" style="{tint}" title="{about}">{small}{percent(score.value)}</td>'


def _examined(story: Story, sittings: Sequence[Sitting]) -> list[str]:
    met = {c.mode for s in sittings for c in s.cells}
    return [mode for mode in story.modes if mode in met]


def _change(before: Sitting, last: Sitting, was: Score | None, now: Score) -> str:
    if last is before or was is None:
        return percent(now.value, 1)
    return f"<small>{percent(was.value, 1)}</small> → {percent(now.value, 1)}"


def _range(score: Score) -> str:
    return f"{100 * score.low:.1f}–{100 * score.high:.1f}&nbsp;%"


def _minutes(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
