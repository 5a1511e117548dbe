"""Numbers and times as a person reads them; `–` where nothing was measured."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, TypeGuard

from autotelic.types import Image, Observation, Score, text_of


class Measures(NamedTuple):
    """What the scores of an exam are called: of greedy answers, of the best of eight samples, of the one of
    eight that the critic ranks first, and what `the best` means.
    """

    one: str
    best: str
    chosen: str
    means: str


SUCCESS = Measures("pass@1", "pass@8", "best of 8", "any of 8 samples right")
REWARD = Measures("reward", "best reward of 8", "critic's choice of 8", "the best of 8 samples")
"""Names where a domain knows no success: rewards, with the lowest of its scale as 0 % and the highest as 100 %."""
MISSING = "–"
_BARS = "▁▂▃▄▅▆▇█"
_PREFIXES = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def percent(share: float | None, digits: int = 0) -> str:
    """A share in [0, 1] as a percentage.

    >>> percent(0.416), percent(0.416, 1), percent(None)
    ('42 %', '41.6 %', '–')
    """
    return MISSING if not _known(share) else f"{100 * share:.{digits}f} %"


def known(value: float | None) -> float | None:
    """A finite number, or None: programs that read JSON have no nan.

    >>> known(0.5), known(float("nan"))
    (0.5, None)
    """
    return value if _known(value) else None


def short(reference: str) -> str:
    """The beginning of a digest, for people.

    >>> short("sha256:0123456789abcdef")
    '0123456789ab'
    """
    return reference.removeprefix("sha256:")[:12]


def interval(score: Score | None, digits: int = 0) -> str:
    """A score with its 95 % interval.

    >>> interval(Score(value=0.5, low=0.41, high=0.59, n=120))
    '50 % (41–59)'
    """
    if score is None:
        return MISSING
    return f"{percent(score.value, digits)} ({100 * score.low:.{digits}f}–{100 * score.high:.{digits}f})"


def decimal(value: float | None, digits: int = 2) -> str:
    """A plain number, such as an AUROC or a loss.

    >>> decimal(0.8149), decimal(None)
    ('0.81', '–')
    """
    return MISSING if not _known(value) else f"{value:.{digits}f}"


def plain(value: float | None) -> str:
    """A number of any size in three digits. None of them can be taken for thousands.

    >>> plain(0.0625), plain(2.5), plain(61_234.5)
    ('0.0625', '2.5', '61.2k')
    """
    if not _known(value):
        return MISSING
    return count(value) if abs(value) >= 1000 else f"{value:.3g}"


def count(value: float | None) -> str:
    """A count, with a prefix where it is large.

    >>> count(950), count(12345), count(3_100_000)
    ('950', '12.3k', '3.1M')
    """
    if not _known(value):
        return MISSING
    for size, prefix in _PREFIXES:
        if abs(value) >= 0.99995 * size:
            return f"{value / size:.3g}{prefix}" if abs(value) < 100 * size else f"{value / size:.0f}{prefix}"
    return f"{value:.0f}"


def clock(seconds: float | None) -> str:
    """A duration.

    >>> clock(7.24), clock(83), clock(3671)
    ('7.2 s', '1:23', '1:01:11')
    """
    if not _known(seconds):
        return MISSING
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def sparkline(values: Sequence[float], width: int, top: float = 1.0) -> str:
    """The last `width` values as bars from 0 to `top`, padded on the left.

    >>> sparkline([0.0, 0.5, 1.0], 4)
    ' ▁▅█'
    """
    shown = values[-width:] if width > 0 else []
    steps = len(_BARS) - 1
    bars = [_BARS[round(min(max(value / top, 0.0), 1.0) * steps)] for value in shown]
    return "".join(bars).rjust(width)


def bar(share: float | None, width: int) -> str:
    """A horizontal bar, filled to `share` of `width` columns.

    >>> bar(0.5, 4)
    '━━──'
    """
    filled = round(width * min(max(share if _known(share) else 0.0, 0.0), 1.0))
    return "━" * filled + "─" * (width - filled)


def _known(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)


def words_of(observation: Observation) -> str:
    """An observation as a person reads it in a terminal: its words, and a picture as the beginning of its digest."""
    if isinstance(observation, str):
        return observation
    return "".join(
        f"[picture {part.digest[:19]}]\n" if isinstance(part, Image) else text_of((part,))
        for part in observation
    )
