"""How the run came to its result, stage by stage: parts of the page and of the report."""

from __future__ import annotations

from collections.abc import Sequence

from autotelic.dashboard.charts import bars, heat_map, stacked_bar
from autotelic.dashboard.generations import Generation
from autotelic.dashboard.markup import beside, folded, para, safe, scrolled, section, swatch, table, titled
from autotelic.dashboard.page import shell
from autotelic.dashboard.page.plots import plot_of, plots_beside
from autotelic.dashboard.page.runs import RunView
from autotelic.dashboard.palette import HUES
from autotelic.dashboard.story import Ruling, Story, named
from autotelic.dashboard.wording import clock, count, decimal, percent
from autotelic.types import Cell

_REFUSALS_SHOWN = 8
_COLUMNS = 120
"""Columns of the heat map at most: a longer run has the means of stretches."""
_RULINGS = 400
"""Decisions that are listed at most, the last ones."""


def curriculum(run: RunView) -> str:
    """Where the tasks of each generation went, as a heat map."""
    story = run.story
    measured = [g for g in story.generations if g.cells]
    rows = [Cell(mode=mode, level=level) for mode in story.modes for level in story.levels]
    rows = [cell for cell in rows if any(cell in g.cells for g in measured)]
    if not rows:
        return ""
    size = -(-len(measured) // _COLUMNS)
    stretches = [measured[at : at + size] for at in range(0, len(measured), size)]
    shares = [[_share(stretch, cell) for stretch in stretches] for cell in rows]
    names, numbers = [str(cell) for cell in rows], [stretch[0].number for stretch in stretches]
    return section(
        "What it practised",
        para(
            "Share of each generation's tasks by mode and level: the stronger the colour, the more, up to",
            f"{percent(max(share for row in shares for share in row))}.",
            f"A column is the mean of {size} generations." if size > 1 else "",
            style="quiet",
        ),
        scrolled(heat_map(names, numbers, shares, words=percent, label="share of tasks", width=1020)),
    )


def _share(generations: Sequence[Generation], cell: Cell) -> float:
    """The mean share of a cell in some generations."""
    return sum(g.cells[cell].share for g in generations if cell in g.cells) / len(generations)


def proposer(run: RunView) -> str:
    """How good the actor is at making tasks, and why some were refused."""
    story = run.story
    total = story.proposals
    if not total.asked:
        return ""
    valid, novel = percent(total.valid_share), percent(total.novel_share)
    refused = [(reason, float(n)) for reason, n in total.reasons.items()][:_REFUSALS_SHOWN]
    return section(
        "The proposer",
        para(
            "The actor, asked to write tasks. Of the tokens of tasks that it learned after the bootstrap",
            f"<b>{percent(story.actor_task_share)}</b> were of its own tasks. Of {count(total.asked)} proposals",
            f"{valid} were valid, {novel} of those behaved like nothing known, and {count(total.admitted)} were",
            "admitted.",
        ),
        beside(
            f"<div>{plot_of(run, 'proposals', titled=True, broad=520)}</div>",
            titled(
                "Why proposals were refused",
                scrolled(bars(refused, words=count, label="refusals by reason"), small=True),
            ),
        ),
    )


def critic(run: RunView) -> str:
    """Whether the critic has earned its place, and how far other sources agree with the verifier."""
    story = run.story
    measured = [g for g in story.generations if g.calibration is not None]
    last = measured[-1].calibration if measured else None
    if last is None:
        return ""
    # Of a ranking the highest is best and of an error the lowest, so they share no axis.
    names = ["ranking", "calibration", *(["agreement"] if any(g.agreement for g in measured) else [])]
    return section(
        "The critic",
        para(
            "A second model learns from the verifier's verdicts to predict how good an attempt is.",
            "AUROC is how well it ranks (0.5 is chance), ECE how far its predictions are from the truth",
            "(0 is best), both on attempts that it has not learned from; last",
            f"{decimal(last.auroc)} and {decimal(last.ece, 3)}, over {count(last.n)} attempts.",
        ),
        plots_beside(run, names),
    )


def learning(run: RunView) -> str:
    """What the updates did, and what was left out of them."""
    story = run.story
    measured = [g for g in story.generations if g.learned is not None]
    if not measured:
        return ""
    kept, flat = sum(g.kept for g in measured), sum(g.flat for g in measured)
    left_out = _left_out(story)
    names = ("loss", "entropy", "kl", "clipped", "gradient")
    return section(
        "Learning",
        para(
            f"{count(kept)} groups of attempts carried a signal; {count(flat)} were flat: all of their attempts",
            "earned the same. Curves are means over the tokens of each generation's updates.",
        ),
        para(
            "A peak of KL is a generation that moved far from the champion: the reference policy is the champion,",
            "so that the distance grows until other weights are certified.",
            style="quiet",
        ),
        plots_beside(run, names),
        folded("what was left out", table(["n", "what", "why", "generations"], left_out)) if left_out else "",
    )


def time(run: RunView) -> str:
    """Seconds by stage over the whole run."""
    story = run.story
    spent = story.slow_stages
    total = sum(spent.values())
    if not total:
        return ""
    parts = [
        (name, seconds / total, f"var(--hue-{place % len(HUES)})")
        for place, (name, seconds) in enumerate(spent.items())
    ]
    legend = "".join(
        f"<span>{swatch(colour)}{safe(name)} {clock(spent[name])} ({percent(share)})</span>"
        for name, share, colour in parts
    )
    last = story.generations[-1] if story.generations else None
    speed = (
        f"The last one decoded {count(last.decode_speed)} and trained {count(last.train_speed)} tokens a second."
        if last
        else ""
    )
    return section(
        "Where the time went",
        para(f"{clock(total)} in {len(story.generations)} generations.", speed, style="quiet"),
        scrolled(stacked_bar(parts, label="share of time by stage", width=1020)),
        f'<div class="legend">{legend}</div>',
    )


def decisions(run: RunView) -> str:
    """What the gate said, and why; where the brake stands."""
    story = run.story
    if not story.rulings:
        return ""
    promoted = sum(r.verdict == "promote" for r in story.rulings)
    rejected = [r for r in reversed(story.rulings) if r.verdict != "promote"]
    last = story.rulings[-1]
    return section(
        "Decisions",
        para(
            "Weights become champion where auditors certify them as better than the last certified ones:",
            f"{promoted} of {len(story.rulings)} candidates were. The last decision, in generation",
            f"{last.generation}: <b>{safe(last.verdict)}</b>, because {safe('; '.join(last.reasons))}.",
            _overseen(story),
            f"The champion was made in generation {story.champion['generation']}.",
        ),
        titled("The last that train on", _rulings(run, rejected[:_REFUSALS_SHOWN])) if rejected else "",
        folded("every decision and its reason", _rulings(run, story.rulings[::-1][:_RULINGS])),
        _alarms(run),
    )


def _overseen(story: Story) -> str:
    """The grade of isolation and the brake's level, and what the working weights come to beside the certified."""
    said = [story.oversight]
    if story.working and story.after and story.after.when == "after":
        said.append(
            f"On the sealed exam the certified weights have {percent(story.after.pass_at_1.value)}, "
            f"the working weights {percent(story.working.pass_at_1.value)}."
        )
    return safe(" ".join(one for one in said if one))


def _rulings(run: RunView, rulings: Sequence[Ruling]) -> str:
    rows = [
        [
            shell.message_link(run, r.message, f"decision {r.message}"),
            shell.generation_link(run, r.generation),
            f'<span class="{safe(r.verdict)}">{safe(r.verdict)}</span>',
            f'<span class="long">{safe("; ".join(r.reasons))}</span>',
        ]
        for r in rulings
    ]
    return shell.listing(["decision", "in", "verdict", "because"], rows, "decisions")


def _alarms(run: RunView) -> str:
    rows = [
        [
            shell.message_link(run, a.id, f"alarm {a.id}"),
            shell.generation_link(run, a.generation),
            safe(a.trigger),
            safe(named(a.level)),
            f'<span class="long">{safe(a.reason)}</span>',
        ]
        for a in reversed(run.story.alarms)
    ][:_RULINGS]
    if not rows:
        return para("No alarm was raised.", style="quiet")
    head = ["alarm", "in", "trigger", "raises the brake to", "because"]
    return titled("Alarms", shell.listing(head, rows, "alarms"))


def _left_out(story: Story) -> list[list[str]]:
    """What was dropped, summed by what and why."""
    found: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for drop in story.drops:
        found.setdefault((drop.what, drop.why), []).append((drop.n, drop.generation))
    rows = []
    for (what, why), drops in found.items():
        first, last = drops[0][1], drops[-1][1]
        when = f"{first}" if first == last else f"{first} to {last}"
        rows.append([str(sum(n for n, _ in drops)), safe(what), safe(why), when])
    return rows
