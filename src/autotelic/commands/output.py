"""Standard output and error as they are: closed, full, a pipe that nobody reads, a terminal of any encoding."""

from __future__ import annotations

import codecs
import io
import os
import sys
from collections.abc import Callable
from typing import TextIO

PLAIN = str.maketrans("–—−━─×≤≥≈·•…’‘“”✓✗►▼▲ ▁▂▃▄▅▆▇█", "---=-x<>~..." + "''" + '""' + "vx>v^ " + "_..--==#")
"""What stands for each of our characters where an encoding has none of them. Each is one column wide."""
_ERRORS = "autotelic-plain"


def _plainer(error: UnicodeError) -> tuple[str | bytes, int]:
    """Characters that an encoding does not have: bytes of a file's name as they are, ours as their likeness,
    others as `?`.
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    if all("\udc80" <= character <= "\udcff" for character in text):
        return text.encode("utf-8", "surrogateescape"), error.end
    told = text.translate(PLAIN).encode("ascii", "replace")
    return told.decode("ascii"), error.end


codecs.register_error(_ERRORS, _plainer)


def prepare() -> None:
    """Make the three standard streams usable for everything that follows.

    One that is closed becomes `/dev/null`: otherwise the next file that is opened takes its number, and what
    is printed ends up in a run's journal. What an encoding cannot say is said in its nearest characters.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free, which is this one
    # Python has None for a stream that was closed when it began.
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_ERRORS)


def silence(stream: TextIO) -> None:
    """Send what a stream still has, and gets, nowhere: Python would fail to flush it at its end."""
    try:
        number = stream.fileno()
    except (OSError, ValueError):
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)


class Lasting(io.TextIOBase):
    """A stream for what is shown beside the work, which must never cost the work.

    When it cannot be written any more (the reader of a pipe went away, the disk of a log is full, the
    terminal is closed) it falls silent, and calls `tell` once with the reason.
    """

    def __init__(self, stream: TextIO, tell: Callable[[str], None]) -> None:
        self._stream = stream
        self._tell = tell
        self.lost = False

    def write(self, text: str) -> int:
        if not self.lost:
            try:
                self._stream.write(text)
            except OSError as error:
                self._lose(error)
        return len(text)

    def flush(self) -> None:
        if not self.lost:
            try:
                self._stream.flush()
            except OSError as error:
                self._lose(error)

    def _lose(self, error: OSError) -> None:
        self.lost = True
        silence(self._stream)
        self._tell(error.strerror or str(error))

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return not self.lost and self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """That of the stream: rich asks for it."""
        return self._stream.encoding
