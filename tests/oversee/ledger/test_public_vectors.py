"""The public test vectors of the formats that the ledger uses; tests/vectors/README.md names their sources."""

from __future__ import annotations

import json
import struct
from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from autotelic.canonical import canonical
from autotelic.errors import LedgerError
from autotelic.oversee.ledger import merkle
from autotelic.oversee.ledger.checkpoints import TreeHead, open_checkpoint, sign_checkpoint
from autotelic.oversee.ledger.cosignatures import cosign, cosigner, verify_cosignature
from autotelic.oversee.ledger.notes import ED25519, NoteSigner, NoteVerifier, open_note
from autotelic.oversee.ledger.tlog_proof import TlogProof

VECTORS = Path(__file__).parents[2] / "vectors"


def load(name: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((VECTORS / f"{name}.json").read_text())
    return value


def cases(name: str, kind: str) -> list[Any]:
    found = [case for case in load(name)["cases"] if case.get("kind") == kind]
    return [pytest.param(case, id=f"{case['name']}-{n}") for n, case in enumerate(found)]


def accepts(case: dict[str, Any]) -> bool:
    """What our checks say to a case of merkle.json."""
    proof = [bytes.fromhex(one) for one in case["proof"]]
    roots = [bytes.fromhex(case[name]) for name in ("root1", "root2", "leaf", "root") if name in case]
    match case["kind"]:
        case "inclusion":
            return merkle.verify_inclusion(case["index"], case["size"], roots[0], proof, roots[1])
        case "consistency":
            return merkle.verify_consistency(case["size1"], case["size2"], proof, *roots)
        case "subtree_inclusion":
            place = (case["index"], case["start"], case["end"])
            return merkle.verify_subtree_inclusion(*place, roots[0], proof, roots[1])
        case "subtree_consistency":
            place = (case["start"], case["end"], case["size"])
            return merkle.verify_subtree_consistency(*place, proof, *roots)
    raise AssertionError(case["kind"])


def test_all_518_merkle_cases() -> None:
    found = load("merkle")["cases"]
    assert Counter(case["kind"] for case in found) == {
        "inclusion": 98,
        "consistency": 98,
        "subtree_inclusion": 204,
        "subtree_consistency": 118,
    }
    wrong = [case["name"] for case in found if accepts(case) != (case["want"] == "ok")]
    assert wrong == []
    assert sum(map(accepts, found)) == 36


def test_a_whole_log_and_its_checkpoints() -> None:
    log = load("log")
    signer, verifier = NoteSigner.parse(log["skey"]), NoteVerifier.parse(log["vkey"])
    assert signer.verifier == verifier
    assert signer.skey == log["skey"]
    edge = merkle.Frontier()
    heads = []
    for size, checkpoint in enumerate(log["checkpoints"]):
        head = open_checkpoint(checkpoint, verifier.name, [verifier])
        assert (head.size, head.root) == (size, edge.root())
        assert sign_checkpoint(head, signer) == checkpoint
        heads.append(head)
        if size < len(log["leaves"]):
            edge.append(merkle.hash_leaf(log["leaves"][size].encode()))
    assert len(heads) == 16


@pytest.mark.parametrize("case", cases("notes", "note"))
def test_notes(case: dict[str, Any]) -> None:
    note = bytes.fromhex(case["note_hex"]) if "note_hex" in case else case["note"]
    known = [NoteVerifier.parse(vkey) for vkey in case["vkeys"]]
    if case["want"] == "ok":
        assert [key.name for key in open_note(note, known)[1]] == case["verified"]
    else:
        with pytest.raises(LedgerError):
            open_note(note, known)


@pytest.mark.parametrize("case", cases("notes", "vkey"))
def test_verifier_keys(case: dict[str, Any]) -> None:
    if case["want"] == "ok":
        assert NoteVerifier.parse(case["vkey"]).vkey == case["vkey"]
    else:
        with pytest.raises(LedgerError):
            NoteVerifier.parse(case["vkey"])


@pytest.mark.parametrize("case", cases("notes", "sign"))
def test_signing(case: dict[str, Any]) -> None:
    signer = NoteSigner.parse(case["skey"])
    if case["want"] == "ok":
        assert signer.sign(case["text"]) == case["note"]
    else:
        with pytest.raises(LedgerError):
            signer.sign(case["text"])


@pytest.mark.parametrize("case", cases("checkpoints", "checkpoint_body"))
def test_checkpoints_are_read_as_the_specification_has_it(case: dict[str, Any]) -> None:
    if case["want_strict"] == "ok":
        head = TreeHead.parse(case["body"])
        assert (head.origin, head.size, head.root.hex()) == (case["origin"], case["size"], case["root"])
        assert head.text == case["body"]
    else:
        with pytest.raises(LedgerError):
            TreeHead.parse(case["body"])


@pytest.mark.parametrize("case", cases("cosignatures", "cosignature"))
def test_cosignatures(case: dict[str, Any]) -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(case["seed"]))
    signer = cosigner(case["witness"], key)
    if case["want"] == "ok":
        assert verify_cosignature(case["body"], case["line"], signer.verifier) == 1234
        assert cosign(case["body"], signer, 1234) == case["line"]
    else:
        with pytest.raises(LedgerError):
            verify_cosignature(case["body"], case["line"], signer.verifier)


