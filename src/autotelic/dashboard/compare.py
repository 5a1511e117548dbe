"""Several runs side by side: one table, and their curves in one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from autotelic.dashboard.story import Evaluation, Story
from autotelic.dashboard.summary import Summary, summarise
from autotelic.dashboard.wording import short


def tokens_to(story: Story, target: float) -> float | None:
    """Tokens until the sealed exam's score reached the target, on straight lines between evaluations; None if
    it never did.
    """
    before: Evaluation | None = None
    for found in story.evaluations_of("sealed"):
        value = found.pass_at_1.value
        if value >= target:
            if before is None or value == before.pass_at_1.value:
                return float(found.tokens)
            part = (target - before.pass_at_1.value) / (value - before.pass_at_1.value)
            return before.tokens + part * (found.tokens - before.tokens)
        before = found
    return None


def incomparable(stories: Mapping[str, Story]) -> str:
    """Why the scores of these runs cannot be compared, in a line; empty where they can.

    They can where all runs were asked the same sealed exam, item by item.
    """
    exams = {name: story.exam("sealed") for name, story in stories.items()}
    if none := [name for name, exam in exams.items() if exam is None]:
        return f"scores are not compared: {none[0]} has no sealed exam yet"
    digests = {name: exam.digest for name, exam in exams.items() if exam is not None}
    if len(set(digests.values())) > 1:
        said = ", ".join(f"{name} {short(digest)}" for name, digest in digests.items())
        return f"scores are not compared: the runs have different sealed exams ({said})"
    return ""


def compare(stories: Mapping[str, Story]) -> dict[str, Any]:
    """The summary of each run by name, and the tokens each took to the lowest of their final scores.

    That score is the highest that all of them reached at the end, so no run is asked for more than it has.
    Where the runs have different exams there is no such score, and `note` says so.
    """
    note = incomparable(stories)
    finals = [s.after.pass_at_1.value for s in stories.values() if s.after]
    target = min(finals) if not note and len(finals) == len(stories) else None
    runs: dict[str, Summary] = {name: summarise(story) for name, story in stories.items()}
    for name, story in stories.items():
        runs[name]["tokens_to_target"] = None if target is None else tokens_to(story, target)
    return {"note": note, "target": target, "runs": runs}


def draw(stories: Mapping[str, Story], path: Path) -> Path:
    """The sealed exam of every run over tokens and over time, with 95 % intervals, as a PNG. Its title says
    where the runs have different exams.
    """
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from autotelic.dashboard import plots
    from autotelic.dashboard.palette import hue

    def curve(panel: Axes, name: str, place: int, xs: Sequence[float], found: Sequence[Evaluation]) -> None:
        scores = [e.pass_at_1 for e in found]
        panel.fill_between(
            xs, [s.low for s in scores], [s.high for s in scores], color=hue(place), alpha=0.13, lw=0
        )
        panel.plot(xs, [s.value for s in scores], color=hue(place), marker="o", markersize=3, label=name)

    figure = Figure(figsize=(10, 4), layout="constrained")
    over_tokens, over_time = figure.subplots(1, 2, sharey=True)
    for place, (name, story) in enumerate(stories.items()):
        found = story.evaluations_of("sealed")
        curve(over_tokens, name, place, [e.tokens for e in found], found)
        curve(over_time, name, place, [e.seconds for e in found], found)
    measures = next(iter(stories.values())).measures
    plots.dress(over_tokens, f"sealed exam, {measures.one}", over="tokens trained")
    plots.dress(over_time, "", over="seconds worked")
    over_tokens.legend(frameon=False, fontsize=8, loc="upper left")
    if note := incomparable(stories):
        figure.suptitle(note, fontsize=8)
    return plots.save(figure, path)
