import signal
import threading

import pytest

from autotelic.commands.interrupt import Interrupt
from autotelic.record import Event

EVENT = Event(id=1, time=0.0, generation=1, kind="stage", data={"name": "learn"})


def press():
    signal.raise_signal(signal.SIGINT)


def test_the_first_press_stops_at_the_next_event_and_only_once():
    said, seen = [], []
    with Interrupt(said.append) as interrupt:
        watch = interrupt.through(seen.append)
        watch(EVENT)
        press()
        assert said == ["stopping at the end of this step"]
        with pytest.raises(KeyboardInterrupt):
            watch(EVENT)
        watch(EVENT)  # what the loop tells while it closes gets through
    assert len(seen) == 3


def test_the_second_press_says_that_it_is_stopping_and_the_third_stops_at_once():
    said = []
    with Interrupt(said.append) as interrupt:
        interrupt.through(lambda event: None)(EVENT)
        press()
        press()
        assert "stopping already" in said[1]
        with pytest.raises(KeyboardInterrupt):
            press()


def test_before_the_first_event_a_press_stops_at_once():
    with Interrupt(print), pytest.raises(KeyboardInterrupt):
        press()


def test_afterwards_the_old_handler_is_back():
    before = signal.getsignal(signal.SIGINT)
    with Interrupt(print):
        assert signal.getsignal(signal.SIGINT) != before
    assert signal.getsignal(signal.SIGINT) == before
    assert threading.current_thread() is threading.main_thread()
