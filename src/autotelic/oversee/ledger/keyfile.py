"""A private key in a file that only its owner may read, as `PRIVATE+KEY+name+keyid+base64` and a newline."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from autotelic.errors import LedgerError
from autotelic.oversee.ledger import tables
from autotelic.oversee.ledger.notes import NoteSigner


def write_key(path: str | Path, signer: NoteSigner) -> None:
    """Write a new key, mode 0600. Raises LedgerError where the file exists."""
    path = Path(path)
    with tables.clearly(path):
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError as error:
            raise LedgerError(
                f"{path} exists already", "give another file; a key is never overwritten"
            ) from error
        with os.fdopen(descriptor, "w") as file:
            file.write(signer.skey + "\n")
            file.flush()
            os.fsync(file.fileno())


def read_key(path: str | Path) -> NoteSigner:
    """Read a key. Raises LedgerError where it is missing, malformed, or others may read or write it."""
    path = Path(path)
    with tables.clearly(path):
        if not path.is_file():
            raise LedgerError(f"the key {path} does not exist", "give the file that holds it")
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_bytes()
    if mode & 0o077:
        raise LedgerError(
            f"the key {path} may be used by others (mode {mode:04o})", f"run `chmod 600 {path}`"
        )
    try:
        return NoteSigner.parse(text.decode("ascii").removesuffix("\n"))
    except (LedgerError, UnicodeDecodeError) as error:
        raise LedgerError(f"{path} holds no key", "give a file with PRIVATE+KEY+name+keyid+base64") from error
