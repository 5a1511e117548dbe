"""Intervals, bounds, paired tests and measures of predictions, used by exam, judge, oversee and the readers."""

from autotelic.statistics.bounded import mean_upper_bound
from autotelic.statistics.exact import binomial_tail, fisher_tail
from autotelic.statistics.intervals import (
    CONFIDENCE,
    RESAMPLES,
    mean_of_cells,
    mean_score,
    pass_at_k,
    share,
    wilson,
)
from autotelic.statistics.measures import auroc, brier, expected_calibration_error
from autotelic.statistics.paired import Comparison, compare

__all__ = [
    "CONFIDENCE",
    "RESAMPLES",
    "Comparison",
    "auroc",
    "binomial_tail",
    "brier",
    "compare",
    "expected_calibration_error",
    "fisher_tail",
    "mean_of_cells",
    "mean_score",
    "mean_upper_bound",
    "pass_at_k",
    "share",
    "wilson",
]
