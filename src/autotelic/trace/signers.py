"""Who signed for weights: what the ledger of a run says of them."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autotelic.errors import AutotelicError

PLACES = ("ledger.sqlite", "oversight/ledger.sqlite")
"""Where the ledger of a run may lie in its folder."""


def ledger_of(run: Path) -> Path | None:
    """The ledger of a run; None where it has none."""
    return next((run / place for place in PLACES if (run / place).is_file()), None)


def leaves_about(run: Path, refs: set[str]) -> tuple[list[dict[str, Any]], str]:
    """The leaves that name one of these references: index, kind, the references, and who signed.

    Also why there are none, in a sentence; empty where there are some.
    """
    place = ledger_of(run)
    if place is None:
        return [], "the run has no ledger, so nobody but the run itself vouches for its decisions"
    from autotelic.oversee.ledger import Ledger

    found: list[dict[str, Any]] = []
    try:
        with Ledger.open(place) as ledger:
            for index, leaf in enumerate(ledger.leaves()):
                texts = set(_texts(leaf))
                if named := sorted(refs & texts):
                    found.append({"index": index, "names": named, **_about(leaf)})
    except AutotelicError as error:
        return [], f"the ledger cannot be read: {error.cause}"
    return found, "" if found else "no leaf of the ledger names these weights"


def _texts(value: Any, depth: int = 0) -> Iterator[str]:
    """Every text in a value, also within signed payloads."""
    if isinstance(value, str):
        yield value
        if depth < 8 and len(value) > 40 and (inner := _payload(value)) is not None:
            yield from _texts(inner, depth + 1)
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one, depth)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one, depth)


def _payload(text: str) -> Any:
    try:
        value = json.loads(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        return None
    return value if isinstance(value, dict) else None


def _about(leaf: dict[str, Any]) -> dict[str, Any]:
    """What kind of leaf it is, and the role and name of each who signed something in it."""
    signers: list[str] = []

    def look(value: Any) -> None:
        if isinstance(value, dict):
            inner = _payload(value["payload"]) if isinstance(value.get("payload"), str) else None
            if inner is not None and "signatures" in value:
                keys = [str(one.get("keyid", "")) for one in value["signatures"] if isinstance(one, dict)]
                signers.append(
                    f"{inner.get('role', '?')} {inner.get('name', '?')}: {inner.get('type', '?')} ({', '.join(keys)})"
                )
                look(inner)
            for one in value.values():
                look(one)
        elif isinstance(value, list):
            for one in value:
                look(one)

    look(leaf)
    return {
        "kind": str(leaf.get("kind", leaf.get("type", "leaf"))),
        "signed_by": list(dict.fromkeys(signers)),
    }
