"""What a verifier holds as evidence: signed envelopes, Merkle trees, signed notes and their proofs.

It needs `cryptography` alone. A bundle has it in its one `verify.py`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key


class BundleError(Exception):
    """What is wrong with a bundle, in one line."""


def encoded(media: str, payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding."""
    return b"DSSEv1 %d %s %d %s" % (len(media.encode()), media.encode(), len(payload), payload)


def public_key(pem: bytes | str) -> EllipticCurvePublicKey:
    """A P-256 public key from its PEM. Raises BundleError for another."""
    try:
        key = load_pem_public_key(pem.encode() if isinstance(pem, str) else pem)
    except ValueError:
        raise BundleError("the public key is no PEM of a key") from None
    if not isinstance(key, EllipticCurvePublicKey) or key.curve.name != "secp256r1":
        raise BundleError("the public key is not of the curve P-256")
    return key


def opened(envelope: Any, media: str, key: EllipticCurvePublicKey, what: str) -> bytes:
    """The payload of a DSSE envelope that this key signed. Raises BundleError for any other."""
    try:
        (only,) = envelope["signatures"]
        payload, signature = (strict_base64(text) for text in (envelope["payload"], only["sig"]))
        if envelope["payloadType"] != media:
            raise BundleError(f"{what} is a {envelope['payloadType']!r:.60}, expected {media}")
    except (TypeError, KeyError, ValueError):
        raise BundleError(f"{what} is no signed envelope") from None
    try:
        key.verify(signature, encoded(media, payload), ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise BundleError(f"the signature of {what} does not fit it") from None
    return payload


def strict_base64(text: str) -> bytes:
    """The bytes of a text in base64, of which there is one spelling. Raises ValueError for any other."""
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None
    if base64.b64encode(data).decode() != text:
        raise ValueError("another spelling of the same bytes")
    return data


def plain(value: Any) -> bytes:
    """JSON as every JSON file of a bundle is written."""
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def parsed(data: bytes, what: str) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise BundleError(f"{what} is no JSON") from None


def hash_leaf(data: bytes) -> bytes:
    return hashlib.sha256(b"\0" + data).digest()


def hash_pair(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def tree(hashes_N: list[bytes]) -> bytes:
    """The root of a Merkle tree (RFC 6962, section 2.1)."""
    if not hashes_N:
        return hashlib.sha256().digest()
    level = hashes_N
    while len(level) > 1:
        pairs = [hash_pair(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = pairs + level[len(pairs) * 2 :]
    return level[0]


def note_key(text: str) -> tuple[str, bytes, int, Ed25519PublicKey]:
    """Name, key hash, type and key of `name+hash+base64` (c2sp.org/signed-note)."""
    name, shown, rest = text.split("+", 2)
    data = strict_base64(rest)
    hashed = hashlib.sha256(name.encode() + b"\n" + data).digest()[:4]
    if hashed.hex() != shown:
        raise BundleError(f"the key {name} has another hash than it says")
    return name, hashed, data[0], Ed25519PublicKey.from_public_bytes(data[1:])


def _verified(key: Ed25519PublicKey, signature: bytes, message: bytes, what: str) -> None:
    try:
        key.verify(signature, message)
    except InvalidSignature:
        raise BundleError(f"the signature of {what} does not fit it") from None


def _line_of(text: str, name: str, hashed: bytes) -> bytes:
    """What a signature line of this key holds after the key's hash."""
    begin = f"\u2014 {name} "
    for line in text.split("\n"):
        if line.startswith(begin) and (data := strict_base64(line.removeprefix(begin)))[:4] == hashed:
            return data[4:]
    raise BundleError(f"{name} has not signed")


def checkpoint_of(note: str, origin: str, log: tuple[str, bytes, int, Ed25519PublicKey]) -> tuple[int, bytes]:
    """Size and root of a signed checkpoint (c2sp.org/tlog-checkpoint)."""
    text, gap, signatures = note.partition("\n\n")
    text += "\n"
    if not gap or text.split("\n")[0] != origin:
        raise BundleError("a checkpoint of the ledger is another log's")
    name, hashed, _, key = log
    _verified(key, _line_of(signatures, name, hashed), text.encode(), "a checkpoint of the ledger")
    _, size, root, *_ = text.split("\n")
    return int(size), strict_base64(root)


def check_cosignature(note: str, vkey: str, line: str) -> None:
    """A witness's signature of a checkpoint (c2sp.org/tlog-cosignature, cosignature/v1)."""
    name, hashed, kind, key = note_key(vkey)
    if kind != 4:
        raise BundleError(f"{name} is no key of a witness")
    data = _line_of(line, name, hashed)
    time = int.from_bytes(data[:8], "big")
    text = note.partition("\n\n")[0] + "\n"
    _verified(key, data[8:], f"cosignature/v1\ntime {time}\n{text}".encode(), f"the witness {name}")


def check_proof(proof: str, index: int, leaf: bytes, origin: str, log: Any) -> None:
    """A proof leads from a leaf to its checkpoint (c2sp.org/tlog-proof; RFC 9162, section 2.1.3.2)."""
    head, gap, note = proof.partition("\n\n")
    first, second, *path = head.split("\n")
    if not gap or first != "c2sp.org/tlog-proof@v1" or second != f"index {index}":
        raise BundleError(f"the proof of leaf {index} is not one")
    size, root = checkpoint_of(note, origin, log)
    at, last, found = index, size - 1, hash_leaf(leaf)
    for one in map(strict_base64, path):
        if last == 0:
            raise BundleError(f"the proof of leaf {index} is too long")
        if at % 2 or at == last:
            found = hash_pair(one, found)
            while at and not at % 2:
                at, last = at // 2, last // 2
        else:
            found = hash_pair(found, one)
        at, last = at // 2, last // 2
    if last or found != root:
        raise BundleError(f"the proof of leaf {index} does not lead to the checkpoint")
