"""Pictures of a run as PNG files, for papers and pages: curves, cells, curriculum, stages.

matplotlib draws them through its object interface: no global figure, no window, any thread.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from autotelic.dashboard.generations import Generation
from autotelic.dashboard.palette import hue, shade
from autotelic.dashboard.story import OTHERS, Evaluation, Story
from autotelic.dashboard.wording import Measures, clock, count, percent
from autotelic.types import Cell

_QUIET = "#626c76"


def write_plots(story: Story, folder: Path, name: str = "") -> list[Path]:
    """Draw what the run has measured so far into `folder`, made if need be; the files that were written."""
    folder.mkdir(parents=True, exist_ok=True)
    figures = {
        "curves.png": curves(story, name),
        "cells.png": cells(story),
        "curriculum.png": curriculum(story),
        "stages.png": stages(story),
    }
    return [save(figure, folder / file) for file, figure in figures.items() if figure is not None]


def save(figure: Figure, path: Path) -> Path:
    """Write a figure as PNG, whole or not at all."""
    written = path.with_name(f".{path.name}.new")
    try:
        figure.savefig(written, format="png", dpi=160, facecolor="white", bbox_inches="tight")
        os.replace(written, path)
    except OSError as error:
        with suppress(OSError):
            written.unlink(missing_ok=True)
        # Of the file that was asked for, and not of the one beside it.
        raise OSError(error.errno, error.strerror, str(path)) from error
    return path


def curves(story: Story, name: str = "") -> Figure | None:
    """The sealed exam over tokens: the mean with its interval, then each mode by level."""
    found = story.evaluations_of("sealed")
    if len(found) < 2:
        return None
    modes = [m for m in story.modes if any(c.mode == m for c in found[-1].cells)]
    figure = Figure(figsize=(3.6 * (1 + len(modes)), 3.4), layout="constrained")
    panels = figure.subplots(1, 1 + len(modes), sharey=True, squeeze=False)[0]
    tokens = [s.tokens for s in found]
    _whole(panels[0], found, tokens, story.measures)
    for panel, mode in zip(panels[1:], modes, strict=True):
        levels = sorted({c.level for c in found[-1].cells if c.mode == mode})
        for place, level in enumerate(levels):
            cell, colour = Cell(mode=mode, level=level), shade(place, len(levels))
            met = [(s.tokens, s.cells[cell].value) for s in found if cell in s.cells]
            panel.plot(
                *zip(*met, strict=True), color=colour, marker="o", markersize=3, label=f"level {level}"
            )
        dress(panel, mode)
        panel.legend(frameon=False, fontsize=8, loc="upper left")
    panels[0].set_ylabel("sealed exam", color=_QUIET)
    title = f"{name}: " if name else ""
    figure.suptitle(f"{title}{clock(story.seconds)} of work, {count(story.tokens)} tokens", fontsize=11)
    return figure


def cells(story: Story) -> Figure | None:
    """The sealed exam by mode and level, before and now, with 95 % intervals."""
    last = story.after or story.before
    if last is None or not last.cells:
        return None
    modes = [m for m in story.modes if any(c.mode == m for c in last.cells)]
    levels = sorted({c.level for c in last.cells})
    figure = Figure(figsize=(1.6 + 0.62 * len(modes) * len(levels), 3.4), layout="constrained")
    panel = figure.subplots()
    wide = 0.8 / len(levels)
    for place, level in enumerate(levels):
        met = [
            (at, last.cells[c])
            for at, m in enumerate(modes)
            if (c := Cell(mode=m, level=level)) in last.cells
        ]
        across = [at + (place - (len(levels) - 1) / 2) * wide for at, _ in met]
        heights = [score.value for _, score in met]
        reach = [[s.value - s.low for _, s in met], [s.high - s.value for _, s in met]]
        panel.bar(across, heights, wide * 0.92, color=shade(place, len(levels)), label=f"level {level}")
        panel.errorbar(
            across, heights, yerr=np.abs(reach), fmt="none", ecolor="#333333", elinewidth=1, capsize=2
        )
        if story.before and story.before is not last:
            old = [
                (x, story.before.cells.get(Cell(mode=modes[at], level=level)))
                for x, (at, _) in zip(across, met, strict=True)
            ]
            for x, score in old:
                if score:
                    panel.hlines(
                        score.value,
                        x - wide * 0.46,
                        x + wide * 0.46,
                        colors="#000000",
                        linestyles=":",
                        lw=1.4,
                    )
    dress(panel, f"sealed exam, {story.measures.one} (dotted: before learning)", over="")
    panel.set_xticks(range(len(modes)), modes)
    panel.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def curriculum(story: Story) -> Figure | None:
    """Share of each generation's tasks by mode and level."""
    practised = [g for g in story.generations if g.cells]
    if not practised:
        return None
    rows = [Cell(mode=m, level=level) for m in story.modes for level in story.levels]
    rows = [cell for cell in rows if any(cell in g.cells for g in practised)]
    shares = np.array([[g.cells[c].share if c in g.cells else 0.0 for g in practised] for c in rows])
    figure = Figure(figsize=(8, 0.8 + 0.27 * len(rows)), layout="constrained")
    panel = figure.subplots()
    ends = (practised[0].number - 0.5, practised[-1].number + 0.5, len(rows) - 0.5, -0.5)
    drawn = panel.imshow(shares, aspect="auto", cmap="cividis", vmin=0, extent=ends, interpolation="nearest")
    panel.set_yticks(range(len(rows)), [str(cell) for cell in rows], fontsize=8)
    panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    panel.set_xlabel("generation", color=_QUIET)
    panel.set_title("share of tasks by mode and level", fontsize=10, loc="left")
    figure.colorbar(drawn, ax=panel, format=FuncFormatter(lambda v, _: percent(v)), pad=0.01)
    return figure


