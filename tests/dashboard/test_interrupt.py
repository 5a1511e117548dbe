"""Ctrl-C and its kin as a wish to stop."""

from __future__ import annotations

import signal
import threading

import pytest

from autotelic.commands.interrupt import SIGNALS, Interrupt
from autotelic.messages import Message, StageBegan

MESSAGE = StageBegan(stage="learn")


def press(number: int = signal.SIGINT) -> None:
    signal.raise_signal(number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_stops_at_the_next_message_and_only_once(number: int) -> None:
    said: list[str] = []
    seen: list[Message] = []
    with Interrupt(said.append) as interrupt:
        watch = interrupt.through(seen.append)
        watch(MESSAGE)
        press(number)
        assert said == ["stopping at the end of this step"]
        with pytest.raises(KeyboardInterrupt):
            watch(MESSAGE)
        watch(MESSAGE)  # what the loop records while it closes gets through
    assert len(seen) == 3


def test_the_second_press_says_that_it_is_stopping_and_the_third_stops_at_once() -> None:
    said: list[str] = []
    with Interrupt(said.append) as interrupt:
        interrupt.through(lambda message: None)(MESSAGE)
        press()
        press(signal.SIGTERM)
        assert "stopping already" in said[1]
        with pytest.raises(KeyboardInterrupt):
            press()


def test_before_the_first_message_a_press_stops_at_once() -> None:
    with Interrupt(print), pytest.raises(KeyboardInterrupt):
        press()


def test_afterwards_the_old_handlers_are_back() -> None:
    before = {number: signal.getsignal(number) for number in SIGNALS}
    with Interrupt(print):
        assert all(signal.getsignal(number) != handler for number, handler in before.items())
    assert {number: signal.getsignal(number) for number in SIGNALS} == before
    assert threading.current_thread() is threading.main_thread()


def test_under_nohup_a_terminal_that_closes_stops_nothing() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    seen: list[Message] = []
    with Interrupt(print) as interrupt:
        watch = interrupt.through(seen.append)
        watch(MESSAGE)
        press(signal.SIGHUP)
        watch(MESSAGE)
    assert len(seen) == 2
