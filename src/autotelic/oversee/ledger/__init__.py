"""The ledger and its witnesses: a record that cannot be rewritten unseen. Imports no torch.

A Merkle log (RFC 6962, RFC 9162) of canonical JSON in SQLite, with signed checkpoints and cosignatures in the
formats of C2SP. docs/ledger.md says what it shows and what it does not.
"""

from autotelic.oversee.ledger.checkpoints import TreeHead, open_checkpoint, sign_checkpoint
from autotelic.oversee.ledger.export import Export, export_ledger, verify_export
from autotelic.oversee.ledger.notes import NoteSigner, NoteVerifier
from autotelic.oversee.ledger.store import Head, Ledger
from autotelic.oversee.ledger.tlog_proof import TlogProof, verify_proof
from autotelic.oversee.ledger.verify import LedgerReport, verify_ledger
from autotelic.oversee.ledger.witness import Cosigner, Witness, WitnessRefusalError, read_latest
from autotelic.oversee.ledger.witness_http import WitnessClient, WitnessServer
from autotelic.oversee.ledger.witnessing import HistoryError, cosign_head

__all__ = [
    "Cosigner",
    "Export",
    "Head",
    "HistoryError",
    "Ledger",
    "LedgerReport",
    "NoteSigner",
    "NoteVerifier",
    "TlogProof",
    "TreeHead",
    "Witness",
    "WitnessClient",
    "WitnessRefusalError",
    "WitnessServer",
    "cosign_head",
    "export_ledger",
    "open_checkpoint",
    "read_latest",
    "sign_checkpoint",
    "verify_export",
    "verify_ledger",
    "verify_proof",
]
