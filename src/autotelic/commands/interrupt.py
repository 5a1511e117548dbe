"""Ctrl-C, SIGTERM and SIGHUP as a wish to stop: granted at the next message, where the run's state is whole."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Self

from autotelic.messages import Message

Watch = Callable[[Message], None]
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What stops a run cleanly: Ctrl-C, a polite kill, a terminal that closed."""


class Interrupt:
    """While entered, the first signal raises KeyboardInterrupt from the next message, the third at once.

    Before the first message there is nothing to lose, so there the first raises at once too. `say` is called
    with what a person should know.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._pressed = 0
        self._heard = False
        self._granted = False

    def __enter__(self) -> Self:
        # `nohup` has SIGHUP ignored, so that a terminal that closes stops nothing.
        wanted = [n for n in SIGNALS if n != signal.SIGHUP or signal.getsignal(n) != signal.SIG_IGN]
        self._before = {number: signal.signal(number, self._press) for number in wanted}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def through(self, watch: Watch) -> Watch:
        """The callback for the loop: shows a message, then stops the run if that was asked for."""

        def watched(message: Message) -> None:
            self._heard = True
            watch(message)
            # Once only: what the loop records while it is closing must get through.
            if self._pressed and not self._granted:
                self._granted = True
                raise KeyboardInterrupt

        return watched

    def _press(self, signum: int, frame: FrameType | None) -> None:
        self._pressed += 1
        if not self._heard or self._pressed > 2:
            raise KeyboardInterrupt
        if self._pressed == 1:
            self._say("stopping at the end of this step")
        else:
            self._say(
                "stopping already, as soon as this step is done; once more stops at once and loses the step"
            )
