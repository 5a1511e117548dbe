"""A callback turned into an iterator: the work goes on in a thread, and waits for whoever iterates."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator

from autotelic.messages import Message

_LOOK = 0.2
"""Seconds after which a wait looks at whether the other side is still there."""


def handed_over(work: Callable[[Callable[[Message], None]], None]) -> Iterator[Message]:
    """The messages that `work` calls back with, one by one; it goes on when the next is asked for.

    What `work` raises is raised here. Closing the iterator, and Ctrl-C, raise KeyboardInterrupt in the work at
    its next message, and wait until it has ended.
    """
    box: queue.Queue[Message] = queue.Queue(maxsize=1)
    asked, stop, granted = threading.Semaphore(0), threading.Event(), threading.Event()
    failed: list[BaseException] = []

    def watch(message: Message) -> None:
        if not granted.is_set():
            box.put(message)
            while not asked.acquire(timeout=_LOOK) and not stop.is_set():
                pass
            if stop.is_set():
                granted.set()  # once only: what is recorded while the run closes gets through
                raise KeyboardInterrupt

    def worker() -> None:
        try:
            work(watch)
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=worker, name="autotelic-run", daemon=True)
    thread.start()
    try:
        while thread.is_alive() or not box.empty():
            try:
                message = box.get(timeout=_LOOK)
            except queue.Empty:
                continue
            yield message
            asked.release()
    finally:
        stop.set()
        while thread.is_alive():
            try:
                box.get(timeout=_LOOK)
            except queue.Empty:
                thread.join(_LOOK)
    if failed and not (granted.is_set() and isinstance(failed[0], KeyboardInterrupt)):
        raise failed[0]
