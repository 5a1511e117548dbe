"""The oversight folder of a run, and the overseer that lives in it.

    keys/            one file a key, 0600
    brake/           the brake's state and the certificates
    ledger.sqlite    the ledger
    witness.sqlite   the witness's own store
    public.txt       the public keys, for others
    exam.seed        the exam auditor's secret seed
    socket           where the overseer listens

At isolation grade A all of it is made at the start of a run, by the same user that trains. An independent overseer
has a folder of its own, which the trainer's user cannot read.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from autotelic.errors import AutotelicError, OversightError
from autotelic.oversee.auditor import Auditor
from autotelic.oversee.bodies import Founding
from autotelic.oversee.brake import Brake, Parts
from autotelic.oversee.host import FolderDisk, HostClock
from autotelic.oversee.keys import KeyRole, PrivateKey, PublicKey, make_keys, path_of, read_key
from autotelic.oversee.leasing import Terms
from autotelic.oversee.ledgered import peek
from autotelic.oversee.ledgers import LedgerWitness, open_log, open_witness
from autotelic.oversee.overseer import Overseer
from autotelic.oversee.protocols import BootClock
from autotelic.oversee.server import MOST_PATH

_PUBLIC = "public.txt"
TTL, SILENCE = 24 * 3_600_000, 2 * 3_600_000
"""Milliseconds that a lease lasts, and that a trainer may be silent: longer than a generation of a large model and
than its gate. The brake acts by its answers to beats; a lease that lasts gives nobody more than one that is renewed.
"""
GRADES = {
    "A": "same user: evidence only; whoever trains could forge it",
    "B": "another user of this machine: whoever trains needs root to forge it",
    "C": "another host: whoever trains needs that host to forge it",
}
"""What each grade of isolation is worth. They are shown wherever a grade is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What a run says of itself to its overseer: its id, its charter, its first weights, its trainer's key."""

    run: str
    charter: str
    start: str
    blob: str
    trainer: PublicKey