def stages(story: Story) -> Figure | None:
    """Where the time of each generation went, stage on stage."""
    timed = [g for g in story.generations if g.stage_seconds]
    if not timed:
        return None
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    panel = figure.subplots()
    total = story.slow_stages
    below = np.zeros(len(timed))
    numbers = [g.number for g in timed]
    for place, (stage, seconds) in enumerate(total.items()):
        heights = np.array([_in_stage(g, stage, total) for g in timed])
        label = f"{stage} {percent(seconds / (sum(total.values()) or 1.0))}"
        panel.bar(numbers, heights, 1.0, bottom=below, color=hue(place), label=label, linewidth=0)
        below += heights
    panel.set_xlim(numbers[0] - 0.5, numbers[-1] + 0.5)
    panel.set_xlabel("generation", color=_QUIET)
    panel.set_ylabel("seconds", color=_QUIET)
    panel.set_title("time by stage", fontsize=10, loc="left")
    panel.spines[["top", "right"]].set_visible(False)
    handles, labels = panel.get_legend_handles_labels()
    panel.legend(
        handles[::-1], labels[::-1], frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5)
    )
    return figure


def _in_stage(generation: Generation, stage: str, shown: Mapping[str, float]) -> float:
    """Seconds that a generation spent in a stage, or in all that are not shown apart."""
    spent = generation.stage_seconds
    if stage == OTHERS:
        return sum(seconds for name, seconds in spent.items() if name not in shown)
    return spent.get(stage, 0.0)


def _whole(panel: Axes, found: Sequence[Evaluation], tokens: Sequence[int], measures: Measures) -> None:
    first = [s.pass_at_1 for s in found]
    panel.fill_between(
        tokens, [s.low for s in first], [s.high for s in first], color=hue(0), alpha=0.15, linewidth=0
    )
    panel.plot(tokens, [s.value for s in first], color=hue(0), marker="o", markersize=3, label=measures.one)
    further = (
        (measures.best, [s.pass_at_8 for s in found], "#555555"),
        (measures.chosen, [s.best_of_8 for s in found], hue(1)),
    )
    for label, scores, colour in further:
        met = [(x, score.value) for x, score in zip(tokens, scores, strict=True) if score]
        if met:
            panel.plot(*zip(*met, strict=True), color=colour, linestyle="--", label=label)
    dress(panel, "all modes")
    panel.legend(frameon=False, fontsize=8, loc="upper left")


def dress(panel: Axes, title: str, over: str = "tokens trained") -> None:
    """Give a panel of shares its title, grid and axes; `over` is what runs along it, if anything does."""
    panel.set_title(title, fontsize=10, loc="left")
    panel.set_ylim(0, 1)
    panel.yaxis.set_major_formatter(FuncFormatter(lambda v, _: percent(v)))
    panel.grid(axis="y", color="#e2e4e3", linewidth=0.8)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
    panel.tick_params(colors=_QUIET, labelsize=8)
    if over:
        panel.set_xlabel(over, color=_QUIET)
        panel.xaxis.set_major_formatter(FuncFormatter(lambda v, _: count(v)))
        panel.xaxis.set_major_locator(MaxNLocator(4))
