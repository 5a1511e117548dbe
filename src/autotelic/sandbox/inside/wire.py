"""The frames between the trusted side, the compiler and the zygote, and the page a candidate reports on.

Little-endian, fixed headers, lengths first. A candidate never holds a pipe: it reports on a shared mapping
that is read once its process is dead.
"""

from __future__ import annotations

import struct

from autotelic.sandbox.inside.encode import is_canonical

SOURCE = struct.Struct("<II")
"""To the compiler: job number, bytes of source that follow."""
COMPILED = struct.Struct("<IBxxxI")
"""From the compiler: job number, 1 if it compiled, bytes that follow (code, or why not)."""
PROGRAM = struct.Struct("<IIII")
"""To the zygote: job number, then the bytes of code, entry and inputs that follow."""
OUTCOME = struct.Struct("<IBBxxIIIII")
"""From the zygote: job number, state, signal or exit code, CPU and wall µs, peak KiB, results, printed."""

DONE, WALL, CPU, SIGNALLED, EXITED, GARBLED = range(6)
"""States of an outcome: finished; over a time limit; died; left early; what it reported makes no sense."""

PAGE = struct.Struct("<III")
"""Head of the shared mapping: FINISHED or 0, bytes of results, bytes printed; then both areas."""
FINISHED = 0x600D600D
ERROR_ROOM = 1 << 18
"""Bytes of the results area beyond the outputs' own, for error texts and one line a case."""
ERROR_KEPT = 1 << 15
"""Characters kept of all the errors of a run."""
ERROR_TEXT = 400
"""Characters kept of one error."""

# One line a case, in order; the first character says what it is. JSON here is ASCII and holds no newline.
OUTPUT, RAISED, OVERSIZED, UNENCODABLE = "=", "!", "%", "?"
BROKEN, ABSENT = "*", "-"
"""A single line instead: the program raised when loaded; the program defines no such function."""


def well_formed(results: bytes | bytearray) -> bool:
    """Whether results are what a candidate's report writes: complete lines, canonical JSON or printable text."""
    if not results.isascii():
        return False
    *lines, rest = results.decode("ascii").split("\n")
    for line in lines:
        tag, text = line[:1], line[1:]
        if not (is_canonical(text) if tag == OUTPUT else tag and tag in "!%?*-" and text.isprintable()):
            return False
    return not rest


def results_room(output_kb: int) -> int:
    """Bytes of the results area."""
    return (output_kb << 10) + ERROR_ROOM


def page_bytes(output_kb: int) -> int:
    """Bytes of the whole shared mapping, in full pages."""
    size = PAGE.size + results_room(output_kb) + (output_kb << 10)
    return -(-size // 4096) * 4096
