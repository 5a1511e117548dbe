"""A ledger with commits that a witness has cosigned, in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from autotelic.oversee.ledger import Ledger, Witness, cosign_head

ORIGIN = "example.com/runs/1"
LOG_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
WITNESS_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
COMMITS = (1, 3, 2, 5)
"""Leaves of each commit."""


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[Witness]:
    with Witness.create(tmp_path / "witness.sqlite", WITNESS_KEY, "witness.example") as own:
        yield own


@pytest.fixture
def ledger(tmp_path: Path, witness: Witness) -> Iterator[Ledger]:
    with Ledger.create(tmp_path / "ledger.sqlite", LOG_KEY, ORIGIN) as own:
        witness.add_log(own.verifier)
        cosign_head(own, witness)
        for generation, count in enumerate(COMMITS):
            own.append(
                [{"generation": generation, "n": n, "of": "sha256:" + "ab" * 32} for n in range(count)]
            )
            cosign_head(own, witness)
        yield own
