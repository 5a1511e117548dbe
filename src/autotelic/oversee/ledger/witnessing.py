"""Having a ledger's head cosigned, and what it means when a witness says no."""

from __future__ import annotations

from autotelic.errors import LedgerError
from autotelic.oversee.ledger.store import Head, Ledger
from autotelic.oversee.ledger.witness import Cosigner, WitnessRefusalError


class HistoryError(LedgerError):
    """The ledger and a witness hold two histories: one of them was rewritten, cut short or restored from a copy."""


def cosign_head(ledger: Ledger, witness: Cosigner) -> str:
    """Have the head cosigned, and keep the signature line in the ledger. Returns the line.

    A witness that is ahead of what the ledger knows, because an answer was lost, is asked again from where it
    is. Raises HistoryError where the two do not agree, and LedgerError where the witness cannot be reached.
    """
    head, line = ask(ledger, witness)
    ledger.add_cosignature(head.size, line, witness.verifier)
    return line


def ask(ledger: Ledger, witness: Cosigner) -> tuple[Head, str]:
    """The head and a witness's signature line of it, which is not kept. Raises what `cosign_head` does."""
    head = ledger.head()
    known = ledger.cosigned(witness.verifier)
    size = head.size
    name = witness.verifier.name
    old = known
    for _ in range(3):  # another process may have the same ledger cosigned in between
        try:
            return head, witness.cosign(old, ledger.prove_consistency(old, size), head.checkpoint)
        except WitnessRefusalError as refusal:
            if refusal.status == 422:
                raise HistoryError(
                    f"the first {old} leaves of {ledger.path} are not those that {name} has cosigned",
                    "the ledger was rewritten: restore the one that was cosigned",
                ) from refusal
            if refusal.status != 409 or refusal.size is None:
                raise
            if refusal.size > size:
                raise HistoryError(
                    f"{ledger.path} has {size} leaves, and {name} has cosigned {refusal.size}",
                    "the ledger was cut short or restored from an old copy: restore the newest",
                ) from refusal
            if refusal.size < known:
                raise HistoryError(
                    f"{name} has {refusal.size} leaves, and has cosigned {known} before",
                    "the witness has lost what it had: do not trust it any more",
                ) from refusal
            if refusal.size == old:
                raise HistoryError(
                    f"{name} has cosigned another tree of {old} leaves than that of {ledger.path}",
                    "the ledger was rewritten: restore the one that was cosigned",
                ) from refusal
            old = refusal.size
    raise LedgerError(f"{name} changes faster than this process asks", "let one process append to the ledger")
