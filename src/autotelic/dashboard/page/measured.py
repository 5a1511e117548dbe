"""Views of what was measured: learning, critic, oversight, a kind of task, the charter, runs side by side."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from autotelic.charter import Charter
from autotelic.dashboard.charts import Axis, Line, line_chart
from autotelic.dashboard.compare import incomparable
from autotelic.dashboard.markup import folded, para, safe
from autotelic.dashboard.page import making, shell
from autotelic.dashboard.page.plots import PLOTS, SHARE
from autotelic.dashboard.page.runs import RunView
from autotelic.dashboard.wording import clock, count, decimal, percent, short
from autotelic.errors import RecordError
from autotelic.messages import Lesson, Probed
from autotelic.record import Journal
from autotelic.record.paging import updates_after
from autotelic.types import Cell

_UPDATES = 200
"""Updates that are listed: spread over the run, so that all of it is in sight."""
_UPDATES_EXPORTED = 100_000
_MEASURES = ("loss", "nll", "policy", "kl", "clipped", "entropy", "grad_norm", "tokens", "seconds", "skipped")


def learning(run: RunView) -> str:
    """Losses, shares of streams, entropy, KL; updates as rows; where the time went."""
    return (
        '<h1 class="hidden">Learning</h1>'
        + shell.guarded(
            "curves", lambda: making.learning(run) or para("Nothing was learned yet.", style="quiet")
        )
        + shell.guarded("streams", lambda: _streams(run))
        + shell.guarded("updates", lambda: _updates(run))
        + shell.guarded("time", lambda: making.time(run))
    )


def _streams(run: RunView) -> str:
    with run.journal() as journal:
        lesson = journal.latest(Lesson)
    if lesson is None:
        return ""
    rows = [
        [safe(name), percent(share, 1)] for name, share in sorted(lesson.shares.items(), key=lambda s: -s[1])
    ]
    kinds = [[safe(kind), str(n), count(lesson.tokens.get(kind, 0))] for kind, n in lesson.sequences.items()]
    return (
        f"<h2>What the last lesson was made of, in {shell.generation_link(run, lesson.generation)}</h2>"
        '<div class="columns"><div><h3>Share of the gradient by stream</h3>'
        + shell.listing(["stream", "share"], rows, "streams")
        + "</div><div><h3>Sequences by kind</h3>"
        + shell.listing(["kind", "sequences", "tokens"], kinds, "sequences by kind")
        + "</div></div>"
    )


def _updates(run: RunView) -> str:
    with run.journal() as journal:
        found = updates_after(journal, _UPDATES)
    rows = []
    for id_, generation, data in reversed(found):
        said = json.loads(data)
        report = said["report"]
        rows.append(
            [
                shell.message_link(run, id_, f"update {int(said['step'])}"),
                shell.generation_link(run, generation),
                *(decimal(_number(report.get(name)), 3) for name in _MEASURES[:7]),
                safe(report.get("skipped", "")),
            ]
        )
    head = ["update", "in", *_MEASURES[:7], "skipped"]
    return "<h2>Updates</h2>" + shell.listing(head, rows, "updates", f"{run.url}/updates.csv")


def update_rows(journal: Journal) -> tuple[list[str], list[list[Any]]]:
    """Updates as a table."""
    rows = []
    for id_, generation, data in updates_after(journal, _UPDATES_EXPORTED):
        said = json.loads(data)
        rows.append([said["step"], id_, generation, *(said["report"].get(name, "") for name in _MEASURES)])
    return ["step", "message", "generation", *_MEASURES], rows


def critic(run: RunView) -> str:
    """How well the critic ranks and how far it is off."""
    return (
        '<h1 class="hidden">Critic</h1>'
        + shell.guarded("critic", lambda: making.critic(run) or _no_critic())
        + para(
            "Single predictions are not in the journal unless they were a verdict, so that neither a reliability",
            "diagram nor a list of its worst cases can be drawn.",
            style="quiet",
        )
    )


def _no_critic() -> str:
    return "<h2>The critic</h2>" + para("The critic was not measured yet.", style="quiet")


def oversight(run: RunView) -> str:
    """What was decided and why, what the run runs in, and what was left out."""
    story = run.story
    started = story.run
    facts: Mapping[str, object] = {}
    if started is not None:
        facts = {
            "sandbox": started.sandbox,
            "charter": started.digest,
            "run": started.run,
            "began from": started.start,
            "autotelic": f"{started.version} {started.commit}",
            "platform": started.platform,
            **{f"control: {name}": value for name, value in started.controls.items()},
        }
    drops = [
        [str(d.n), safe(d.what), safe(d.why), shell.generation_link(run, d.generation)] for d in story.drops
    ]
    return (
        "<h1>Oversight</h1>"
        + para(
            "The page holds no key and signs nothing. Reviews that wait for a human and the ledger are not in the",
            "journal: <code>autotelic review</code>, <code>autotelic brake</code> and <code>autotelic",
            "ledger</code> show them.",
            style="quiet",
        )
        + shell.guarded(
            "decisions",
            lambda: (
                making.decisions(run)
                or para("Nothing was decided yet.", safe(story.oversight), style="quiet")
            ),
        )
        + shell.part(
            "facts",
            "<h2>What it runs in</h2>",
            shell.listing(
                ["what", "is"], [[safe(k), f"<code>{safe(v)}</code>"] for k, v in facts.items()], "facts"
            ),
        )
        + shell.guarded("probes", lambda: _probes(run))
        + shell.part(
            "drops",
            "<h2>What was left out</h2>",
            shell.listing(["n", "what", "why", "in"], drops[-400:][::-1], "what was left out")
            if drops
            else para("Nothing.", style="quiet"),
        )
    )


def _probes(run: RunView) -> str:
    with run.journal() as journal:
        found = [m for m in journal.each_message(kinds=(Probed.kind,)) if isinstance(m, Probed)][-100:]
    rows = [
        [shell.message_link(run, m.id), decimal(m.gap, 6), decimal(m.allowed, 6), str(m.tokens)]
        for m in found
    ]
    return "<h2>Sampler against learner</h2>" + shell.listing(
        ["probe", "largest gap", "allowed", "tokens"], rows, "probes"
    )


def cell(run: RunView, mode: str, level: str) -> str:
    """A kind of task: its success, share and expected gain over the generations."""
    if not level.isdecimal() or len(level) > 9:
        raise RecordError(f"level {level[:40]!r} is no number", "give cell/MODE/LEVEL as the tables link it")
    wanted = Cell(mode=mode, level=int(level))
    measured = [(float(g.number), g.cells[wanted]) for g in run.story.generations if wanted in g.cells]
    if not measured:
        raise RecordError(f"the run has no tasks of {wanted}", "the first screen lists what it practises")
    lines = [
        Line(name="success", colour="var(--hue-0)", points=[(x, s.p) for x, s in measured]),
        Line(name="share", colour="var(--hue-1)", points=[(x, s.share) for x, s in measured], dashed=True),
    ]
    generation = Axis(label="generation", words=lambda g: f"{g:.0f}", step_of=(1, 2, 5, 10))
    rows = [
        [shell.generation_link(run, int(x)), percent(s.p), percent(s.share), decimal(s.gain, 3)]
        for x, s in measured[::-1]
    ]
    tasks = shell.link(shell.with_query(f"{run.url}/tasks", {"mode": mode, "level": level}), "Its tasks")
    return (
        f"<h1>{safe(wanted)}</h1>"
        + para(f"{tasks}.")
        + shell.part(
            "curves",
            f'<div class="narrow">{line_chart(lines, generation, SHARE, width=340, height=220, margin=96)}</div>'
            f'<div class="broad">{line_chart(lines, generation, SHARE, width=760, height=280, margin=130)}</div>',
        )
        + shell.part(
            "rows", shell.listing(["in", "success", "share", "expected gain"], rows[:400], "generations")
        )
    )


def charter(run: RunView) -> str:
    """The charter: what differs from the defaults first, then all of it."""
    if run.story.run is None:
        return "<h1>Charter</h1>" + para("The run has not started yet.", style="quiet")
    return '<h1 class="hidden">Charter</h1>' + shell.part("charter", settings(run))


def settings(run: RunView) -> str:
    """All that a human decided; nothing before a run has begun."""
    started = run.story.run
    if started is None:
        return ""
    given, usual = _flat(started.charter), _flat(Charter().canonical())
    changed = {name: value for name, value in given.items() if usual.get(name) != value}
    rest = {name: value for name, value in given.items() if name not in changed}
    return (
        "<h2>The charter</h2>"
        + para(safe(started.charter["purpose"]))
        + para(f"Its digest is <code>{safe(started.digest)}</code>.", style="quiet")
        + "<h3>What differs from the defaults</h3>"
        + _settings(changed)
        + folded(f"The other {len(rest)} settings", _settings(rest))
        + folded("The same as a file", f"<pre>{safe(Charter.of(started.charter).toml())}</pre>")
    )


def _settings(values: Mapping[str, Any]) -> str:
    rows = [[f"<code>{safe(name)}</code>", safe(json.dumps(value))] for name, value in values.items()]
    return shell.listing(["setting", "value"], rows, "settings") if rows else para("Nothing.", style="quiet")


def _flat(values: Mapping[str, Any], head: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        found |= _flat(value, f"{head}{name}.") if isinstance(value, Mapping) else {f"{head}{name}": value}
    return found


def compared(runs: Sequence[RunView]) -> str:
    """Runs side by side. Scores stand in one picture only where the sealed exams are the same."""
    if not runs:
        return "<h1>Compare</h1>" + shell.alert("No run of this page was named; go to the list of runs")
    stories = {run.name: run.story for run in runs}
    note = incomparable(stories)
    rows = []
    for run in runs:
        story, exam = run.story, run.story.exam("sealed")
        last, before = story.after or story.before, story.before
        rows.append(
            [
                shell.link(run.url, safe(run.name)),
                shell.score_words(before.pass_at_1) if before else "–",
                shell.link(f"{run.url}/exam/sealed", shell.score_words(last.pass_at_1)) if last else "–",
                count(story.tokens),
                clock(story.seconds),
                f"<code>{safe(short(exam.digest))}</code>" if exam else "–",
            ]
        )
    head = ["run", "before", "now", "tokens", "worked", "digest of the sealed exam"]
    body = shell.listing(head, rows, "runs side by side")
    if note:
        return "<h1>Compare</h1>" + shell.alert(note) + shell.part("table", body)
    lines = []
    for place, (name, story) in enumerate(stories.items()):
        drawn = PLOTS["sealed"](story)
        first = drawn.lines[0]
        lines.append(Line(name=name, colour=f"var(--hue-{place % 9})", points=first.points, band=first.band))
    x, y = drawn.x, drawn.y
    picture = (
        f'<div class="narrow">{line_chart(lines, x, y, width=340, height=240, margin=110)}</div>'
        f'<div class="broad">{line_chart(lines, x, y, width=760, height=320, margin=150)}</div>'
    )
    return "<h1>Compare</h1>" + shell.part("curves", picture) + shell.part("table", body)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
