"""Proofs that something is in a log, checked without the log (c2sp.org/tlog-proof).

c2sp.org/tlog-proof@v1
index 73894
gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=
...

example.com/log
109482
sFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=

— example.com/log hI2DJw...
— witness.example mJirIk...
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from autotelic.errors import LedgerError
from autotelic.oversee.ledger.checkpoints import TreeHead, open_checkpoint
from autotelic.oversee.ledger.cosignatures import verify_cosignature
from autotelic.oversee.ledger.lines import decode_base64, decode_decimal, encode_base64
from autotelic.oversee.ledger.merkle import HASH_BYTES, hash_leaf, verify_inclusion
from autotelic.oversee.ledger.notes import COSIGNATURE, Note, NoteVerifier, signature_line

FIRST_LINE = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True, slots=True)
class TlogProof:
    """A leaf's `index`, its audit path of 32-byte `hashes`, and a signed checkpoint."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str
    extra: bytes | None = None
    """Not authenticated by anything."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """From its text; the checkpoint is kept as it is, and checked by `verify_proof`."""
        head, gap, checkpoint = text.partition("\n\n")
        lines = head.split("\n")
        if not gap or lines.pop(0) != FIRST_LINE:
            raise LedgerError(f"not a proof: it does not begin with {FIRST_LINE}, or holds no checkpoint")
        extra = None
        if lines and lines[0].startswith("extra "):
            extra = decode_base64(lines.pop(0).removeprefix("extra "), "the proof's extra data")
        if not lines or not lines[0].startswith("index "):
            raise LedgerError("the proof has no line with the index")
        index = decode_decimal(lines.pop(0).removeprefix("index "), "the proof's index")
        hashes = tuple(decode_base64(line, "a hash of the proof") for line in lines)
        if any(len(one) != HASH_BYTES for one in hashes):
            raise LedgerError(f"a hash of the proof has not {HASH_BYTES} bytes")
        return cls(index, hashes, checkpoint, extra)

    @property
    def text(self) -> str:
        """The proof as text."""
        lines = [FIRST_LINE]
        if self.extra is not None:
            lines.append(f"extra {encode_base64(self.extra)}")
        lines.append(f"index {self.index}")
        return "\n".join([*lines, *map(encode_base64, self.hashes), "", self.checkpoint])


def verify_proof(
    proof: TlogProof,
    leaf: bytes,
    origin: str,
    log: NoteVerifier,
    witnesses: Sequence[NoteVerifier] = (),
    quorum: int | None = None,
) -> TreeHead:
    """The tree that `leaf` is shown to be in.

    Raises LedgerError unless the log has signed the checkpoint, `quorum` of the witnesses (all of them where it
    is None) have cosigned it, and the audit path leads from the leaf's data to its root.
    """
    head = open_checkpoint(proof.checkpoint, origin, [log])
    cosigned = cosigners(proof.checkpoint, witnesses)
    needed = len(witnesses) if quorum is None else quorum
    if len(cosigned) < needed:
        raise LedgerError(f"{len(cosigned)} witnesses have cosigned the checkpoint, and {needed} are needed")
    if not verify_inclusion(proof.index, head.size, hash_leaf(leaf), proof.hashes, head.root):
        raise LedgerError(f"the proof does not lead from leaf {proof.index} to the checkpoint's root")
    return head


def cosigners(checkpoint: str, witnesses: Sequence[NoteVerifier]) -> dict[str, int]:
    """Which of the witnesses have cosigned a checkpoint, by their vkey, and when (seconds since 1970).

    A key counts once. Raises LedgerError where a line that claims to be a known witness's does not verify.
    """
    note = Note.parse(checkpoint)
    found: dict[str, int] = {}
    for witness in witnesses:
        if witness.kind != COSIGNATURE:
            raise LedgerError(f"{witness.name} is no key of a witness")
        for line in note.signatures:
            if line.by(witness) and witness.vkey not in found:
                text = signature_line(witness, line.data)
                found[witness.vkey] = verify_cosignature(note.text, text, witness)
    return found
