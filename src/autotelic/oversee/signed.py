"""What is signed, and how: canonical JSON in an envelope that says its type and the signer's role.

    payload    {"body": {...}, "name": "exam", "role": "auditor", "type": "review"}   in canonical JSON (RFC 8785)
    signature  Ed25519 over DSSE's pre-authentication encoding of type and payload

The type and the role are inside what is signed. A permit therefore never passes for a certificate, and the
trainer's signature never for an auditor's. The envelope is DSSE's (https://github.com/secure-systems-lab/dsse,
protocol 1.0.0), so other tools can check it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from autotelic.canonical import AmbiguousJsonError, canonical, parsed
from autotelic.canonical import check_plain as canonical_check
from autotelic.errors import OversightError
from autotelic.oversee.keys import KeyRole, PrivateKey, PublicKey

MOST_BYTES = 1 << 20
"""The longest text that is read, in bytes. A certificate with ten reviews has about 20,000."""
MOST_DEPTH = 32
"""Levels of nesting that are read."""
_MEDIA = "application/vnd.autotelic.{}+json"


def strict(text: str | bytes) -> Any:
    """The JSON value of a text that somebody sent, read as `canonical.parsed` reads.

    Raises OversightError for what it refuses, and for a text that is too long or too deep.
    """
    if len(text) > MOST_BYTES:
        raise OversightError(f"a text of {len(text)} bytes is longer than {MOST_BYTES}", "send less")
    try:
        return parsed(text, MOST_DEPTH)
    except AmbiguousJsonError as error:
        raise OversightError(str(error), error.fix) from None


def check_plain(value: Any) -> None:
    """Raise OversightError for a value that `strict` would not read."""
    try:
        canonical_check(value, MOST_DEPTH)
    except AmbiguousJsonError as error:
        raise OversightError(str(error), error.fix) from None


def encoded(media: str, payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding: what the signature is over."""
    return b"DSSEv1 %d %s %d %s" % (len(media), media.encode(), len(payload), payload)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A body with its type, its signer's role and name, and the signature over all of these.

    An instance made by `sign` or `parse` has a well-formed body. Only `opened` says that the signature holds.
    """

    type: str
    role: KeyRole
    name: str
    body: Mapping[str, Any]
    key: str
    signature: bytes

    @classmethod
    def sign(cls, key: PrivateKey, type: str, body: Mapping[str, Any]) -> Self:
        """Sign a body. Raises OversightError for a body that is not plain JSON."""
        check_plain(body)
        public = key.public
        payload = _payload(type, public.role, public.name, body)
        return cls(
            type=type,
            role=public.role,
            name=public.name,
            body=body,
            key=public.id,
            signature=key.sign(encoded(_MEDIA.format(type), payload)),
        )

    def opened(self, type: str, *keys: PublicKey) -> Mapping[str, Any]:
        """The body, where it is of this type and one of these keys has signed it.

        Raises OversightError where the type, the role, the name or the signature is another.
        """
        if self.type != type:
            raise OversightError(f"a {self.type} was given where a {type} is needed", f"give a signed {type}")
        key = next((k for k in keys if (k.id, k.role, k.name) == (self.key, self.role, self.name)), None)
        if key is None:
            allowed = ", ".join(f"{k.role} {k.name}" for k in keys) or "nobody"
            raise OversightError(
                f"this {type} is signed by the {self.role} {self.name}, and {allowed} may sign it",
                "give one that is signed with a key of this run",
            )
        payload = _payload(self.type, self.role, self.name, self.body)
        if not key.verifies(self.signature, encoded(_MEDIA.format(type), payload)):
            raise OversightError(
                f"the signature of the {self.role} {self.name} does not fit this {type}",
                "somebody changed it after it was signed: ask for a new one",
            )
        return self.body

    @property
    def payload(self) -> bytes:
        """The bytes that are signed, without their frame."""
        return _payload(self.type, self.role, self.name, self.body)

    @property
    def digest(self) -> str:
        """`sha256:` and the hash of the payload: the same whoever computes it."""
        return "sha256:" + hashlib.sha256(self.payload).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """The envelope, in DSSE's JSON form."""
        return {
            "payloadType": _MEDIA.format(self.type),
            "payload": base64.b64encode(self.payload).decode(),
            "signatures": [{"keyid": self.key, "sig": base64.b64encode(self.signature).decode()}],
        }

    @classmethod
    def parse(cls, envelope: Any) -> Self:
        """An envelope as it was sent. Its signature is not looked at: `opened` does that.

        Raises OversightError for everything that is no envelope in exactly this form.
        """
        try:
            (only,) = envelope["signatures"]
            payload = base64.b64decode(envelope["payload"], validate=True)
            signature = base64.b64decode(only["sig"], validate=True)
            media, key = envelope["payloadType"], only["keyid"]
            value = strict(payload)
            type, role, name, body = value["type"], value["role"], value["name"], value["body"]
        except OversightError:
            raise
        except (TypeError, KeyError, ValueError, AttributeError, binascii.Error) as error:
            raise OversightError(
                f"this is no signed envelope: {error!r:.80}", "send a DSSE envelope"
            ) from None
        texts = (type, role, name, key, media)
        if not (all(isinstance(text, str) for text in texts) and isinstance(body, dict)):
            raise OversightError("a signed envelope has a field of another kind", "send a DSSE envelope")
        if media != _MEDIA.format(type) or set(value) != {"type", "role", "name", "body"}:
            raise OversightError(f"an envelope says {media} and holds a {type:.40}", "send what was signed")
        if canonical(value).encode() != payload:
            raise OversightError(
                "a signed payload is not in canonical JSON (RFC 8785)", "sign canonical JSON"
            )
        return cls(type=type, role=role, name=name, body=body, key=key, signature=signature)


def _payload(type: str, role: str, name: str, body: Mapping[str, Any]) -> bytes:
    return canonical({"type": type, "role": role, "name": name, "body": body}).encode()
