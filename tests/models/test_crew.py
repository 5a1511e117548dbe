"""A crew gives what one thread would, in order, and passes errors on."""

from __future__ import annotations

import os
import threading
import time

import pytest
import torch

from autotelic.models import crew as crews
from autotelic.models.crew import Crew, autotune_threads


def test_results_come_in_order_from_several_threads() -> None:
    crew = Crew(3)
    meeting = threading.Barrier(3, timeout=10)  # only passed if all three run at once

    def work(share: int) -> tuple[int, int]:
        meeting.wait()
        time.sleep(0.02 * (3 - share))
        return share, torch.get_num_threads()

    assert crew.map(work, [0, 1, 2]) == [(0, 1), (1, 1), (2, 1)]
    crew.close()


def test_one_works_in_the_callers_thread() -> None:
    assert Crew(1).map(lambda _: threading.get_ident(), [0, 1]) == [threading.get_ident()] * 2


def test_fewer_hands_take_the_same_shares() -> None:
    seen: set[int] = set()

    def work(share: int) -> int:
        seen.add(threading.get_ident())
        return share * share

    for hands in (1, 2):
        seen.clear()
        crew = Crew(5, hands)
        assert crew.map(work, range(5)) == [0, 1, 4, 9, 16]
        assert crew.size == 5
        assert len(seen) <= hands
        crew.close()
    assert Crew(2, 7).hands == 2


def test_an_error_is_raised_once_all_have_ended() -> None:
    crew, ended = Crew(2), []

    def work(share: int) -> None:
        if share == 0:
            raise FloatingPointError("NaN")
        time.sleep(0.05)
        ended.append(share)

    with pytest.raises(FloatingPointError):
        crew.map(work, [0, 1])
    assert ended == [1]
    crew.close()


def test_an_empty_crew_is_refused() -> None:
    with pytest.raises(ValueError, match="1 or more"):
        Crew(0)


def test_threads_are_as_many_as_pay(monkeypatch: pytest.MonkeyPatch) -> None:
    rates = {1: 100.0, 2: 150.0, 4: 170.0}
    monkeypatch.setattr(crews, "_rate", lambda threads: rates[threads])
    assert autotune_threads(4) == 2  # four are hardly quicker
    assert autotune_threads(2) == 2
    rates[2], rates[4] = 30.0, 5.0  # a busy neighbour
    assert autotune_threads(4) == 1


def test_a_trial_finds_some_number_and_leaves_no_thread() -> None:
    before = threading.active_count()
    assert 1 <= autotune_threads() <= (os.cpu_count() or 1)
    assert threading.active_count() == before
