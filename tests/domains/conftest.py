"""What the tests of domains share: one sandbox, since starting one costs more than most tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from autotelic.domains.python import PythonDomain
from autotelic.sandbox import Limits, Sandbox

# A busy machine must not fail a test.
settings.register_profile("domains", deadline=None)
settings.load_profile("domains")


@pytest.fixture(scope="session")
def box() -> Iterator[Sandbox]:
    with Sandbox(Limits(wall_s=2.0), workers=1, require="L0") as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def domain(box: Sandbox) -> PythonDomain:
    return PythonDomain(box)
