"""The compiler: turns source into code, and never runs any."""

from __future__ import annotations

import marshal
import os
import time
from collections.abc import Iterator

from autotelic.sandbox.inside.wire import COMPILED, ERROR_TEXT, SOURCE

MOST_CODE = 4 << 20
FLUSH_S = 0.002


def compiled(source: bytes) -> tuple[bool, bytes]:
    """The marshalled code of a program, or why it has none."""
    try:
        text = source.decode().removeprefix("\ufeff")  # as Python reads a file
        code = marshal.dumps(compile(text, "candidate", "exec", dont_inherit=True, optimize=0))
        if len(code) > MOST_CODE:
            raise OverflowError(f"its code is larger than {MOST_CODE} bytes")
        return True, code
    except SyntaxError as error:
        text = f"{type(error).__name__}: {error.msg} (line {error.lineno})"
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
    return False, text.encode("ascii", "backslashreplace")[:ERROR_TEXT]


def frames(fd: int) -> Iterator[list[tuple[int, bytes]]]:
    """The jobs that arrive on `fd`, as many at a time as are there; ends with the pipe."""
    held = bytearray()
    while piece := os.read(fd, 1 << 16):
        held += piece
        batch, start = [], 0
        while len(held) - start >= SOURCE.size:
            number, size = SOURCE.unpack_from(held, start)
            end = start + SOURCE.size + size
            if len(held) < end:
                break
            batch.append((number, bytes(held[start + SOURCE.size : end])))
            start = end
        del held[:start]
        if batch:
            yield batch


def serve(reader: int, writer: int) -> None:
    """Answer every job, in order, until the pipe closes."""
    for batch in frames(reader):
        pending, sent = bytearray(), time.monotonic()
        for number, source in batch:
            # No answer is kept back for long: the zygote on this core has work, and a silence means that the
            # program being compiled is the cause of it.
            if pending and time.monotonic() - sent > FLUSH_S:
                _write(writer, pending)
                sent = time.monotonic()
            good, body = compiled(source)
            pending += COMPILED.pack(number, good, len(body)) + body
        _write(writer, pending)


def _write(fd: int, data: bytearray) -> None:
    while data:
        del data[: os.write(fd, data)]