@pytest.mark.parametrize("case", cases("cosignatures", "log_signature"))
def test_a_log_signature_of_sigsum(case: dict[str, Any]) -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(case["seed"]))
    origin = case["note"].partition("\n")[0]
    verifier = NoteVerifier(origin, ED25519, key.public_key().public_bytes_raw())
    assert open_checkpoint(case["note"], origin, [verifier]).size == 10


@pytest.mark.parametrize("case", cases("tlog_proof", "tlog_proof"))
def test_proof_texts(case: dict[str, Any]) -> None:
    if case["want"] == "ok":
        proof = TlogProof.parse(case["text"])
        assert (proof.index, len(proof.hashes)) == (case["index"], case["hashes"])
        assert proof.extra == (bytes.fromhex(case["extra"]) if "extra" in case else None)
        assert proof.text == case["text"]
    else:
        with pytest.raises(LedgerError):
            TlogProof.parse(case["text"])


@pytest.mark.parametrize("case", cases("jcs", "jcs"))
def test_canonical_documents(case: dict[str, Any]) -> None:
    assert canonical(json.loads(case["input"])) == case["output"]


def double(bits: int) -> float:
    number: float = struct.unpack(">d", bits.to_bytes(8, "big"))[0]
    return number


@pytest.mark.parametrize("case", cases("jcs", "number"))
def test_canonical_numbers(case: dict[str, Any]) -> None:
    number = double(int(case["bits"], 16))
    if case["want"] == "ok":
        assert canonical(number) == case["output"]
    else:
        with pytest.raises(ValueError, match="is not JSON"):
            canonical(number)


def number_sequence(first: list[str]) -> Any:
    """The doubles of the published sequence, as bits, without end."""
    yield from (int(bits, 16) for bits in first)
    yield from range(0x0010000000000000, 0x0010000000000000 + 2000)
    block = bytes(32)
    while True:
        block = sha256(block).digest()
        for start in range(0, 32, 8):
            bits = int.from_bytes(block[start : start + 8], "little")
            if bits & ~(1 << 63) and (bits >> 52) & 0x7FF != 0x7FF:
                yield bits


@pytest.mark.parametrize("lines", [1000, 10_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_the_number_sequence(lines: int) -> None:
    published = load("jcs")["number_sequence"]
    hashed = sha256()
    for _, bits in zip(range(lines), number_sequence(published["first"]), strict=False):
        hashed.update(f"{bits:x},{canonical(double(bits))}\n".encode())
    assert hashed.hexdigest() == published["sha256_of_first_lines"][str(lines)]


def test_public_keys_of_the_vectors_are_points() -> None:
    """The key of the log and of the C2SP note are usable, so the cases above are not refused for their keys."""
    Ed25519PublicKey.from_public_bytes(NoteVerifier.parse(load("log")["vkey"]).public)
