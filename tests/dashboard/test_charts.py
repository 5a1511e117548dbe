import doctest
import re
from itertools import pairwise
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from autotelic.dashboard import charts, palette
from autotelic.dashboard.charts import Axis, Line, bars, heat_map, line_chart, stacked_bar, ticks
from autotelic.dashboard.wording import percent

SHARE = Axis(label="share", words=percent, low=0.0, high=1.0)
ANY = Axis(label="x", words=str)
finite = st.floats(-1e12, 1e12, allow_nan=False)


def test_examples_in_the_docstrings() -> None:
    assert doctest.testmod(charts).failed == 0


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.integers(1, 12))
def test_ticks_lie_within_and_are_few(low: float, span: float, most: int) -> None:
    found = ticks(low, low + span, most, ANY)
    assert len(found) <= most + 2
    assert all(low - 1e-6 * span <= tick <= low + span * (1 + 1e-6) for tick in found)


@given(st.lists(st.tuples(st.text(max_size=8), st.lists(st.tuples(finite, finite), max_size=6)), max_size=6))
def test_any_lines_give_well_formed_svg(drawn: list[tuple[str, list[tuple[float, float]]]]) -> None:
    lines = [Line(name=name, colour="red", points=points) for name, points in drawn]
    lines = [line for line in lines if all(c.isprintable() for c in line.name)]
    ElementTree.fromstring(line_chart(lines, ANY, Axis(label="y", words=str)))


def test_labels_at_the_ends_of_lines_do_not_overlap() -> None:
    lines = [Line(name=f"n{k}", colour="red", points=[(0, 0), (1, 0.5 + k / 1000)]) for k in range(8)]
    svg = line_chart(lines, ANY, SHARE, height=300)
    rows = sorted(float(y) for y in re.findall(r'y="([\d.]+)" text-anchor="start"', svg))
    assert len(rows) == 8
    assert all(after - before >= 13.9 for before, after in pairwise(rows))


def test_names_cannot_be_markup() -> None:
    svg = line_chart([Line(name="<b>&", colour="red", points=[(0, 0), (1, 1)])], ANY, SHARE)
    svg += heat_map(["<i>"], [1], [[0.5]], words=percent, label='"&')
    svg += bars([("<u>", 2.0)], words=str, label="l") + stacked_bar([("<s>", 1.0, "red")], label="l")
    assert not re.search("<[bius]>", svg)
    ElementTree.fromstring(f"<x>{svg}</x>")


def test_nothing_measured_says_so() -> None:
    assert "Nothing was measured" in line_chart([], ANY, SHARE)
    assert "Nothing was measured" in heat_map([], [], [], words=percent, label="l")
    assert "None" in bars([], words=str, label="l")


def test_colours_come_for_light_and_dark_paper() -> None:
    for dark in (False, True):
        css = palette.css(dark)
        assert css.count("--hue-") == len(palette.HUES)
        assert css.count("--shade-") == palette.SHADES + 1
    assert palette.shade_index(0, 1) == 0
    assert palette.shade_index(7, 8) == palette.SHADES
