"""Forecasts of systems whose forcing drifts: ensembles judged by the fair CRPS."""

from autotelic.domains.forecast.domain import ForecastDomain

__all__ = ["ForecastDomain"]
