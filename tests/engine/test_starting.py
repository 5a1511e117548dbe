"""A run starts with as many threads as pay, and a resume keeps to that number."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_broken_weights import CHARTER

from autotelic.engine import starting
from autotelic.engine.starting import begin, take_up


def test_a_resume_keeps_to_the_threads_it_began_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "paying_threads", lambda: 2)
    charter = CHARTER.replace({"budget.threads": 0})
    with begin(charter, tmp_path / "run", None, None, None) as run:
        assert run.crew.size == 2
        run.save()
    monkeypatch.setattr(starting, "paying_threads", lambda: 1)
    again = take_up(tmp_path / "run", None, None)
    assert again is not None
    with again:
        assert again.crew.size == 2


def test_a_charter_that_says_how_many_is_not_second_guessed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "paying_threads", lambda: 7)
    with begin(CHARTER, tmp_path / "run", None, None, None) as run:
        assert run.crew.size == CHARTER.budget.threads == 1
