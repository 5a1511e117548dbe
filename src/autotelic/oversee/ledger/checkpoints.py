"""Checkpoints (c2sp.org/tlog-checkpoint): a signed note that says how large a log is and what its root is.

    example.com/log
    20852163
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

    — example.com/log Az3grlgtzPICa5OS8...

Read strictly, as the specification has it: 32-byte roots, no leading zeros, canonical base64, no empty lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from autotelic.errors import LedgerError
from autotelic.oversee.ledger.lines import MAX_SIZE, decode_base64, decode_decimal, encode_base64
from autotelic.oversee.ledger.merkle import EMPTY_ROOT, HASH_BYTES
from autotelic.oversee.ledger.notes import NoteSigner, NoteVerifier, check_text, open_note


@dataclass(frozen=True, slots=True)
class TreeHead:
    """What a checkpoint says: the log's `origin`, its `size` in leaves, its `root` of 32 bytes."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()
    """Further lines of the checkpoint. We write none."""

    def __post_init__(self) -> None:
        if not self.origin or "\n" in self.origin:
            raise LedgerError("a checkpoint's origin is one line that is not empty")
        if not 0 <= self.size <= MAX_SIZE:
            raise LedgerError(f"a checkpoint's size is from 0 to 2^63 - 1, not {self.size}")
        if len(self.root) != HASH_BYTES:
            raise LedgerError(f"a checkpoint's root has {HASH_BYTES} bytes, not {len(self.root)}")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise LedgerError("a checkpoint of size 0 has another root than the empty tree")
        if not all(line and "\n" not in line for line in self.extensions):
            raise LedgerError("a checkpoint's further lines are not empty")

    @classmethod
    def parse(cls, text: str) -> Self:
        """From the text of a note. Raises LedgerError where it is not a checkpoint's."""
        check_text(text)
        lines = text.removesuffix("\n").split("\n")
        if len(lines) < 3:
            raise LedgerError(f"a checkpoint has three lines or more, not {len(lines)}")
        size = decode_decimal(lines[1], "the checkpoint's size")
        root = decode_base64(lines[2], "the checkpoint's root")
        return cls(lines[0], size, root, tuple(lines[3:]))

    @property
    def text(self) -> str:
        """The text that is signed."""
        return "\n".join((self.origin, str(self.size), encode_base64(self.root), *self.extensions, ""))


def sign_checkpoint(head: TreeHead, signer: NoteSigner) -> str:
    """The checkpoint as a signed note."""
    return signer.sign(head.text)


def open_checkpoint(checkpoint: str | bytes, origin: str, known: Sequence[NoteVerifier]) -> TreeHead:
    """What a checkpoint says, once a known key is seen to have signed it and its origin is the one expected."""
    text, _ = open_note(checkpoint, known)
    head = TreeHead.parse(text)
    if head.origin != origin:
        raise LedgerError(f"the checkpoint is of the log {head.origin!r}, not of {origin!r}")
    return head
