"""The words that C2SP text formats are made of, read strictly: one value has exactly one spelling."""

from __future__ import annotations

import base64
import binascii

from autotelic.errors import LedgerError

MAX_SIZE = 2**63 - 1
"""The largest size of a tree: a consistency proof has at most 63 hashes."""


def encode_base64(data: bytes) -> str:
    """Standard base64 with padding (RFC 4648, section 4)."""
    return base64.b64encode(data).decode()


def decode_base64(text: str, what: str) -> bytes:
    """The bytes of a base64 text. `what` names it in the error.

    Raises LedgerError for another alphabet, wrong padding, or stray bits: two texts are never one value.
    """
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise LedgerError(f"{what} is not base64: {text[:60]!r}") from error
    if encode_base64(data) != text:
        raise LedgerError(f"{what} is not canonical base64: {text[:60]!r}")
    return data


def decode_decimal(text: str, what: str) -> int:
    """An ASCII decimal without sign or leading zeros, at most `MAX_SIZE`."""
    if not text.isascii() or not text.isdigit() or len(text) > 19 or (text[0] == "0" and text != "0"):
        raise LedgerError(f"{what} is not a decimal number without leading zeros: {text[:60]!r}")
    number = int(text)
    if number > MAX_SIZE:
        raise LedgerError(f"{what} is above 2^63 - 1: {text}")
    return number
