"""What the text of every program has in common."""

from __future__ import annotations

HEADER = "def f(x):"
"""The first line of every program."""


class ProgramError(ValueError):
    """Not a program: `reason` is a short stable word (`syntax`, `whitelist`, ...), `detail` says what was found."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
