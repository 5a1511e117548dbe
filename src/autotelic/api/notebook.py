"""How far a run is, in a notebook: a small table that is written again about once a second."""

from __future__ import annotations

import html
import importlib
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from autotelic.messages import Message, RunStopped

_PAUSE = 0.8
"""Seconds between two pictures: a notebook keeps each of them in its file for a moment."""
Watch = Callable[[Message], None]


def in_notebook() -> bool:
    """Whether this is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and type(shell).__name__ == "ZMQInteractiveShell"


@contextmanager
def showing(progress: bool | None, watch: Watch | None, past: Iterable[Message] = ()) -> Iterator[Watch]:
    """What to hand to a run: `watch`, and beside it the progress, in a notebook or as lines of text.

    `past` are the messages that a run which goes on has recorded already.
    """
    if progress is False or (progress is None and not in_notebook()):
        yield watch or (lambda message: None)
        return
    view = Progress(past)

    def both(message: Message) -> None:
        view(message)
        if watch is not None:
            watch(message)

    yield both


class Progress:
    """Shows a run's stage, generation, scores and time. Where it cannot be shown, the run goes on without."""

    def __init__(self, past: Iterable[Message] = ()) -> None:
        from autotelic.dashboard.story import Story

        self._story = Story.of(past)
        self._stage = "start"
        self._shown_at = 0.0
        self._handle: Any = None
        self.lost = ""
        """Why nothing is shown any more."""

    def __call__(self, message: Message) -> None:
        self._story.add(message)
        self._stage = getattr(message, "stage", self._stage)
        last = isinstance(message, RunStopped)
        if self.lost or not (last or time.monotonic() - self._shown_at >= _PAUSE):
            return
        self._shown_at = time.monotonic()
        try:
            self._show(last)
        except Exception as error:  # of a display that is not ours: it must not cost the run
            self.lost = str(error) or type(error).__name__

    def _show(self, last: bool) -> None:
        if in_notebook():
            shown: Any = importlib.import_module("IPython.display")  # untyped
            picture = shown.HTML(table_of("done" if last else f"stage: {self._stage}", self._summary()))
            if self._handle is None:
                self._handle = shown.display(picture, display_id=True)
            else:
                self._handle.update(picture)
        else:
            sys.stderr.write(self.text() + "\n")

    def text(self) -> str:
        """The same in one line."""
        return ", ".join(f"{name} {value}" for name, value in rows_of(self._summary()).items())

    def _summary(self) -> dict[str, Any]:
        from autotelic.dashboard.summary import summarise

        return summarise(self._story)


def rows_of(summary: Mapping[str, Any]) -> dict[str, str]:
    """What a reader looks for first in a summary, in words."""
    from autotelic.dashboard.wording import clock, count, percent

    sealed = summary["sealed"]
    before = sealed["before"] or {}
    now = sealed["after"] or sealed["working"] or {}
    return {
        "generation": str(summary["generations"]),
        "time worked": clock(summary["seconds"]),
        "tokens trained": count(summary["tokens"]),
        "sealed exam before": percent(before.get("pass_at_1"), 1),
        "sealed exam now": percent(now.get("pass_at_1"), 1),
        "stopped": summary["stopped"] or "no",
    }


def table_of(title: str, summary: Mapping[str, Any]) -> str:
    """The rows as HTML. Text is escaped: a folder may be called anything."""
    cells = "".join(
        f"<tr><th style='text-align:left'>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>"
        for name, value in rows_of(summary).items()
    )
    return f"<table><caption>{html.escape(title)}</caption>{cells}</table>"
