"""Cosignatures of witnesses (c2sp.org/tlog-cosignature, Ed25519, `cosignature/v1`).

A cosignature says: as of this time, the largest consistent tree that the witness has seen of this log has this
root. It is a signature line under the log's checkpoint: 8 bytes of time (seconds since 1970, big-endian), then
64 bytes of Ed25519 over the time and the checkpoint's text.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from autotelic.errors import LedgerError
from autotelic.oversee.ledger.notes import (
    COSIGNATURE,
    NoteSigner,
    NoteVerifier,
    parse_signature,
    signature_line,
)


def cosigner(name: str, key: Ed25519PrivateKey) -> NoteSigner:
    """A witness's key: signs checkpoints with `cosign`, not notes."""
    return NoteSigner(name, key, COSIGNATURE)


def cosign(text: str, signer: NoteSigner, time: int) -> str:
    """A witness's signature line, newline included, over a checkpoint's text. `time` is seconds since 1970."""
    if signer.verifier.kind != COSIGNATURE:
        raise ValueError("a cosignature needs a key of a witness")
    if not 0 <= time < 2**63:
        raise LedgerError(f"a cosignature's time is from 0 to 2^63 - 1 seconds, not {time}")
    signature = signer.key.sign(_message(text, time))
    return signature_line(signer.verifier, time.to_bytes(8, "big") + signature)


def verify_cosignature(text: str, line: str, verifier: NoteVerifier) -> int:
    """The time of a cosignature over a checkpoint's text, in seconds since 1970.

    Raises LedgerError where the line is malformed, of another key, or does not verify.
    """
    if verifier.kind != COSIGNATURE:
        raise LedgerError(f"{verifier.name} is no key of a witness")
    signature = parse_signature(line.removesuffix("\n"))
    if not signature.by(verifier):
        raise LedgerError(f"the cosignature is by {signature.name}, not by the known key of {verifier.name}")
    if len(signature.data) != 72:
        raise LedgerError(
            f"a cosignature has 72 bytes, and that by {verifier.name} has {len(signature.data)}"
        )
    time = int.from_bytes(signature.data[:8], "big")
    if time >= 2**63 or not verifier.verify(_message(text, time), signature.data[8:]):
        raise LedgerError(f"the cosignature by {verifier.name} does not verify")
    return time


def _message(text: str, time: int) -> bytes:
    return f"cosignature/v1\ntime {time}\n{text}".encode()