class StoredWeights:
    """The run's store of weights: files named by the sha256 of their bytes. Implements `WeightBytes`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def holds(self, blob: str) -> bool:
        digest = blob.removeprefix("sha256:")
        if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
            return False
        try:
            with (self.folder / f"{digest}.safetensors").open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == digest
        except OSError:
            return False


class House:
    """Opens the overseer of one oversight folder. `auditors` are made from their keys, by name."""

    def __init__(
        self, folder: Path, weights: Path, clock: BootClock | None = None, terms: Terms | None = None
    ) -> None:
        self.folder, self.weights = folder, weights
        self.clock = clock or HostClock()
        self.terms = terms or Terms(ttl=TTL, silence=SILENCE)

    @property
    def keys(self) -> Path:
        return self.folder / "keys"

    @property
    def socket(self) -> str:
        path = self.folder.resolve() / "socket"
        if len(os.fsencode(path)) > MOST_PATH:
            short = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
            path = Path(tempfile.gettempdir()) / f"autotelic-{os.geteuid()}-{short}" / "socket"
        return f"unix:{path}"

    def make_socket_folder(self) -> None:
        """The folder that the socket lies in. Raises OversightError where it is somebody else's."""
        folder = Path(self.socket.removeprefix("unix:")).parent
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        found = folder.lstat()
        if folder != self.folder.resolve() and (found.st_uid != os.geteuid() or found.st_mode & 0o077):
            raise OversightError(
                f"{folder} can be written by others", "remove it, or give a shorter run folder"
            )

    def key(self, role: KeyRole, name: str = "") -> PrivateKey:
        """A key of this folder. Raises OversightError where it is missing, wrong, or others may read it."""
        return read_key(path_of(self.keys, role, name or role), role)

    def make_keys(self) -> dict[tuple[KeyRole, str], PrivateKey]:
        """All keys that a run of grade A needs: those that are missing are made."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = make_keys(self.keys)
        lines = "".join(f"{key.public}\n" for key in made.values())
        FolderDisk(self.folder).write(_PUBLIC, lines.encode())
        return made

    def published(self, role: KeyRole) -> PublicKey:
        """The public key of a role that there is one of: what others pin."""
        content = FolderDisk(self.folder).read(_PUBLIC) or b""
        for key in map(PublicKey.parse, content.decode().splitlines()):
            if key.role == role:
                return key
        raise OversightError(
            f"{self.folder / _PUBLIC} has no key of the {role}", "`autotelic auditor --keys`"
        )

    def exam_seed(self) -> bytes:
        """The exam auditor's secret seed: drawn once, 32 bytes."""
        disk = FolderDisk(self.folder)
        found = disk.read("exam.seed")
        if found is None:
            disk.write("exam.seed", found := secrets.token_bytes(32))
        if len(found) != 32:
            raise OversightError(
                f"{self.folder / 'exam.seed'} is damaged", "restore it: the exam hangs on it"
            )
        return found

    def forget_exam_seed(self) -> None:
        """Remove the seed that was opened: whoever goes on draws another."""
        (self.folder / "exam.seed").unlink(missing_ok=True)

    def champion_blob(self) -> str:
        """The file in the store that the champion's tensors are in, as the brake's state says."""
        found = peek(FolderDisk(self.folder / "brake"), self.key("brake").public)
        if found is None:
            raise OversightError(f"{self.folder} holds no brake", "give the oversight folder of a run")
        return found.champion.blob

    def begin(
        self,
        about: Beginning,
        auditors: Sequence[Auditor],
        *,
        quorum: int,
        grade: Literal["A", "B", "C"] = "A",
        others: Sequence[PublicKey] = (),
        patience: float = 600.0,
    ) -> Overseer:
        """The overseer of a new run, or of the run that this folder has, under the charter that it began with.

        `others` are auditors that answer from elsewhere, and humans that may release the brake besides those here.
        """
        parties = [about.trainer, *(auditor.public for auditor in auditors), *others]
        parties += [self.key("log").public, self.key("witness").public]
        parties += [self.key("human", name).public for name in ("first", "second")]
        founding = Founding(
            run=about.run,
            charter=about.charter,
            start=about.start,
            blob=about.blob,
            quorum=quorum,
            grade=grade,
            keys=tuple(str(key) for key in dict.fromkeys(parties)),
        )
        return Overseer(lambda: self._brake(founding), auditors, patience)

    def again(self, auditors: Sequence[Auditor] = ()) -> Overseer:
        """The overseer of the run that this folder has, whatever its charter: to show, set or release the brake."""
        return Overseer(lambda: self._brake(None), auditors)

    def _brake(self, founding: Founding | None) -> Brake:
        """Found or open the brake. Called on the thread that the ledger will belong to."""
        disk = FolderDisk(self.folder / "brake")
        key = self.key("brake")
        if founding is None:
            found = peek(disk, key.public)
            if found is None:
                raise OversightError(f"{self.folder} holds no brake", "give the oversight folder of a run")
            run, charter = found.run, found.charter
        else:
            run, charter = founding.run, founding.charter
        log = self._log = open_log(self.folder, run, self.key("log"))
        try:
            witness = LedgerWitness(open_witness(self.folder, self.key("witness"), log.verifier))
            parts = Parts(
                disk=disk,
                log=log,
                clock=self.clock,
                witness=witness,
                weights=StoredWeights(self.weights),
                terms=self.terms,
            )
            if founding is not None and disk.read("brake.json") is None:
                return Brake.found(key, founding, parts)
            return Brake.open(key, run, charter, parts)
        except BaseException:
            log.close()
            raise

    def close(self, overseer: Overseer) -> None:
        """End an overseer of this folder: the ledger is folded and sealed."""
        with suppress(AutotelicError):  # what the witness has not seen, `verify` says
            overseer.on_brake(overseer.brake.cosign)
        overseer.close(lambda: self._log.close() if self._log is not None else None)
