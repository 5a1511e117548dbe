"""The seams of oversight: what the brake, the door and the auditors need from outside.

The clock, the disk and the store of weights are arguments everywhere, so that the code that runs is the code that is
tested, on simulated ones. The ledger and the witness are processes of their own in the higher grades.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class BootClock(Protocol):
    """Time that nobody can set back. It starts again with each boot of the machine, and `boot` says which."""

    def now(self) -> int:
        """Milliseconds since the machine started."""

    def boot(self) -> str:
        """The id of this start of the machine."""

    def wall(self) -> float:
        """Seconds since the epoch: for people, never for a decision."""


class Disk(Protocol):
    """Small files that survive a power cut."""

    def read(self, name: str) -> bytes | None:
        """The content of a file, None where there is none."""

    def write(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all. When it returns, the content is on the disk.

        Raises OSError where it cannot be written.
        """


class LogHead(Protocol):
    """How long a ledger is, the root over it, and its signed checkpoint."""

    @property
    def size(self) -> int: ...
    @property
    def root(self) -> bytes: ...
    @property
    def checkpoint(self) -> str: ...


class Log(Protocol):
    """A ledger: an append-only Merkle log."""

    def append(self, leaves: Sequence[Mapping[str, Any]]) -> LogHead:
        """Append leaves in one commit; the head afterwards."""

    def head(self) -> LogHead: ...

    def prove_inclusion(self, index: int, size: int) -> Sequence[bytes]:
        """The hashes by which the leaf `index` is in the log of `size` leaves (RFC 6962, 2.1.1)."""


class HeadWitness(Protocol):
    """A witness: it signs a ledger's head only where it continues the last one that it has signed."""

    def cosign_head(self, log: Any) -> tuple[LogHead, str]:
        """The head of a ledger and the cosignature of it. Raises an AutotelicError where the head does not continue
        the last one, OSError where the witness cannot be reached.
        """


class LogReader(Protocol):
    """Checks what a ledger and its witness say, from public keys alone."""

    def check(
        self, leaf: Mapping[str, Any], index: int, proof: Sequence[bytes], checkpoint: str, cosignature: str
    ) -> None:
        """Raise OversightError unless this leaf is in the ledger of this checkpoint, which log and witness have
        signed.
        """


class WeightBytes(Protocol):
    """The run's store of weights, by content."""

    def holds(self, blob: str) -> bool:
        """Whether a file is there and its bytes have this sha256. It is read whole."""
