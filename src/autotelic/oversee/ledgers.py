"""The ledger and its witness, as the brake and the door use them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from autotelic.errors import LedgerError, OversightError
from autotelic.oversee.keys import PrivateKey
from autotelic.oversee.ledger import Cosigner, Ledger, NoteVerifier, TlogProof, Witness, verify_proof
from autotelic.oversee.ledger.leaves import encode_leaf
from autotelic.oversee.ledger.notes import COSIGNATURE, ED25519
from autotelic.oversee.ledger.witnessing import ask
from autotelic.oversee.permits import Trust
from autotelic.oversee.protocols import LogHead

LEDGER, WITNESS = "ledger.sqlite", "witness.sqlite"
"""Files of an oversight folder."""


def origin_of(run: str) -> str:
    """The name of a run's ledger, for ever."""
    return f"autotelic/{run}"


def open_log(folder: Path, run: str, key: PrivateKey) -> Ledger:
    """The ledger of an oversight folder; it is begun where there is none and the run is new."""
    path, raw = folder / LEDGER, _raw(key)
    if path.exists():
        return Ledger.open(path, raw)
    if (folder / "brake" / "brake.json").exists():
        raise OversightError(
            f"{path} is gone", "restore it from a copy: a run does not go on without its ledger"
        )
    return Ledger.create(path, raw, origin_of(run))


def open_witness(folder: Path, key: PrivateKey, log: NoteVerifier) -> Witness:
    """The witness of an oversight folder, with a store of its own."""
    path, raw = folder / WITNESS, _raw(key)
    if path.exists():
        return Witness.open(path, raw)
    if (folder / "brake" / "brake.json").exists():
        raise OversightError(
            f"{path} is gone", "restore it: without its memory it would sign a second history"
        )
    witness = Witness.create(path, raw, key.public.name)
    witness.add_log(log)
    return witness


class LedgerWitness:
    """A witness in this process or elsewhere. Implements `HeadWitness`."""

    def __init__(self, cosigner: Cosigner) -> None:
        self.cosigner = cosigner

    def cosign_head(self, log: Any) -> tuple[LogHead, str]:
        """The head and its cosignature, which the ledger keeps too. Raises LedgerError where there is none."""
        head, line = ask(log, self.cosigner)
        log.add_cosignature(head.size, line, self.cosigner.verifier)
        return head, line


class LedgerReader:
    """Checks inclusion, the log's signature and the witness's, from public keys. Implements `LogReader`."""

    def __init__(self, origin: str, log: bytes, witness: str, key: bytes) -> None:
        self.origin = origin
        self.log = NoteVerifier(origin, ED25519, log)
        self.witness = NoteVerifier(witness, COSIGNATURE, key)

    @classmethod
    def of(cls, trust: Trust) -> LedgerReader:
        """By the keys that a run's founding names."""
        logs, witnesses = trust.of_role("log"), trust.of_role("witness")
        if len(logs) != 1 or len(witnesses) != 1:
            raise OversightError("a run has one log and one witness", "found it with one key of each")
        return cls(origin_of(trust.run), logs[0].raw, witnesses[0].name, witnesses[0].raw)

    def check(
        self, leaf: Mapping[str, Any], index: int, proof: Sequence[bytes], checkpoint: str, cosignature: str
    ) -> None:
        whole = TlogProof(index, tuple(proof), f"{checkpoint.rstrip(chr(10))}\n{cosignature}")
        try:
            verify_proof(whole, encode_leaf(leaf), self.origin, self.log, [self.witness])
        except LedgerError as error:
            raise OversightError(f"the ledger does not show it: {error.cause}", error.fix) from error


def _raw(key: PrivateKey) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(key.seed)
