"""Signed texts: what is written is read back, and every change of it is refused."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from autotelic.errors import LedgerError
from autotelic.oversee.ledger import (
    NoteSigner,
    NoteVerifier,
    TlogProof,
    TreeHead,
    open_checkpoint,
    sign_checkpoint,
)
from autotelic.oversee.ledger.cosignatures import cosign, cosigner, verify_cosignature
from autotelic.oversee.ledger.lines import decode_base64, decode_decimal, encode_base64
from autotelic.oversee.ledger.notes import open_note
from autotelic.oversee.ledger.seal import Seal

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SIGNER = NoteSigner("example.com/log", KEY)
WITNESS = cosigner("example.com/witness", KEY)
lines = st.text(st.characters(exclude_categories=["Cs"], min_codepoint=32), min_size=1, max_size=20)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(lines, st.just("")), max_size=5))
def test_any_text_is_signed_and_opened(parts: list[str]) -> None:
    text = "".join(part + "\n" for part in [*parts, "end"])
    assert open_note(SIGNER.sign(text), [SIGNER.verifier]) == (text, [SIGNER.verifier])


@settings(max_examples=60, deadline=None)
@given(lines, st.integers(1, 2**63 - 1), st.binary(min_size=32, max_size=32))
def test_any_head_is_signed_and_opened(origin: str, size: int, root: bytes) -> None:
    head = TreeHead(origin, size, root)
    assert TreeHead.parse(head.text) == head
    assert open_checkpoint(sign_checkpoint(head, SIGNER), origin, [SIGNER.verifier]) == head


def test_every_change_of_a_byte_of_a_checkpoint_is_refused() -> None:
    note = sign_checkpoint(TreeHead("example.com/log", 7, bytes(range(32))), SIGNER).encode()
    for at in range(len(note)):
        for bit in range(8):
            changed = bytearray(note)
            changed[at] ^= 1 << bit
            with pytest.raises(LedgerError):
                open_checkpoint(bytes(changed), "example.com/log", [SIGNER.verifier])


def test_every_change_of_a_byte_of_a_cosignature_is_refused() -> None:
    text = TreeHead("example.com/log", 7, bytes(range(32))).text
    line = cosign(text, WITNESS, 1700000000)
    assert verify_cosignature(text, line, WITNESS.verifier) == 1700000000
    for at in range(len(line) - 1):
        for other in "Aa/ é":
            if line[at] != other:
                with pytest.raises(LedgerError):
                    verify_cosignature(text, line[:at] + other + line[at + 1 :], WITNESS.verifier)


def test_keys_of_one_kind_do_not_pass_for_the_other() -> None:
    """One secret as log and as witness: each signed thing says what it is."""
    text = TreeHead("example.com/log", 7, bytes(range(32))).text
    assert SIGNER.verifier.key_id != WITNESS.verifier.key_id
    with pytest.raises(LedgerError, match="no key of a witness"):
        verify_cosignature(text, cosign(text, WITNESS, 1), SIGNER.verifier)
    with pytest.raises(LedgerError):
        open_note(text + "\n" + cosign(text, WITNESS, 1), [WITNESS.verifier])
    with pytest.raises(ValueError, match="needs a key of a witness"):
        cosign(text, SIGNER, 1)


@pytest.mark.parametrize("origin", ["5", "example.com/log", "sha256:0"])
def test_a_seal_is_no_checkpoint(origin: str) -> None:
    with pytest.raises(LedgerError):
        TreeHead.parse(Seal(origin, 5, "sha256:" + "0" * 64).text)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**63 - 1), st.lists(st.binary(min_size=32, max_size=32), max_size=4), st.binary())
def test_any_proof_is_written_and_read(index: int, hashes: list[bytes], extra: bytes) -> None:
    for more in (None, extra):
        proof = TlogProof(index, tuple(hashes), "a\n\nb\n", more)
        assert TlogProof.parse(proof.text) == proof


@given(st.binary(max_size=40))
def test_base64_has_one_spelling(data: bytes) -> None:
    text = encode_base64(data)
    assert decode_base64(text, "it") == data
    for other in (text + "=", text + "\n", " " + text, text.replace("=", "") + "!"):
        with pytest.raises(LedgerError):
            decode_base64(other, "it")


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", "01", "00", "1.0", " 1", "1 ", "1_0", "٣", "²", "9223372036854775808"]
)
def test_decimals_have_one_spelling(text: str) -> None:
    with pytest.raises(LedgerError):
        decode_decimal(text, "it")


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\nb", "a\x7fb", "\u2003"])
def test_what_cannot_name_a_key(name: str) -> None:
    with pytest.raises(LedgerError, match="cannot name a key"):
        NoteVerifier(name, 1, bytes(32))


def test_keys_are_written_and_read() -> None:
    for signer in (SIGNER, WITNESS):
        assert NoteVerifier.parse(signer.verifier.vkey) == signer.verifier
        assert NoteSigner.parse(signer.skey).verifier == signer.verifier
    for wrong in ("PRIVATE+KEY+a+00000000+AQ==", SIGNER.skey[1:], SIGNER.skey.replace("log+", "lag+")):
        with pytest.raises(LedgerError):
            NoteSigner.parse(wrong)
