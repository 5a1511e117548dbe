"""Ctrl-C as a wish to stop: granted at the next event, where the run's state is whole."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Self

from autotelic.dashboard.story import Told

Watch = Callable[[Told], None]


class Interrupt:
    """While entered, the first Ctrl-C raises `KeyboardInterrupt` from the next event, the third at once.

    Before the first event there is nothing to lose, so there the first raises at once too. `say` is called
    with what a person should know.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._pressed = 0
        self._heard = False
        self._granted = False

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGINT, self._press)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.signal(signal.SIGINT, self._before)

    def through(self, watch: Watch) -> Watch:
        """The callback for the loop: shows an event, then stops the run if that was asked for."""

        def watched(event: Told) -> None:
            self._heard = True
            watch(event)
            # Once only: what the loop tells while it is closing must get through.
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
