"""A file with a secret: its owner alone may read it, and it is never written over."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from autotelic.errors import OversightError

_MODE = 0o600
_MOST = 1000
"""Characters that are read. A key has about a hundred."""


def write_secret(path: Path, text: str) -> None:
    """Write a new file, whole and on the disk. Raises OversightError where one is there or none can be."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, _MODE)
    except FileExistsError:
        raise OversightError(
            f"{path} exists already", "a key is not written over: give another name"
        ) from None
    except OSError as error:
        raise OversightError(f"{path} cannot be written: {error.strerror}", "check its folder") from error
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def read_secret(path: Path, what: str, fix: str) -> str:
    """The text of a file, `what` it holds and the `fix` being named in errors.

    Raises OversightError where it is missing, is a link, belongs to somebody else, or may be read by others.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise OversightError(f"{what} {path} is missing", fix) from None
    except OSError as error:
        raise OversightError(f"{what} {path} cannot be read: {error.strerror}", fix) from error
    with os.fdopen(descriptor) as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise OversightError(f"{what} {path} is no file", fix)
        if found.st_uid != os.geteuid():
            raise OversightError(f"{path} belongs to the user {found.st_uid}", "run as its owner")
        if stat.S_IMODE(found.st_mode) & 0o077:
            mode = stat.S_IMODE(found.st_mode)
            raise OversightError(f"others may read {path} (mode {mode:o})", f"`chmod 600 {path}`, and trust a "
                                 "key that others could read no more: make a new one")  # fmt: skip
        try:
            return file.read(_MOST)
        except (OSError, ValueError) as error:
            raise OversightError(f"{path} is no key: {error}", fix) from None
