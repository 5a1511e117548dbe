"""The curves of a run, each by its name: on a page, as numbers for zooming, as SVG and as CSV."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from autotelic.dashboard import palette
from autotelic.dashboard.charts import Axis, Line, line_chart
from autotelic.dashboard.generations import Generation
from autotelic.dashboard.markup import beside, safe
from autotelic.dashboard.page import shell
from autotelic.dashboard.page.runs import RunView
from autotelic.dashboard.story import Evaluation, Story
from autotelic.dashboard.wording import clock, count, decimal, known, percent, plain
from autotelic.types import Cell, Score

_MOST = 2_000
"""Points of a curve that are sent to be zoomed: more than a screen has columns."""
_DRAWN = 400
"""Points of a curve in a picture that is not zoomed."""
SHARE = Axis(label="share", words=percent, low=0.0, high=1.0)
_TOKENS = Axis(label="tokens trained", words=count, low=0.0)
_SECONDS = Axis(label="time worked", words=clock, low=0.0, base=60, step_of=(1, 2, 5, 10, 15, 30))
_GENERATION = Axis(label="generation", words=lambda g: f"{g:.0f}", step_of=(1, 2, 5, 10))
_NATS = Axis(label="nats a token", words=plain, low=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """Curves with their axes and their title."""

    title: str
    lines: Sequence[Line]
    x: Axis
    y: Axis


Make = Callable[[Story], Plot]
At = Callable[[Evaluation], float]
"""Where an evaluation stands on the horizontal axis."""


def _exams(x: Axis, at: At) -> Make:
    """The sealed exam with its band, beside it the own exam; samples of the sealed one as points."""

    def make(story: Story) -> Plot:
        measures = story.measures
        sealed = [e for e in story.evaluations_of("sealed") if e.when != "working"]
        scores = [(at(e), e.pass_at_1) for e in sealed]
        own = [(at(e), e.pass_at_1.value) for e in story.evaluations_of("own") if e.when != "working"]
        # At the end the weights at work are examined beside the certified ones, at the same place.
        working = [(at(e), e.pass_at_1) for e in story.evaluations_of("sealed") if e.when == "working"]
        lines = [
            Line(
                name="sealed exam",
                colour="var(--hue-0)",
                points=[(place, score.value) for place, score in scores],
                band=[(place, score.low, score.high) for place, score in scores],
            ),
            _sampled("not certified", 2, working),
            Line(name="own exam", colour="var(--hue-1)", points=own, dashed=True),
            _sampled(measures.best, 8, [(at(e), e.pass_at_8) for e in sealed]),
            _sampled(measures.chosen, 3, [(at(e), e.best_of_8) for e in sealed]),
        ]
        return Plot(title=f"Exams, {measures.one}", lines=lines, x=x, y=SHARE)

    return make


def _sampled(name: str, hue: int, scores: Sequence[tuple[float, Score | None]]) -> Line:
    """What few evaluations have, so that nothing is known between them: points alone."""
    known_ = [(place, score.value) for place, score in scores if score is not None]
    return Line(name=name, colour=f"var(--hue-{hue})", points=known_, joined=False)


def _levels(mode: str, x: Axis, at: At) -> Make:
    """A mode of the sealed exam, a curve a level."""

    def make(story: Story) -> Plot:
        found = [e for e in story.evaluations_of("sealed") if e.when != "working"]
        levels = sorted({cell.level for e in found for cell in e.cells if cell.mode == mode})
        lines = []
        for place, level in enumerate(levels):
            cell, shade = Cell(mode=mode, level=level), palette.shade_index(place, len(levels))
            points = [(at(e), e.cells[cell].value) for e in found if cell in e.cells]
            lines.append(Line(name=f"level {level}", colour=f"var(--shade-{shade})", points=points))
        return Plot(title=mode, lines=lines, x=x, y=SHARE)

    return make


def _over(title: str, y: Axis, *curves: tuple[str, int, Callable[[Generation], float | None]]) -> Make:
    def make(story: Story) -> Plot:
        lines = [
            Line(
                name=name,
                colour=f"var(--hue-{hue})",
                points=[
                    (float(g.number), value) for g in story.generations if (value := known(of(g))) is not None
                ],
            )
            for name, hue, of in curves
        ]
        return Plot(title=title, lines=lines, x=_GENERATION, y=y)

    return make


def _learned(name: str) -> Callable[[Generation], float | None]:
    return lambda g: getattr(g.learned, name) if g.learned else None


def _calibrated(name: str) -> Callable[[Generation], float | None]:
    return lambda g: getattr(g.calibration, name) if g.calibration else None


def _agreement(story: Story) -> Plot:
    sources = list(dict.fromkeys(source for g in story.generations for source in g.agreement))
    make = _over(
        "Agreement of other sources with the verifier",
        SHARE,
        *(
            (source, 4 + place, lambda g, of=source: g.agreement.get(of))
            for place, source in enumerate(sources)
        ),
    )
    return make(story)


_ANY = Axis(label="value", words=plain, low=0.0)
PLOTS: dict[str, Make] = {
    "sealed": _exams(_TOKENS, lambda e: float(e.tokens)),
    "sealed-time": _exams(_SECONDS, lambda e: e.seconds),
    "loss": _over("Loss of the next token", _NATS, ("next token", 0, _learned("nll"))),
    "entropy": _over("Entropy", _NATS, ("entropy", 2, _learned("entropy"))),
    "kl": _over("Divergence from the reference policy", _NATS, ("KL", 3, _learned("kl"))),
    "clipped": _over(
        "Share of tokens that were clipped",
        Axis(label="share", words=lambda v: percent(v, 1), low=0.0),
        ("clipped", 1, _learned("clipped")),
    ),
    "gradient": _over("Norm of the gradient", _ANY, ("norm", 6, _learned("grad_norm"))),
    "ranking": _over(
        "How well the critic ranks (0.5 is chance)",
        Axis(label="AUROC", words=decimal, low=0.0, high=1.0),
        ("all", 0, _calibrated("auroc")),
        ("siblings", 2, _calibrated("siblings")),
    ),
    "calibration": _over(
        "How far the critic is off (0 is best)",
        Axis(label="error", words=plain, low=0.0),
        ("ECE", 1, _calibrated("ece")),
        ("Brier", 6, _calibrated("brier")),
    ),
    "agreement": _agreement,
    "proposals": _over(
        "Proposals over the generations",
        SHARE,
        ("valid", 0, lambda g: g.proposals.valid_share),
        ("novel", 2, lambda g: g.proposals.novel_share),
        ("actor's tasks", 1, lambda g: g.actor_task_share),
    ),
}
"""The plots of any run, by the name in their URL."""
_LEVELS = {"levels-": (_TOKENS, lambda e: float(e.tokens)), "levels-time-": (_SECONDS, lambda e: e.seconds)}
"""The beginning of the names of plots that a run has one a mode of."""


def plots_of(story: Story) -> dict[str, Make]:
    """All plots of a run, by the name in their URL."""
    modes = {
        f"{head}{mode}": _levels(mode, x, at) for head, (x, at) in _LEVELS.items() for mode in examined(story)
    }
    return {**PLOTS, **modes}


def examined(story: Story) -> list[str]:
    """The modes that the sealed exam has items of."""
    met = {cell.mode for e in story.evaluations_of("sealed") for cell in e.cells}
    return [mode for mode in story.modes if mode in met]


def plot_of(run: RunView, name: str, *, titled: bool = False, broad: int = 760) -> str:
    """A plot on a page."""
    made = plots_of(run.story)[name](run.story)
    title = f"<h3>{safe(made.title)}</h3>" if titled else ""
    lines = [_thinned(line, _DRAWN) for line in made.lines]
    return title + shell.plot(f"{run.url}/plot/{name}", lines, made.x, made.y, broad=broad)


def plots_beside(run: RunView, names: Sequence[str]) -> str:
    """Plots with their titles next to each other, drawn as wide as their columns are: text keeps its size."""
    broad = 400 if len(names) == 3 else 520
    return beside(*(f"<div>{plot_of(run, name, titled=True, broad=broad)}</div>" for name in names))


def as_json(made: Plot) -> str:
    """The numbers of a plot as uPlot takes them: one list of x, and one a curve, with null where it has none."""
    xs, columns = _columns(made)
    return json.dumps(
        {
            "title": made.title,
            "x": made.x.label,
            "y": made.y.label,
            "names": [line.name for line in made.lines],
            "colours": [line.colour.removeprefix("var(").removesuffix(")") for line in made.lines],
            "joined": [line.joined for line in made.lines],
            "data": [xs, *columns],
        }
    )


def as_rows(made: Plot) -> tuple[list[str], list[list[Any]]]:
    """The numbers of a plot as a table."""
    xs, columns = _columns(made)
    head = [made.x.label, *(line.name for line in made.lines)]
    return head, [[x, *(column[at] for column in columns)] for at, x in enumerate(xs)]


def as_svg(made: Plot) -> str:
    """A plot as a file of its own, on light paper: colours are written out."""
    drawn = line_chart(made.lines, made.x, made.y, width=760, height=320, margin=150)
    named = dict(re.findall(r"(--[\w-]+): (#[0-9a-fA-F]+);", palette.css(dark=False)))
    drawn = re.sub(r"var\((--[\w-]+)\)", lambda found: named.get(found[1], "#000"), drawn)
    style = (
        "text{font-family:sans-serif}text:not([fill]){fill:#626c76}.grid{stroke:#e2e4e3}.axis{stroke:#626c76}"
        ".curve{fill:none;stroke-width:2.2}"
    )
    return drawn.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1).replace(
        ">", f"><style>{style}</style>", 1
    )


def _columns(made: Plot) -> tuple[list[float], list[list[float | None]]]:
    lines = [_thinned(line) for line in made.lines]
    xs = sorted({x for line in lines for x, _ in line.points})
    found = []
    for line in lines:
        values = dict(line.points)
        found.append([values.get(x) for x in xs])
    return xs, found


def _thinned(line: Line, most: int = _MOST) -> Line:
    """At most so many points: of each stretch its first, its lowest and its highest, so that no peak is lost."""
    if len(line.points) <= most:
        return line
    size = math.ceil(3 * len(line.points) / most)
    kept: list[tuple[float, float]] = []
    for at in range(0, len(line.points), size):
        stretch = list(line.points[at : at + size])
        low, high = min(stretch, key=lambda p: p[1]), max(stretch, key=lambda p: p[1])
        kept += sorted({stretch[0], low, high})
    return Line(
        name=line.name,
        colour=line.colour,
        points=kept,
        band=line.band[:: math.ceil(len(line.band) / most)] if line.band else (),
        dashed=line.dashed,
        joined=line.joined,
    )
