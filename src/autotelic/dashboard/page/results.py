"""What the run was for, what it started from, and what its exams say: parts of the page and of the report."""

from __future__ import annotations

from autotelic.dashboard import palette
from autotelic.dashboard.card import origin, scale
from autotelic.dashboard.markup import card, para, safe, section, table
from autotelic.dashboard.page.plots import examined, plot_of, plots_beside
from autotelic.dashboard.page.runs import RunView
from autotelic.dashboard.story import Evaluation, Story
from autotelic.dashboard.wording import clock, count, interval, percent, short
from autotelic.types import Cell, Score

_FEW = 30
"""Items below which a score's interval is said to be wide: half of it is then over 15 points at a half."""


def about(run: RunView) -> str:
    """The purpose in the human's words, and what was run."""
    story = run.story
    started = story.run
    if started is None:
        return para("The run has not started yet.", style="purpose")
    facts = {
        "model": started.model,
        "seed": started.seed,
        "worked": clock(story.seconds),
        "tokens trained": count(story.tokens),
        "generations": len(story.generations),
        "ended by": story.stopped or "nothing yet",
        "resumed": f"{story.resumes} times" if story.resumes else "",
        "sandbox": started.sandbox,
        "threads": started.machine["threads"],
        "machine": started.platform,
        "charter": short(started.digest),
        "run": short(started.run),
        "autotelic": f"{started.version} {started.commit[:7]}".strip(),
        **{name: value for name, value in started.controls.items() if value},
    }
    chips = [f"<span>{safe(key)} <b>{safe(fact)}</b></span>" for key, fact in facts.items() if fact != ""]
    return (
        para(safe(started.charter["purpose"]), style="purpose")
        + f'<div class="chips">{"".join(chips)}</div>'
        + para(origin(started, lambda name: f"<code>{safe(name)}</code>"), style="origin")
    )


def result(run: RunView) -> str:
    """The sealed exam before and now, with what stands beside it."""
    story = run.story
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
    return section(
        "Result",
        f'<div class="cards">{"".join(cards)}</div>',
        _sealed(story),
        _sampling(story, last),
        _own(story),
    )


def _sampling(story: Story, last: Evaluation) -> str:
    """How the scores of samples and of greedy answers stand to each other."""
    if not last.pass_at_8:
        return ""
    one, best = story.measures.one, story.measures.best
    lower = last.pass_at_8.value < last.pass_at_1.value
    return para(
        f"{one} is of greedy answers, {best} of samples at the temperature of the charter. Samples vary more,",
        f"so {best} can be below {one}{', as it is here' if lower else ''}.",
        style="quiet",
    )


def curves(run: RunView) -> str:
    """The exams during the run: the means, then each mode by level; over time or over tokens."""
    story = run.story
    if len(story.evaluations_of("sealed")) < 2:
        return ""
    modes = examined(story)
    over_seconds = plot_of(run, "sealed-time", broad=1020)
    over_seconds += plots_beside(run, [f"levels-time-{mode}" for mode in modes])
    over_tokens = plot_of(run, "sealed", broad=1020)
    over_tokens += plots_beside(run, [f"levels-{mode}" for mode in modes])
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


def cells(run: RunView) -> str:
    """The sealed exam by mode and level as a table."""
    story = run.story
    before, last = story.before, story.after or story.before
    if last is None or not last.cells:
        return ""
    levels = sorted({c.level for c in last.cells})
    rows = [
        [mode, *(_cell(before, last, Cell(mode=mode, level=n)) for n in levels), percent(last.mean(mode))]
        for mode in examined(story)
    ]
    return section(
        "By mode and level",
        para(
            f"Greedy answers to the sealed exam, {story.measures.one}: before learning (small), and now.",
            style="quiet",
        ),
        table(
            ["mode", *(f"level {level}" for level in levels), "mean"],
            [[safe(row[0]), *row[1:]] for row in rows],
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
        "So few items leave a wide interval: read it as a hint." if exam.items < _FEW else "",
        f"Others were refused: {refused}." if refused else "",
        "It says how well the model does at what it finds hard; only the sealed exam can be compared.",
        style="quiet",
    )


def _cell(before: Evaluation | None, last: Evaluation, cell: Cell) -> str:
    if cell not in last.cells:
        return "<td></td>"
    score = last.cells[cell]
    was = before.cells[cell] if before and before is not last and cell in before.cells else None
    small = f"<small>{percent(was.value)}</small> " if was else ""
    tint = f"tint-{round(palette.TINTS * score.value)}"
    about = f"{interval(score)} of {score.n} items"
    return f'<td class="cell {tint}" title="{about}">{small}{percent(score.value)}</td>'


def _change(before: Evaluation, last: Evaluation, was: Score | None, now: Score) -> str:
    if last is before or was is None:
        return percent(now.value, 1)
    return f"<small>{percent(was.value, 1)}</small> → {percent(now.value, 1)}"


def _range(score: Score) -> str:
    return f"{100 * score.low:.1f}–{100 * score.high:.1f}&nbsp;%"
