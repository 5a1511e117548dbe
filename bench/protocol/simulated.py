"""A simulated machine for the brake's real code: a clock, a disk, a ledger and a witness that fail as they are told.

Each can die before or after what it does to its disk, be full, or be put back to an older copy.
"""

from __future__ import annotations

import base64
import errno
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from autotelic.canonical import canonical
from autotelic.errors import OversightError
from autotelic.oversee.keys import PrivateKey, PublicKey

When = Literal["before", "after"]


class Died(BaseException):
    """The process was killed here."""


class SimClock:
    """Milliseconds since the simulated boot."""

    def __init__(self) -> None:
        self.milliseconds = 1_000
        self.booted = 1
        self.offset = 0

    def now(self) -> int:
        return self.milliseconds

    def boot(self) -> str:
        return f"boot-{self.booted}"

    def wall(self) -> float:
        return (self.milliseconds + self.offset) / 1000

    def reboot(self) -> None:
        self.milliseconds, self.booted = 0, self.booted + 1


class Mortal:
    """Something that can be told to die at its next write, or that its disk is full."""

    def __init__(self) -> None:
        self.dies: When | None = None
        self.full = 0

    def begin(self) -> None:
        if self.full:
            self.full -= 1
            raise OSError(errno.ENOSPC, "No space left on device")
        if self.dies == "before":
            self.dies = None
            raise Died

    def end(self) -> None:
        if self.dies == "after":
            self.dies = None
            raise Died


class SimDisk(Mortal):
    """Files that are whole or not there."""

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, bytes] = {}

    def read(self, name: str) -> bytes | None:
        return self.files.get(name)

    def write(self, name: str, content: bytes) -> None:
        self.begin()
        self.files[name] = content
        self.end()


@dataclass(frozen=True)
class SimHead:
    size: int
    root: bytes
    checkpoint: str


def leaf_hash(leaf: Mapping[str, Any]) -> bytes:
    return hashlib.sha256(b"\0" + canonical(leaf).encode()).digest()


def root_of(leaves: Sequence[bytes]) -> bytes:
    """A flat hash over all leaves: proofs are the leaves themselves, which is simple and not short."""
    return hashlib.sha256(b"\1" + b"".join(leaves)).digest()


class SimLog(Mortal):
    """A ledger without a Merkle tree."""

    origin = "simulated"

    def __init__(self, key: PrivateKey) -> None:
        super().__init__()
        self.key = key
        self.leaves: list[bytes] = []

    def append(self, leaves: Sequence[Mapping[str, Any]]) -> SimHead:
        self.begin()
        self.leaves += map(leaf_hash, leaves)
        self.end()
        return self.head()

    def head(self) -> SimHead:
        root = root_of(self.leaves)
        text = f"{self.origin}\n{len(self.leaves)}\n{base64.b64encode(root).decode()}\n"
        signature = base64.b64encode(self.key.sign(text.encode())).decode()
        return SimHead(len(self.leaves), root, f"{text}\n{signature}\n")

    def prove_inclusion(self, index: int, size: int) -> Sequence[bytes]:
        return tuple(self.leaves[:size])


def read_checkpoint(checkpoint: str, key: PublicKey) -> tuple[int, bytes]:
    text, _, signature = checkpoint.partition("\n\n")
    origin, size, root = text.split("\n")
    if origin != SimLog.origin or not key.verifies(base64.b64decode(signature), f"{text}\n".encode()):
        raise OversightError("the checkpoint is not signed by the log", "")
    return int(size), base64.b64decode(root)


class SimWitness(Mortal):
    """Cosigns what continues the last that it cosigned. `cosigned` is what an outsider has of it, for ever."""

    check = True
    keep_first = True

    def __init__(self, key: PrivateKey, log: PublicKey) -> None:
        super().__init__()
        self.key, self.log = key, log
        self.kept: tuple[int, bytes] = (0, b"")
        self.cosigned: list[tuple[int, bytes]] = []

    def cosign_head(self, log: SimLog) -> tuple[SimHead, str]:
        head = log.head()
        return head, self.cosign(self.kept[0], tuple(log.leaves), head.checkpoint)

    def cosign(self, old_size: int, proof: Sequence[bytes], checkpoint: str) -> str:
        new = read_checkpoint(checkpoint, self.log)
        if self.check:
            self._check(old_size, proof, new)
        if not self.keep_first:
            self.cosigned.append(new)
        self.begin()
        self.kept = new
        self.end()
        if self.keep_first:
            self.cosigned.append(new)
        return base64.b64encode(self.key.sign(b"cosignature\n" + checkpoint.encode())).decode()

    def _check(self, old_size: int, proof: Sequence[bytes], new: tuple[int, bytes]) -> None:
        size, root = self.kept
        if old_size != size or new[0] < size:
            raise OversightError(f"the witness has {size} leaves, and is shown {old_size} to {new[0]}", "")
        if new[0] == size and size and root != new[1]:
            raise OversightError("another root of the same size", "")
        if 0 < size < new[0] and (root_of(proof[:size]) != root or root_of(proof) != new[1]):
            raise OversightError("the checkpoint does not continue the last one", "")


class SimReader:
    """Checks inclusion and both signatures."""

    def __init__(self, log: PublicKey, witness: PublicKey) -> None:
        self.log, self.witness = log, witness

    def check(
        self, leaf: Mapping[str, Any], index: int, proof: Sequence[bytes], checkpoint: str, cosignature: str
    ) -> None:
        size, root = read_checkpoint(checkpoint, self.log)
        try:
            signature = base64.b64decode(cosignature)
        except ValueError:
            signature = b""
        if not self.witness.verifies(signature, b"cosignature\n" + checkpoint.encode()):
            raise OversightError("the witness has not cosigned this checkpoint", "")
        if len(proof) != size or root_of(proof) != root or index >= size or proof[index] != leaf_hash(leaf):
            raise OversightError("the leaf is not in the ledger", "")


class SimStore:
    """Stored weights by the digest that they had when they were stored. Bytes can be swapped beneath."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}

    def put(self, content: bytes) -> str:
        blob = "sha256:" + hashlib.sha256(content).hexdigest()
        self.blobs[blob] = content
        return blob

    def holds(self, blob: str) -> bool:
        content = self.blobs.get(blob)
        return content is not None and "sha256:" + hashlib.sha256(content).hexdigest() == blob
