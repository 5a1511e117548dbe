"""A private key in a file that only its owner may read, as `PRIVATE+KEY+name+keyid+base64` and a newline."""

from __future__ import annotations

from pathlib import Path

from autotelic.errors import LedgerError
from autotelic.oversee.ledger.notes import NoteSigner
from autotelic.oversee.secret_file import read_secret, write_secret

_FORM = "give a file with PRIVATE+KEY+name+keyid+base64"


def write_key(path: str | Path, signer: NoteSigner) -> None:
    """Write a new key. Raises OversightError where the file exists or cannot be made."""
    write_secret(Path(path), signer.skey + "\n")


def read_key(path: str | Path) -> NoteSigner:
    """Read a key. Raises OversightError where its owner is not alone with it, LedgerError where it is malformed."""
    text = read_secret(Path(path), "the key", _FORM)
    try:
        return NoteSigner.parse(text.removesuffix("\n"))
    except LedgerError as error:
        raise LedgerError(f"{path} holds no key", _FORM) from error
