"""Signals as in a terminal."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from autotelic.commands.interrupt import SIGNALS


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    """The signals do what they do in a terminal, whatever started the tests: `nohup` ignores SIGHUP, a shell's
    `&` SIGINT. Whatever a test leaves behind, they do afterwards what they did before.
    """
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number in SIGNALS:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
