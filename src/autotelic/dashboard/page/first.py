"""The first screen of a run: is it getting better, what did it just invent and solve, what does it practise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from autotelic.dashboard.generations import Generation
from autotelic.dashboard.markup import para, safe
from autotelic.dashboard.page import shell
from autotelic.dashboard.page.plots import plot_of
from autotelic.dashboard.page.results import about
from autotelic.dashboard.page.runs import RunView
from autotelic.dashboard.page.seen import seen_block
from autotelic.dashboard.specimens import author_of, outcome_of
from autotelic.dashboard.story import Story
from autotelic.dashboard.wording import clock, count, percent
from autotelic.messages import Judged
from autotelic.record import Journal
from autotelic.types import RULES, Cell, Group, Verdict

_SEARCHED = 4
"""Judged messages that are searched for a task that the actor invented and solved."""
_SIBLINGS = 8
"""Attempts of a group that are named."""
_HISTORY = 40
"""Generations of the small curve of a kind of task."""
_SENTENCES = 12
"""Generations that have a sentence on the first screen."""

_DECIDED = {"promote": "was certified: the champion", "train on": "was not certified, and trains on"}
"""A decision in the words of a sentence on its generation."""


def first_screen(run: RunView) -> str:
    """The parts of the first screen."""
    return "\n".join(
        [
            '<h1 class="hidden">Now</h1>',
            '<div class="columns three">',
            shell.guarded("better", lambda: _better(run)),
            shell.guarded("latest", lambda: _latest(run)),
            shell.guarded("practice", lambda: practice(run)),
            "</div>",
            shell.guarded("generations", lambda: _generations(run)),
            shell.part("about", "<h2>What is this run?</h2>", about(run)),
        ]
    )


def overview(runs: Mapping[str, RunView]) -> str:
    """Every run of the page: how it stands, with a way to compare them."""
    rows = []
    for run in runs.values():
        run.refresh()
        with run.lock:
            story, health = run.story, run.health()
            last, before = story.after or story.before, story.before
            rows.append(
                [
                    shell.link(run.url, safe(run.name)),
                    safe(health.state),
                    str(story.reached),
                    clock(story.seconds),
                    shell.score_words(before.pass_at_1) if before else "–",
                    shell.link(f"{run.url}/exam/sealed", shell.score_words(last.pass_at_1)) if last else "–",
                    safe(str(run.path)),
                ]
            )
    head = ["run", "state", "generations", "worked", "sealed exam before", "now", "folder"]
    query = "&".join(f"r={name}" for name in runs)
    compare = shell.link(f"/compare?{query}", "Compare these runs") if len(runs) > 1 else ""
    return shell.part("runs", "<h1>Runs</h1>", shell.listing(head, rows, "runs"), f"<p>{compare}</p>")


def _better(run: RunView) -> str:
    story = run.story
    last, before = story.after or story.before, story.before
    if before is None or last is None:
        return "<h2>Is it getting better?</h2>" + para(
            "The sealed exam has not been evaluated yet.", style="quiet"
        )
    now = shell.link(f"{run.url}/exam/sealed", percent(last.pass_at_1.value, 1))
    change = f"{percent(before.pass_at_1.value, 1)} → <b>{now}</b>" if last is not before else f"<b>{now}</b>"
    return (
        "<h2>Is it getting better?</h2>"
        f'<p class="large">{change}</p>'
        + para(
            f"Sealed exam, {story.measures.one}: items that are never trained on.",
            f"95 % interval {100 * last.pass_at_1.low:.0f}–{100 * last.pass_at_1.high:.0f} %,",
            f"{last.pass_at_1.n} items.",
            style="quiet",
        )
        + plot_of(run, "sealed", broad=400)
    )


def _latest(run: RunView) -> str:
    """Made once a judged message: it reads many rows, and an open page asks for it every second."""
    with run.journal() as journal:
        last = journal.select("SELECT max(id) FROM messages WHERE kind = ?", [Judged.kind])[0][0]
    return run.once("latest", lambda: _solved(run), until=(last, run.story.resumes))


def _solved(run: RunView) -> str:
    with run.journal() as journal:
        group, message = _invented(journal)
        if group is None:
            return "<h2>What did it just invent and solve?</h2>" + para(
                "No attempt was judged yet.", style="quiet"
            )
        own = group.task.lineage.author != RULES
        title = "What did it just invent and solve?" if own else "What did it just solve?"
        attempts = [_attempt(run, group, place) for place in range(min(len(group.episodes), _SIBLINGS))]
        more = len(group.episodes) - _SIBLINGS
        shown = next((i for i, v in enumerate(group.verdicts) if v.passed), len(group.episodes) - 1)
        answer = group.episodes[shown].answer
    return (
        f"<h2>{title}</h2>"
        + para(
            f"{safe(group.task.cell)}, written by {safe(author_of(group.task.lineage))}, in",
            f"{shell.generation_link(run, message)}: {shell.task_link(run, group.task.id)}.",
            style="quiet",
        )
        + seen_block(run, group.task.prompt, "the task")
        + "<h3>Its answer</h3>"
        + shell.text_block(answer, "its answer")
        + f'<ul class="attempts">{"".join(attempts)}</ul>'
        + (para(f"and {more} more attempts", style="quiet") if more > 0 else "")
    )


def _invented(journal: Journal) -> tuple[Group | None, int]:
    """The last group whose task the actor wrote and of which an attempt passed; else the last of all. With its
    generation.
    """
    rows = journal.select(
        "SELECT id FROM messages WHERE kind = ? AND instr(data, ?) > 0 ORDER BY id DESC LIMIT ?",
        [Judged.kind, '"purpose":"attempt"', _SEARCHED],
    )
    found: tuple[Group | None, int] = (None, 0)
    for (id_,) in rows:
        message = journal.message(id_)
        if not isinstance(message, Judged):
            continue
        for group in list(message.groups)[::-1]:
            solved = any(v.passed or (v.passed is None and v.reward > 0) for v in group.verdicts)
            if group.task.lineage.author != RULES and solved:
                return group, message.generation
            if found[0] is None and group.verdicts:
                found = (group, message.generation)
    return found


def _attempt(run: RunView, group: Group, place: int) -> str:
    episode = group.episodes[place]
    verdict = group.verdicts[place] if place < len(group.verdicts) else None
    said = _said(verdict) if verdict else "not judged yet"
    return f"<li>{shell.attempt_link(run, episode.id)}: {said}</li>"


def _said(verdict: Verdict) -> str:
    if verdict.passed is None:
        return safe(outcome_of(verdict))
    return shell.mark(verdict.passed) + (f" ({safe(verdict.reason)})" if verdict.reason else "")


def practice(run: RunView) -> str:
    """What the last generation practised, kind by kind, with how each has gone so far."""
    story = run.story
    last = next((g for g in reversed(story.generations) if g.cells), None)
    if last is None:
        return "<h2>What does it practise?</h2>" + para("No generation has ended yet.", style="quiet")
    rows = [
        [
            shell.link(f"{run.url}/cell/{cell.mode}/{cell.level}", safe(cell)),
            percent(state.share),
            percent(state.p),
            _history(story, cell),
        ]
        for cell, state in sorted(last.cells.items(), key=lambda item: -item[1].share)
    ]
    return (
        "<h2>What does it practise?</h2>"
        + para(
            "Kinds of task, by their share of the tasks to come. Success is what the curriculum believes.",
            style="quiet",
        )
        + shell.listing(["kind", "share", "success", "success so far"], rows, "what it practises")
    )


def _history(story: Story, cell: Cell) -> str:
    """The success of a cell over the generations, as a small curve."""
    values = [g.cells[cell].p for g in story.generations[-_HISTORY:] if cell in g.cells]
    if len(values) < 2:
        return ""
    step = 100 / (len(values) - 1)
    points = " ".join(f"{at * step:.1f},{19 - 18 * value:.1f}" for at, value in enumerate(values))
    return (
        f'<svg class="spark" viewBox="0 0 100 20" role="img" aria-label="from {percent(values[0])} to '
        f'{percent(values[-1])}"><polyline class="curve" points="{points}" stroke="var(--hue-0)"/></svg>'
    )


def _generations(run: RunView) -> str:
    story = run.story
    sentences = [_sentence(run, story, place) for place in range(len(story.generations))[-_SENTENCES:]][::-1]
    if not sentences:
        return ""
    return f"<h2>What happened</h2><ul class='happened'>{''.join(sentences)}</ul>" + (
        f"<p>{shell.link(f'{run.url}/generations', 'Every generation')}</p>"
    )


def _sentence(run: RunView, story: Story, place: int) -> str:
    g = story.generations[place]
    words: Sequence[str] = [
        "" if not run.complete else _made(g),
        f"{count(g.kept)} groups of attempts taught something" if g.kept else "",
        f"learned from {count(g.trained)} tokens",
        *(_DECIDED.get(r.verdict, safe(r.verdict)) for r in story.rulings_of(g.number)),
    ]
    return f"<li>{shell.generation_link(run, g.number)}: {', '.join(w for w in words if w)}.</li>"


def _made(g: Generation) -> str:
    if not g.proposals.asked:
        return "practised the tasks of the rules"
    return f"invented {count(g.proposals.admitted)} tasks of {count(g.proposals.asked)} asked"
