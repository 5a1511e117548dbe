"""Signed notes (c2sp.org/signed-note): a text, an empty line, and signature lines by one or more keys.

    quasimodo.example/log
    ...

    — quasimodo.example/log NnugSzTj...

A known key whose signature does not verify makes the whole note invalid. A signature by an unknown key is
ignored. Two signature types are known: Ed25519 over the text (0x01), and the cosignatures of witnesses
(0x04, `cosignatures.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from autotelic.errors import LedgerError
from autotelic.oversee.ledger.lines import decode_base64, encode_base64

ED25519 = 0x01
"""Signature type: Ed25519 over the text of the note."""
COSIGNATURE = 0x04
"""Signature type: a witness's Ed25519 signature over a time and the text (c2sp.org/tlog-cosignature)."""
MAX_SIGNATURES = 100
"""As many as the reference implementation takes; the specification asks for at least 16."""
MAX_BYTES = 1_000_000
"""Length of the longest note that is read."""
_DASH = "— "
_PRIVATE = "PRIVATE+KEY+"
_NO_NAME = re.compile(r"[\s+\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_NO_TEXT = re.compile(r"[\x00-\x09\x0b-\x1f]")
_KEPT = 1024
"""Public keys that are kept ready: parsing one takes as long as using it."""


@dataclass(frozen=True, slots=True)
class NoteVerifier:
    """A public key: `name` and `key_id` say which signature lines are its own."""

    name: str
    kind: int
    public: bytes
    """32 bytes, RFC 8032."""

    def __post_init__(self) -> None:
        check_name(self.name)
        if self.kind not in (ED25519, COSIGNATURE):
            raise LedgerError(f"the key of {self.name} has the unknown signature type {self.kind}")
        if len(self.public) != 32:
            raise LedgerError(f"the key of {self.name} has {len(self.public)} bytes where 32 are expected")

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """From `name+keyid+base64`, as the C2SP tools write a verifier key."""
        name, key_id, data = _split(vkey.split("+", 2), "verifier key")
        verifier = cls(name, data[0], data[1:])
        _check_id(verifier.key_id, key_id, name)
        return verifier

    @property
    def key_id(self) -> bytes:
        """4 bytes that name the key, computed from its name, type and public key."""
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    @property
    def vkey(self) -> str:
        """The key as text, `name+keyid+base64`."""
        return f"{self.name}+{self.key_id.hex()}+{encode_base64(bytes([self.kind]) + self.public)}"

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether the 64 bytes of `signature` are this key's over `message`."""
        try:
            _loaded(self.public).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


class NoteSigner:
    """A private key with its name: signs the text of notes."""

    def __init__(self, name: str, key: Ed25519PrivateKey, kind: int = ED25519) -> None:
        self.key = key
        self.verifier = NoteVerifier(name, kind, key.public_key().public_bytes_raw())

    @classmethod
    def parse(cls, skey: str) -> Self:
        """From `PRIVATE+KEY+name+keyid+base64`, as the C2SP tools write a signer key."""
        if not skey.startswith(_PRIVATE):
            raise LedgerError("a signer key begins with PRIVATE+KEY+")
        name, key_id, data = _split(skey.removeprefix(_PRIVATE).split("+", 2), "signer key")
        if len(data) != 33:
            raise LedgerError(f"the signer key of {name} has {len(data)} bytes where 33 are expected")
        signer = cls(name, Ed25519PrivateKey.from_private_bytes(data[1:]), data[0])
        _check_id(signer.verifier.key_id, key_id, name)
        return signer

    @property
    def skey(self) -> str:
        """The secret as text, `PRIVATE+KEY+name+keyid+base64`."""
        own = self.verifier
        data = bytes([own.kind]) + self.key.private_bytes_raw()
        return f"{_PRIVATE}{own.name}+{own.key_id.hex()}+{encode_base64(data)}"

    def sign(self, text: str) -> str:
        """The signed note of `text`, which ends in a newline."""
        check_text(text)
        return f"{text}\n{signature_line(self.verifier, self.key.sign(text.encode()))}"


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature line: `data` is what follows the key id."""

    name: str
    key_id: bytes
    data: bytes

    def by(self, verifier: NoteVerifier) -> bool:
        """Whether the line claims to be from this key."""
        return self.name == verifier.name and self.key_id == verifier.key_id


@dataclass(frozen=True, slots=True)
class Note:
    """A note, parsed and not yet verified. `text` ends in a newline."""

    text: str
    signatures: tuple[Signature, ...]

    @classmethod
    def parse(cls, note: str | bytes) -> Self:
        """Split a note into text and signatures. Raises LedgerError where it is malformed."""
        if len(note) > MAX_BYTES:
            raise LedgerError(f"the note has more than {MAX_BYTES} bytes")
        if isinstance(note, bytes):
            try:
                note = note.decode()
            except UnicodeDecodeError as error:
                raise LedgerError("the note is not UTF-8") from error
        _check_characters(note)
        text, gap, block = note.rpartition("\n\n")
        if not gap or not block.endswith("\n"):
            raise LedgerError("the note has no block of signatures after an empty line")
        lines = block.removesuffix("\n").split("\n")
        if len(lines) > MAX_SIGNATURES:
            raise LedgerError(f"the note has more than {MAX_SIGNATURES} signatures")
        return cls(text + "\n", tuple(map(parse_signature, lines)))

    def verified(self, known: Iterable[NoteVerifier]) -> list[NoteVerifier]:
        """Those of the known keys of type Ed25519 that signed the text, in the order of the lines.

        Of several lines by one key the first one counts. Raises LedgerError where a known key's signature is
        wrong, where one name and key id stands for two of the known keys, or where no known key signed.
        """
        keys = list(known)
        found: dict[tuple[str, bytes], NoteVerifier] = {}
        for line in self.signatures:
            own = [key for key in keys if line.by(key)]
            if len(own) > 1:
                raise LedgerError(f"two of the known keys are named {line.name} with id {line.key_id.hex()}")
            if not own or (line.name, line.key_id) in found:
                continue
            if own[0].kind != ED25519 or not own[0].verify(self.text.encode(), line.data):
                raise LedgerError(f"the signature by {line.name} does not verify")
            found[line.name, line.key_id] = own[0]
        if not found:
            raise LedgerError("no known key has signed the note")
        return list(found.values())


@lru_cache(_KEPT)
def _loaded(public: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(public)


def open_note(note: str | bytes, known: Sequence[NoteVerifier]) -> tuple[str, list[NoteVerifier]]:
    """The text of a note and which of the known keys signed it. Raises LedgerError where it is not to be trusted."""
    parsed = Note.parse(note)
    return parsed.text, parsed.verified(known)


def signature_line(verifier: NoteVerifier, data: bytes) -> str:
    """A signature line, newline included."""
    return f"{_DASH}{verifier.name} {encode_base64(verifier.key_id + data)}\n"


def parse_signature(line: str) -> Signature:
    """A signature line without its newline, taken apart."""
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space:
        raise LedgerError(f"not a signature line: {line[:60]!r}")
    check_name(name)
    data = decode_base64(encoded, f"the signature by {name}")
    if len(data) <= 4:
        raise LedgerError(f"the signature by {name} is too short")
    return Signature(name, data[:4], data[4:])


def check_name(name: str) -> None:
    """Raises LedgerError unless `name` can name a key: not empty, no spaces, no plus, no control characters."""
    if not name or _NO_NAME.search(name):
        raise LedgerError(
            f"{name[:60]!r} cannot name a key", "give a name without spaces and plus, like example.com/log"
        )


def check_text(text: str) -> None:
    """Raises LedgerError unless `text` can be the text of a note."""
    _check_characters(text)
    if not text.endswith("\n"):
        raise LedgerError("the text of a note must end in a newline")


def _check_characters(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise LedgerError("the note is not Unicode: it holds a lone surrogate") from error
    if _NO_TEXT.search(text):
        raise LedgerError("the note holds a control character")


def _split(parts: list[str], what: str) -> tuple[str, str, bytes]:
    if len(parts) != 3:
        raise LedgerError(f"a {what} has three parts, name+keyid+base64, not {len(parts)}")
    data = decode_base64(parts[2], f"the {what}")
    if not data:
        raise LedgerError(f"the {what} is empty")
    return parts[0], parts[1], data


def _check_id(computed: bytes, written: str, name: str) -> None:
    if computed.hex() != written:
        raise LedgerError(f"the key id of {name} is {computed.hex()}, and {written[:16]!r} is written")
