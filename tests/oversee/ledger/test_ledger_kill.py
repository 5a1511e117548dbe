"""`kill -9` in the middle of everything: what was acknowledged is there, and nothing is torn."""

from __future__ import annotations

import pytest

from bench.ledger_kills import start


@pytest.mark.parametrize("every", [43, pytest.param(1, marks=[pytest.mark.slow, pytest.mark.timeout(1200)])])
def test_kill_at_writes(every: int) -> None:
    found = start(every)
    if found is None:
        pytest.skip("no C compiler")
    assert found["problems"] == []
    assert found["kills"] == 2 * len(range(0, found["calls"], every))
    assert found["calls"] > 100
