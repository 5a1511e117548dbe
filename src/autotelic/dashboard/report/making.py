"""The second half of the report: how the run came to its result, stage by stage."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from autotelic.dashboard.generations import Generation
from autotelic.dashboard.palette import HUES
from autotelic.dashboard.report.charts import Axis, Line, bars, heat_map, line_chart, stacked_bar
from autotelic.dashboard.report.markup import (
    beside,
    folded,
    para,
    safe,
    section,
    swatch,
    table,
    titled,
)
from autotelic.dashboard.report.results import SHARE
from autotelic.dashboard.story import Ruling, Story
from autotelic.dashboard.wording import clock, count, decimal, known, percent
from autotelic.types import Cell

_GENERATION = Axis(label="generation", words=lambda g: f"{g:.0f}", step_of=(1, 2, 5, 10))
_QUALITY = Axis(label="value", words=decimal, low=0.0, high=1.0)
_NATS = Axis(label="nats", words=decimal, low=0.0)
_SMALL = Axis(label="value", words=lambda v: decimal(v, 3), low=0.0)
_REFUSALS_SHOWN = 8


def curriculum(story: Story) -> str:
    """Where the tasks of each generation went, as a heat map."""
    measured = [g for g in story.generations if g.cells]
    rows = [Cell(mode=mode, level=level) for mode in story.modes for level in story.levels]
    rows = [cell for cell in rows if any(cell in g.cells for g in measured)]
    if not rows:
        return ""
    shares = [[g.cells[cell].share if cell in g.cells else 0.0 for g in measured] for cell in rows]
    names, numbers = [str(cell) for cell in rows], [g.number for g in measured]
    return section(
        "What it practised",
        para("Share of each generation's tasks by mode and level: the stronger, the more.", style="quiet"),
        heat_map(names, numbers, shares, words=percent, label="share of tasks", width=1020),
    )


def proposer(story: Story) -> str:
    """How good the actor is at making tasks, and why some were refused."""
    measured = [g for g in story.generations if g.proposals.asked]
    if not measured:
        return ""
    total = story.proposals
    valid, novel = percent(total.valid_share), percent(total.novel_share)
    lines = [
        _over(measured, "valid", 0, lambda g: g.proposals.valid_share),
        _over(measured, "novel", 2, lambda g: g.proposals.novel_share),
        _over(measured, "actor's tasks", 1, lambda g: g.actor_task_share),
    ]
    refused = [(reason, float(n)) for reason, n in total.reasons.items()][:_REFUSALS_SHOWN]
    return section(
        "The proposer",
        para(
            "The same model, asked to write tasks. Of the tokens of tasks that it learned after the bootstrap",
            f"<b>{percent(story.actor_task_share)}</b> were of its own tasks. Of {count(total.asked)} proposals",
            f"{valid} were valid, {novel} of those behaved like nothing known, and {count(total.admitted)} were",
            "admitted.",
        ),
        beside(
            titled("over generations", _chart(lines, SHARE)),
            titled("why proposals were refused", bars(refused, words=count, label="refusals by reason")),
        ),
    )


def critic(story: Story) -> str:
    """Whether the critic has earned its place, and how far other sources agree with the verifier."""
    measured = [g for g in story.generations if g.calibration is not None]
    last = measured[-1].calibration if measured else None
    if last is None:
        return ""
    # Of one the highest is best and of the other the lowest, so they share no axis.
    ranking = [_over(measured, "AUROC", 0, lambda g: g.calibration.auroc if g.calibration else None)]
    error = [_over(measured, "ECE", 1, lambda g: g.calibration.ece if g.calibration else None)]
    sources = list(dict.fromkeys(source for g in story.generations for source in g.agreement))
    agreement = [_agreement(story, source, 4 + place) for place, source in enumerate(sources)]
    return section(
        "The critic",
        para(
            "A second model learns from the verifier's verdicts to predict how good an attempt is.",
            "AUROC is how well it ranks (0.5 is chance), ECE how far its predictions are from the truth",
            "(0 is best), both on attempts that it has not learned from; last",
            f"{decimal(last.auroc)} and {decimal(last.ece, 3)}, over {count(last.n)} attempts.",
        ),
        beside(
            titled("held-out ranking, 1 is best", _chart(ranking, _QUALITY)),
            titled("held-out error of calibration, 0 is best", _chart(error, _SMALL)),
            titled("agreement of other sources with the verifier", _chart(agreement, SHARE)),
        ),
    )


def learning(story: Story) -> str:
    """What the updates did, and what was left out of them."""
    measured = [g for g in story.generations if g.learned is not None]
    if not measured:
        return ""
    kept, flat = sum(g.kept for g in measured), sum(g.flat for g in measured)
    losses = [
        _over(measured, "next token", 0, lambda g: g.learned.nll if g.learned else None),
        _over(measured, "entropy", 2, lambda g: g.learned.entropy if g.learned else None),
    ]
    clipped = [_over(measured, "clipped", 1, lambda g: g.learned.clipped if g.learned else None)]
    divergence = [_over(measured, "KL", 3, lambda g: g.learned.kl if g.learned else None)]
    left_out = _left_out(story)
    return section(
        "Learning",
        para(
            f"{count(kept)} groups of attempts carried a signal; {count(flat)} were flat: all of their attempts",
            "earned the same.",
        ),
        beside(
            titled("loss and entropy, nats a token", _chart(losses, _NATS)),
            titled("divergence from the reference policy, nats a token", _chart(divergence, _NATS)),
            titled("share of tokens clipped", _chart(clipped, _SMALL)),
        ),
        folded("what was left out", table(["n", "what", "why", "generations"], left_out)) if left_out else "",
    )


def time(story: Story) -> str:
    """Seconds by stage over the whole run."""
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
        stacked_bar(parts, label="share of time by stage", width=1020),
        f'<div class="legend">{legend}</div>',
    )


def decisions(story: Story) -> str:
    """What the gate said, and why."""
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
            overseen(story),
            f"The champion was made in generation {story.champion['generation']}.",
        ),
        titled("the last that train on", _rulings(rejected[:_REFUSALS_SHOWN])) if rejected else "",
        folded("every decision and its reason", _rulings(story.rulings[::-1])),
    )


def overseen(story: Story) -> str:
    """The grade of isolation and the brake's level, and what the working weights come to beside the certified."""
    said = [story.oversight]
    if story.working and story.after and story.after.when == "after":
        said.append(
            f"On the sealed exam the certified weights have {percent(story.after.pass_at_1.value)}, "
            f"the working weights {percent(story.working.pass_at_1.value)}."
        )
    return safe(" ".join(one for one in said if one))


def _rulings(rulings: Sequence[Ruling]) -> str:
    rows = [
        [
            str(r.generation),
            f'<td class="{safe(r.verdict)}">{safe(r.verdict)}</td>',
            safe("; ".join(r.reasons)),
        ]
        for r in rulings
    ]
    return table(["generation", "verdict", "why"], rows)


def _over(
    measured: Sequence[Generation], name: str, hue: int, value: Callable[[Generation], float | None]
) -> Line:
    points = [(float(g.number), y) for g in measured if (y := known(value(g))) is not None]
    return Line(name=name, colour=f"var(--hue-{hue})", points=points)


def _agreement(story: Story, source: str, hue: int) -> Line:
    return _over(story.generations, source, hue, lambda g: g.agreement.get(source))


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


def _chart(lines: Sequence[Line], y: Axis) -> str:
    return line_chart(lines, _GENERATION, y, width=480, height=220, margin=130)
