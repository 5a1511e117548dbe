"""Ed25519 keys (RFC 8032): one for each role, each in a file of its own that nobody else may read.

A key belongs to a role and a name. Both are part of its id and of everything that it signs, so that no key
serves for another role.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self, get_args

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from autotelic.errors import OversightError
from autotelic.oversee.secret_file import read_secret, write_secret

KeyRole = Literal["trainer", "brake", "auditor", "witness", "log", "human"]
"""Who a key speaks for. `log` signs the ledger's checkpoints."""
ROLES: tuple[KeyRole, ...] = get_args(KeyRole)
_MAGIC = "autotelic-ed25519"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """Who may be believed: a role, a name, and the 32 bytes of a public key."""

    role: KeyRole
    name: str
    raw: bytes

    @property
    def id(self) -> str:
        """16 hexadecimal digits over role, name and key."""
        return hashlib.sha256(f"{self.role}\n{self.name}\n".encode() + self.raw).hexdigest()[:16]

    def verifies(self, signature: bytes, content: bytes) -> bool:
        """Whether this key has signed this content."""
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, content)
        except (InvalidSignature, ValueError):
            return False
        return True

    def __str__(self) -> str:
        return f"{self.role} {self.name} {base64.b64encode(self.raw).decode()}"

    @classmethod
    def parse(cls, line: str) -> Self:
        """The inverse of `str`. Raises OversightError for a line that is no public key."""
        try:
            role, name, text = line.split()
            raw = base64.b64decode(text, validate=True)
        except (ValueError, AttributeError, binascii.Error):
            raise OversightError(f"{line!r:.60} is no public key", "give `ROLE NAME BASE64`") from None
        if role not in ROLES or len(raw) != 32:
            raise OversightError(f"{line!r:.60} is no public key", f"its role is one of {', '.join(ROLES)}")
        return cls(next(known for known in ROLES if known == role), name, raw)


class PrivateKey:
    """A key that signs for one role and name. It is never printed and never sent."""

    def __init__(self, role: KeyRole, name: str, seed: bytes) -> None:
        if not name or not name.replace("-", "").replace("_", "").isalnum() or not name.isascii():
            raise OversightError(f"{name!r} is no name of a key", "use letters, digits, - and _")
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = PublicKey(role, name, self._key.public_key().public_bytes_raw())

    @classmethod
    def new(cls, role: KeyRole, name: str) -> Self:
        """A new key, from the operating system's randomness."""
        return cls(role, name, os.urandom(32))

    def sign(self, content: bytes) -> bytes:
        """The signature of these bytes, 64 bytes long."""
        return self._key.sign(content)

    @property
    def seed(self) -> bytes:
        """The 32 bytes that the key is made of: for a library that keeps its own keys."""
        return self._key.private_bytes_raw()

    def __repr__(self) -> str:
        return f"PrivateKey({self.public.role} {self.public.name} {self.public.id})"


def write_key(path: Path, key: PrivateKey) -> None:
    """Write a key to a new file that its owner alone may read. Raises OversightError where one is there."""
    text = f"{_MAGIC} {key.public.role} {key.public.name} {base64.b64encode(key.seed).decode()}\n"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_secret(path, text)


def read_key(path: Path, role: KeyRole) -> PrivateKey:
    """The key of a file, which must be of this role.

    Raises OversightError where the file is missing, is a link, belongs to somebody else, may be read by
    others, is damaged, or holds a key of another role.
    """
    fix = "make it again with `autotelic auditor --keys`, or restore it from a copy"
    text = read_secret(path, f"the {role}'s key", fix)
    try:
        magic, kind, name, seed = text.split()
        raw = base64.b64decode(seed, validate=True)
    except (ValueError, binascii.Error):
        raise OversightError(f"{path} is no key", fix) from None
    if magic != _MAGIC or len(raw) != 32:
        raise OversightError(f"{path} is no key", fix)
    if kind != role:
        raise OversightError(
            f"{path} is a key of the {kind}, and the {role}'s is needed", f"give the {role}'s key"
        )
    return PrivateKey(role, name, raw)


DEFAULT_KEYS: tuple[tuple[KeyRole, str], ...] = (
    ("trainer", "trainer"),
    ("brake", "brake"),
    ("log", "log"),
    ("witness", "witness"),
    ("auditor", "exam"),
    ("auditor", "safety"),
    ("auditor", "rate"),
    ("human", "first"),
    ("human", "second"),
)
"""The keys that a run of isolation grade A makes for itself."""


def path_of(folder: Path, role: KeyRole, name: str) -> Path:
    """Where a key lies: `auditor-exam.key`."""
    return folder / (f"{role}.key" if role == name else f"{role}-{name}.key")


def make_keys(
    folder: Path, wanted: Sequence[tuple[KeyRole, str]] = DEFAULT_KEYS
) -> dict[tuple[KeyRole, str], PrivateKey]:
    """The keys of a folder. Those that are missing are made; those that are there are read."""
    found: dict[tuple[KeyRole, str], PrivateKey] = {}
    for role, name in wanted:
        path = path_of(folder, role, name)
        if not os.path.lexists(path):
            write_key(path, PrivateKey.new(role, name))
        found[role, name] = read_key(path, role)
    return found
