"""The second half of the report: how the run came to its result, stage by stage."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from autotelic.dashboard.palette import HUES
from autotelic.dashboard.report.charts import Axis, Line, bars, heat_map, line_chart, stacked_bar
from autotelic.dashboard.report.markup import beside, folded, para, safe, section, table, titled
from autotelic.dashboard.report.results import SHARE
from autotelic.dashboard.story import Generation, Ruling, Story
from autotelic.dashboard.wording import clock, count, decimal, percent
from autotelic.types import Cell

_GENERATION = Axis(label="generation", words=lambda g: f"{g:.0f}", step_of=(1, 2, 5, 10))
_QUALITY = Axis(label="value", words=decimal, low=0.0, high=1.0)
_NATS = Axis(label="nats", words=decimal, low=0.0)
_SMALL = Axis(label="value", words=lambda v: decimal(v, 3), low=0.0)
_REFUSALS_SHOWN = 8


def curriculum(story: Story) -> str:
    """Where the tasks of each generation went, as a heat map."""
    told = [g for g in story.generations if g.cells]
    rows = [Cell(mode=mode, level=level) for mode in story.modes for level in story.levels]
    rows = [cell for cell in rows if any(cell in g.cells for g in told)]
    if not rows:
        return ""
    shares = [[g.cells[cell].share if cell in g.cells else 0.0 for g in told] for cell in rows]
    names, numbers = [str(cell) for cell in rows], [g.number for g in told]
    return section(
        "What it practised",
        para("Share of each generation's tasks by mode and level: the stronger, the more.", style="quiet"),
        heat_map(names, numbers, shares, words=percent, label="share of tasks", width=1020),
    )


def proposer(story: Story) -> str:
    """How good the actor is at making tasks, and why some were refused."""
    told = [g for g in story.generations if g.proposals.asked]
    if not told:
        return ""
    total = story.proposals
    valid = percent(total.valid / total.asked if total.asked else None)
    novel = percent(total.novel / total.valid if total.valid else None)
    lines = [
        _over(told, "valid", 0, lambda g: g.proposals.valid / g.proposals.asked),
        _over(
            told, "novel", 2, lambda g: g.proposals.novel / g.proposals.valid if g.proposals.valid else None
        ),
        _over(told, "actor's tasks", 1, lambda g: g.actor_task_share),
    ]
    refused = [(reason, float(n)) for reason, n in total.reasons.items()][:_REFUSALS_SHOWN]
    return section(
        "The proposer",
        para(
            "The same model, asked to write tasks. After the bootstrap",
            f"<b>{percent(story.actor_task_share)}</b> of what was trained on was its own work: of",
            f"{count(total.asked)} proposals {valid} were valid, {novel} of those behaved like nothing",
            f"known, and {count(total.admitted)} were admitted.",
        ),
        beside(
            titled("over generations", _chart(lines, SHARE)),
            titled("why proposals were refused", bars(refused, words=count, label="refusals by reason")),
        ),
    )


def critic(story: Story) -> str:
    """Whether the critic has earned its place, and how far the other judges agree with the executor."""
    told = [g for g in story.generations if g.critic]
    if not told:
        return ""
    last = told[-1].critic
    quality = [
        _over(told, "AUROC", 0, lambda g: g.critic.get("auroc")),
        _over(told, "ECE", 1, lambda g: g.critic.get("ece")),
    ]
    agreement = [
        _over(story.generations, "consensus", 4, lambda g: g.consensus_agreement),
        _over(story.generations, "certainty", 6, lambda g: g.certainty_agreement),
    ]
    return section(
        "The critic",
        para(
            "A second model learns from the executor's verdicts to predict whether an attempt is right.",
            "AUROC is how well it ranks (0.5 is chance), ECE how far its probabilities are from the truth",
            "(0 is best), both on attempts that it has not learned from; last",
            f"{decimal(last.get('auroc'))} and {decimal(last.get('ece'), 3)},",
            f"over {count(last.get('n'))} attempts.",
        ),
        beside(
            titled("held-out ranking and calibration", _chart(quality, _QUALITY)),
            titled("agreement of other judges with the executor", _chart(agreement, SHARE)),
        ),
    )


def learning(story: Story) -> str:
    """What the updates did, and what was left out of them."""
    told = [g for g in story.generations if g.learn]
    if not told:
        return ""
    kept, dropped = sum(g.groups_kept for g in told), sum(g.groups_dropped for g in told)
    losses = [
        _over(told, "next token", 0, lambda g: g.learn.get("nll")),
        _over(told, "entropy", 2, lambda g: g.learn.get("entropy")),
    ]
    policy = [
        _over(told, "clipped", 1, lambda g: g.learn.get("clipped")),
        _over(told, "KL", 3, lambda g: g.learn.get("kl")),
    ]
    left_out = [[str(d.generation), str(d.n), safe(d.what), safe(d.why)] for d in story.drops]
    return section(
        "Learning",
        para(
            f"{count(kept)} groups of attempts carried a signal; {count(dropped)} were dropped because all",
            "their attempts fared alike.",
        ),
        beside(
            titled("loss and entropy, nats a token", _chart(losses, _NATS)),
            titled("policy: divergence from the anchor, share clipped", _chart(policy, _SMALL)),
        ),
        folded("what was left out", table(["generation", "n", "what", "why"], left_out)) if left_out else "",
    )


def time(story: Story) -> str:
    """Seconds by stage over the whole run."""
    spent = story.stage_seconds
    total = sum(spent.values())
    if not total:
        return ""
    parts = [
        (name, seconds / total, f"var(--hue-{place % len(HUES)})")
        for place, (name, seconds) in enumerate(spent.items())
    ]
    legend = "".join(
        f'<span><i style="background:{colour}"></i>{safe(name)} '
        f"{clock(spent[name])} ({percent(share)})</span>"
        for name, share, colour in parts
    )
    last = story.generations[-1]
    return section(
        "Where the time went",
        para(
            f"{clock(total)} in {len(story.generations)} generations; the last one decoded",
            f"{count(last.decode_speed)} and trained {count(last.train_speed)} tokens a second.",
            style="quiet",
        ),
        stacked_bar(parts, label="share of time by stage", width=1020),
        f'<div class="legend">{legend}</div>',
    )


def decisions(story: Story) -> str:
    """What the gate said, and why."""
    if not story.rulings:
        return ""
    promoted = sum(r.verdict == "promote" for r in story.rulings)
    refused = [r for r in reversed(story.rulings) if r.verdict != "promote"]
    return section(
        "Decisions",
        para(
            "A generation's weights become champion where a paired test does not find them worse:",
            f"{promoted} of {len(story.rulings)} did.",
        ),
        titled("the last that did not", _rulings(refused[:_REFUSALS_SHOWN])) if refused else "",
        folded("every decision and its reason", _rulings(story.rulings[::-1])),
    )


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
    told: Sequence[Generation], name: str, hue: int, value: Callable[[Generation], float | None]
) -> Line:
    points = [(float(g.number), known) for g in told if (known := value(g)) is not None]
    return Line(name=name, colour=f"var(--hue-{hue})", points=points)


def _chart(lines: Sequence[Line], y: Axis) -> str:
    return line_chart(lines, _GENERATION, y, width=480, height=220, margin=130)
