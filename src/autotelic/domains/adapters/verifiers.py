"""A taskset of verifiers 0.4 as a domain: `domain.name = "verifiers:TASKSET"`."""

from __future__ import annotations

import os
import sys

from autotelic.domains.adapters.environments import EnvironmentDomain
from autotelic.types import Range

PYTHON = "AUTOTELIC_VERIFIERS_PYTHON"
"""The environment variable with the Python that has verifiers: its requirements clash with those of others."""


class VerifiersDomain(EnvironmentDomain):
    """Tasks of one turn, scored by their own rewards, in a Python that may be another than ours.

    Raises DomainError where there is no such taskset, or it cannot be loaded.
    """

    def __init__(self, name: str, style: str = "compact") -> None:
        super().__init__(
            "verifiers",
            name,
            fix=f"pip install verifiers==0.4.0 in an environment of its own, and set {PYTHON} to its python",
            scale=Range(low=0.0, high=1.0),
            style=style,
            python=os.environ.get(PYTHON, sys.executable),
        )
