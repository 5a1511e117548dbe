"""Several runs side by side: one table, and their curves in one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from autotelic.dashboard.story import Sitting, Story
from autotelic.dashboard.summary import Summary, summarise


def tokens_to(story: Story, target: float) -> float | None:
    """Tokens until sealed pass@1 reached the target, on straight lines between sittings; None if never."""
    before: Sitting | None = None
    for sitting in story.sat("sealed"):
        value = sitting.pass_at_1.value
        if value >= target:
            if before is None or value == before.pass_at_1.value:
                return float(sitting.tokens)
            part = (target - before.pass_at_1.value) / (value - before.pass_at_1.value)
            return before.tokens + part * (sitting.tokens - before.tokens)
        before = sitting
    return None


def compare(stories: Mapping[str, Story]) -> dict[str, Any]:
    """The summary of each run by name, and the tokens each took to the lowest of their final scores.

    That score is the highest that all of them reached at the end, so no run is asked for more than it has.
    """
    finals = [s.after.pass_at_1.value for s in stories.values() if s.after]
    target = min(finals) if finals and len(finals) == len(stories) else None
    runs: dict[str, Summary] = {name: summarise(story) for name, story in stories.items()}
    for name, story in stories.items():
        runs[name]["tokens_to_target"] = None if target is None else tokens_to(story, target)
    return {"target": target, "runs": runs}


def draw(stories: Mapping[str, Story], path: Path) -> Path:
    """Sealed pass@1 of every run over tokens and over time, with 95 % intervals, as a PNG."""
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from autotelic.dashboard import plots
    from autotelic.dashboard.palette import hue

    def panel_of(
        panel: Axes, name: str, place: int, xs: Sequence[float], sittings: Sequence[Sitting]
    ) -> None:
        scores = [s.pass_at_1 for s in sittings]
        panel.fill_between(
            xs, [s.low for s in scores], [s.high for s in scores], color=hue(place), alpha=0.13, lw=0
        )
        panel.plot(xs, [s.value for s in scores], color=hue(place), marker="o", markersize=3, label=name)

    figure = Figure(figsize=(10, 4), layout="constrained")
    over_tokens, over_time = figure.subplots(1, 2, sharey=True)
    for place, (name, story) in enumerate(stories.items()):
        sittings = story.sat("sealed")
        panel_of(over_tokens, name, place, [s.tokens for s in sittings], sittings)
        panel_of(over_time, name, place, [s.seconds for s in sittings], sittings)
    plots.dress(over_tokens, "sealed exam, pass@1", over="tokens trained")
    plots.dress(over_time, "", over="seconds worked")
    over_tokens.legend(frameon=False, fontsize=8, loc="upper left")
    return plots.save(figure, path)
