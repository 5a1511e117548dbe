"""A client of transparency logs, from the specifications alone: it imports nothing of autotelic.

    python bench/tlog_client.py BUNDLE.zip

It reads `ledger.jsonl` in a bundle: leaves, signed checkpoints, cosignatures and a proof of each leaf. Sources: RFC
6962, sections 2.1 and 2.1.1 (the recursive definitions of tree hash and audit path); c2sp.org/signed-note,
tlog-checkpoint, tlog-cosignature (cosignature/v1) and tlog-proof. Needs `cryptography`. The exit code is 1 where
something is wrong.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

SIGNED, COSIGNED = 1, 4
"""Types of keys in a verifier key: Ed25519 of notes, and of timestamped cosignatures."""


def tree_hash(leaves: list[bytes]) -> bytes:
    """MTH(D[n]) of RFC 6962, section 2.1."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    half = largest_below(len(leaves))
    return node(tree_hash(leaves[:half]), tree_hash(leaves[half:]))


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def largest_below(n: int) -> int:
    """The largest power of two below n."""
    return 1 << ((n - 1).bit_length() - 1)


def root_of(path: list[bytes], index: int, size: int, leaf: bytes) -> bytes:
    """The root that an audit path leads to: PATH(m, D[n]) of RFC 6962, section 2.1.1, undone."""
    if size == 1:
        if path:
            raise ValueError("the path is too long")
        return hashlib.sha256(b"\x00" + leaf).digest()
    half = largest_below(size)
    if index < half:
        return node(root_of(path[:-1], index, half, leaf), path[-1])
    return node(path[-1], root_of(path[:-1], index - half, size - half, leaf))


class VerifierKey:
    """NAME+HASH+KEY of c2sp.org/signed-note."""

    def __init__(self, text: str) -> None:
        self.name, shown, encoded = text.split("+", 2)
        data = base64.b64decode(encoded, validate=True)
        self.id = hashlib.sha256(self.name.encode() + b"\n" + data).digest()[:4]
        if self.id.hex() != shown:
            raise ValueError(f"{self.name}: the key's hash is {self.id.hex()}, not {shown}")
        self.kind, self.key = data[0], Ed25519PublicKey.from_public_bytes(data[1:])

    def signature_in(self, lines: str) -> bytes:
        """What the line of this key holds after its id."""
        for line in lines.splitlines():
            mark, name, encoded = line.split(" ")
            data = base64.b64decode(encoded, validate=True)
            if (mark, name, data[:4]) == ("\u2014", self.name, self.id):
                return data[4:]
        raise ValueError(f"{self.name} has not signed")


def checkpoint(note: str, origin: str, log: VerifierKey) -> tuple[int, bytes, str]:
    """Size, root and signed text of a checkpoint."""
    text, lines = note.split("\n\n", 1)
    text += "\n"
    log.key.verify(log.signature_in(lines), text.encode())
    said, size, root = text.splitlines()[:3]
    if said != origin or log.kind != SIGNED:
        raise ValueError(f"a checkpoint of {said}, expected {origin}")
    return int(size), base64.b64decode(root, validate=True), text


def cosigned(text: str, vkey: str, line: str) -> None:
    """Raise unless this witness signed the checkpoint, at a time that it says."""
    witness = VerifierKey(vkey)
    data = witness.signature_in(line)
    when = int.from_bytes(data[:8], "big")
    if witness.kind != COSIGNED or not when:
        raise ValueError(f"{witness.name} is no witness")
    witness.key.verify(data[8:], f"cosignature/v1\ntime {when}\n{text}".encode())


def check(bundle: Path) -> dict[str, Any]:
    """What was checked, counted. Raises for the first thing that is wrong."""
    with zipfile.ZipFile(bundle) as archive:
        lines = archive.read("ledger.jsonl").decode().splitlines()
    head, leaves = json.loads(lines[0]), list[bytes]()
    log = VerifierKey(head["key"])
    found = {"leaves": 0, "checkpoints": 0, "cosignatures": 0, "proofs": 0}
    proofs: list[tuple[int, str]] = []
    last: dict[int, bytes] = {}
    for line in lines[1:]:
        value = json.loads(line)
        if "checkpoint" in value:
            size, root, text = checkpoint(value["checkpoint"], head["origin"], log)
            if size != len(leaves) or root != tree_hash(leaves):
                raise ValueError(f"the checkpoint of {size} leaves has another root than its leaves")
            last[size] = root
            found["checkpoints"] += 1
            for vkey, cosignature in value["cosignatures"].items():
                cosigned(text, vkey, cosignature)
                found["cosignatures"] += 1
            continue
        # A leaf is its bytes in the line, and not what another writer of JSON makes of its value.
        begin = line.index('"leaf":') + len('"leaf":')
        end = line.rindex(',"proof":') if "proof" in value else len(line) - 1
        leaves.append(line[begin:end].encode())
        if "proof" in value:
            proofs.append((value["index"], value["proof"]))
    for index, proof in proofs:
        top, note = proof.split("\n\n", 1)
        first, said, *hashes = top.splitlines()
        if first != "c2sp.org/tlog-proof@v1" or said != f"index {index}":
            raise ValueError(f"the proof of leaf {index} is of another form")
        size, root, _ = checkpoint(note, head["origin"], log)
        path = [base64.b64decode(one, validate=True) for one in hashes]
        if root_of(path, index, size, leaves[index]) != root or last.get(size) != root:
            raise ValueError(f"the proof of leaf {index} does not lead to the checkpoint")
        found["proofs"] += 1
    return found | {"leaves": len(leaves)}


def main() -> None:
    began = time.perf_counter()
    found = check(Path(sys.argv[1]))
    print(json.dumps(found | {"seconds": round(time.perf_counter() - began, 3)}, indent=1))


if __name__ == "__main__":
    main()
