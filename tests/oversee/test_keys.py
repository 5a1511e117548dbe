"""Keys and envelopes: what is refused before any signature is looked at, and what a signature binds."""

from __future__ import annotations

import base64
import json
import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autotelic.canonical import canonical
from autotelic.errors import OversightError
from autotelic.oversee.bodies import Beat, Lease, Order, Review
from autotelic.oversee.keys import (
    DEFAULT_KEYS,
    PrivateKey,
    PublicKey,
    make_keys,
    path_of,
    read_key,
    write_key,
)
from autotelic.oversee.signed import Signed, encoded, strict

FEW = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
KEY = PrivateKey("auditor", "exam", b"k" * 32)
TRAINER = PrivateKey("trainer", "trainer", b"k" * 32)

# ── key files ────────────────────────────────────────────────────────────────────────────────────────────


def test_keys_are_made_once_and_read_again(tmp_path: Path) -> None:
    made = make_keys(tmp_path / "keys")
    assert set(made) == set(DEFAULT_KEYS)
    assert len({key.public.raw for key in made.values()}) == len(made)
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in (tmp_path / "keys").iterdir())
    again = make_keys(tmp_path / "keys")
    assert {key.public for key in again.values()} == {key.public for key in made.values()}


def test_a_key_is_not_written_over_and_not_printed(tmp_path: Path) -> None:
    write_key(tmp_path / "a.key", KEY)
    with pytest.raises(OversightError, match="exists already"):
        write_key(tmp_path / "a.key", KEY)
    assert read_key(tmp_path / "a.key", "auditor").public == KEY.public
    assert base64.b64encode(KEY.seed).decode() not in repr(KEY)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o666, 0o610])
def test_a_key_that_others_may_read_or_write_is_refused(tmp_path: Path, mode: int) -> None:
    write_key(tmp_path / "a.key", KEY)
    (tmp_path / "a.key").chmod(mode)
    with pytest.raises(OversightError, match=r"others may read .*chmod 600"):
        read_key(tmp_path / "a.key", "auditor")


@pytest.mark.parametrize(
    "content",
    ["", "x", "autotelic-ed25519 auditor exam", "autotelic-ed25519 auditor exam AAAA",
     "autotelic-ed25519 auditor exam !!", "other auditor exam " + base64.b64encode(b"k" * 32).decode(), "\0\0\0",
     "é" * 50],
)  # fmt: skip
def test_a_damaged_key_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.key").write_text(content, encoding="utf-8")
    (tmp_path / "a.key").chmod(0o600)
    with pytest.raises(OversightError, match="no key"):
        read_key(tmp_path / "a.key", "auditor")


def test_a_key_that_is_missing_of_another_role_a_link_or_a_pipe_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OversightError, match="missing"):
        read_key(tmp_path / "a.key", "auditor")
    write_key(tmp_path / "a.key", KEY)
    with pytest.raises(OversightError, match="key of the auditor"):
        read_key(tmp_path / "a.key", "brake")
    (tmp_path / "link.key").symlink_to(tmp_path / "a.key")
    with pytest.raises(OversightError, match="cannot be read"):
        read_key(tmp_path / "link.key", "auditor")
    os.mkfifo(tmp_path / "pipe.key", 0o600)
    with pytest.raises(OversightError, match="no file"):
        read_key(tmp_path / "pipe.key", "auditor")
    (tmp_path / "bytes.key").write_bytes(b"\xff\xfe")
    (tmp_path / "bytes.key").chmod(0o600)
    with pytest.raises(OversightError, match="no key"):
        read_key(tmp_path / "bytes.key", "auditor")


@pytest.mark.parametrize("name", ["", "a b", "a/b", "é", "a\n"])
def test_a_key_has_a_plain_name(name: str) -> None:
    with pytest.raises(OversightError, match="no name"):
        PrivateKey("auditor", name, b"k" * 32)


@pytest.mark.parametrize(
    "line",
    ["", "auditor exam", "auditor exam AAAA", "king exam " + "A" * 43 + "=", "auditor exam ????", "a b c d"],
)
def test_what_is_no_public_key_is_refused(line: str) -> None:
    with pytest.raises(OversightError, match="no public key"):
        PublicKey.parse(line)


def test_a_public_key_reads_back_and_its_id_is_of_role_and_name() -> None:
    assert PublicKey.parse(str(KEY.public)) == KEY.public
    assert KEY.public.raw == TRAINER.public.raw
    assert KEY.public.id != TRAINER.public.id
    assert path_of(Path("k"), "human", "first") == Path("k/human-first.key")


# ── envelopes ────────────────────────────────────────────────────────────────────────────────────────────


def signed(**changes: Any) -> Signed:
    return replace(Signed.sign(KEY, "review", {"a": 1}), **changes)


def test_a_signature_binds_type_role_name_and_body() -> None:
    assert signed().opened("review", KEY.public) == {"a": 1}
    assert Signed.parse(signed().as_json()) == signed()
    for changes in ({"type": "lease"}, {"body": {"a": 2}}, {"signature": b"\0" * 64}, {"signature": b""}):
        with pytest.raises(OversightError):
            signed(**changes).opened(changes.get("type", "review"), KEY.public)
    for changes in ({"role": "trainer"}, {"name": "other"}, {"key": TRAINER.public.id}):
        with pytest.raises(OversightError, match="may sign it"):
            signed(**changes).opened("review", KEY.public)


def test_one_pair_of_bytes_in_two_roles_signs_two_things() -> None:
    """The trainer's key is made of the same bytes here, and is worth nothing as an auditor's."""
    by_trainer = Signed.sign(TRAINER, "review", {"a": 1})
    assert by_trainer.signature != signed().signature
    posing = replace(by_trainer, role="auditor", name="exam", key=KEY.public.id)
    with pytest.raises(OversightError, match="does not fit"):
        posing.opened("review", KEY.public)
    with pytest.raises(OversightError, match="may sign it"):
        by_trainer.opened("review", KEY.public)


def test_a_statement_of_one_type_is_none_of_another() -> None:
    order = Order(run="r", level=0, change=1, reason="").sign(KEY)
    with pytest.raises(OversightError, match="a order was given where a beat is needed"):
        Beat.opened(order, KEY.public)


def envelope(signed_text: str | bytes, **changes: Any) -> dict[str, Any]:
    """A well-signed envelope around any payload."""
    raw = signed_text if isinstance(signed_text, bytes) else signed_text.encode()
    media = "application/vnd.autotelic.review+json"
    sig = base64.b64encode(KEY.sign(encoded(media, raw))).decode()
    found = {
        "payloadType": media,
        "payload": base64.b64encode(raw).decode(),
        "signatures": [{"keyid": KEY.public.id, "sig": sig}],
    }
    return found | changes


GOOD = '{"body":{"a":1},"name":"exam","role":"auditor","type":"review"}'


def test_a_canonical_envelope_is_read() -> None:
    assert Signed.parse(envelope(GOOD)).opened("review", KEY.public) == {"a": 1}


@pytest.mark.parametrize(
    "payload",
    [
        '{"body":{"a":1,"a":2},"name":"exam","role":"auditor","type":"review"}',
        '{"body":{"a":NaN},"name":"exam","role":"auditor","type":"review"}',
        '{"body":{"a":-Infinity},"name":"exam","role":"auditor","type":"review"}',
        '{"body":{"a":9007199254740992},"name":"exam","role":"auditor","type":"review"}',
        '{"body":{"a":-9007199254740992},"name":"exam","role":"auditor","type":"review"}',
        '{"body":{"a":1e400},"name":"exam","role":"auditor","type":"review"}',
        '{"body":{"a":1e300},"name":"exam","role":"auditor","type":"review"}',
        '{"body":{"a":"\\ud800"},"name":"exam","role":"auditor","type":"review"}',
        '{"body":{"a":1.0},"name":"exam","role":"auditor","type":"review"}',
        '{"body":{"a": 1},"name":"exam","role":"auditor","type":"review"}',
        '{"name":"exam","body":{"a":1},"role":"auditor","type":"review"}',
        '{"body":{"a":1},"name":"exam","role":"auditor","type":"lease"}',
        '{"body":{"a":1},"name":"exam","role":"auditor"}',
        '{"body":{"a":1},"name":"exam","role":"auditor","type":"review","x":1}',
        '{"body":[],"name":"exam","role":"auditor","type":"review"}',
        '{"body":{"a":1},"name":1,"role":"auditor","type":"review"}',
        "[" * 2000 + "]" * 2000,
        "", "null", "[]", "1", b"\xff\xfe",
        '{"body":' + '{"a":' * 40 + "1" + "}" * 40 + ',"name":"exam","role":"auditor","type":"review"}',
    ],
)  # fmt: skip
def test_what_two_readers_could_read_differently_is_refused_though_well_signed(payload: str | bytes) -> None:
    with pytest.raises(OversightError):
        Signed.parse(envelope(payload))


@pytest.mark.parametrize(
    "found",
    [
        None, 1, "x", [], {}, envelope(GOOD, signatures=[]), envelope(GOOD, signatures=[1]),
        envelope(GOOD, signatures=[{"keyid": "a", "sig": "b"}] * 2), envelope(GOOD, payload="!!"),
        envelope(GOOD, payload=1), envelope(GOOD, payloadType="application/json"), envelope(GOOD, payloadType=None),
        envelope(GOOD, signatures=[{"keyid": 1, "sig": "AAAA"}]), envelope(GOOD, signatures=[{"sig": "AAAA"}]),
    ],
)  # fmt: skip
def test_what_is_no_envelope_is_refused(found: Any) -> None:
    with pytest.raises(OversightError):
        Signed.parse(found)


@pytest.mark.parametrize(
    "body", [{"a": 2**53}, {"a": float("nan")}, {"a": object()}, {1: "a"}, {"a": "\ud800"}]
)
def test_nothing_is_signed_that_would_not_be_read(body: Any) -> None:
    with pytest.raises(OversightError):
        Signed.sign(KEY, "review", body)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)
    ),
    max_leaves=8,
)


@FEW
@given(st.dictionaries(st.text("abc", min_size=1), json_values, max_size=4))
def test_every_plain_body_survives_its_envelope(body: dict[str, Any]) -> None:
    sent = json.dumps(Signed.sign(KEY, "review", body).as_json())
    assert canonical(Signed.parse(strict(sent)).opened("review", KEY.public)) == canonical(body)


@FEW
@given(st.binary(max_size=40))
def test_no_bytes_crash_the_reader(content: bytes) -> None:
    with suppress(OversightError):
        assert strict(canonical(strict(content))) == strict(content)


# ── statements ───────────────────────────────────────────────────────────────────────────────────────────

BEAT = {"run": "r", "lease": "l", "count": 1, "steps": 1, "tokens": 2, "nonce": "n"}


@pytest.mark.parametrize(
    "changes",
    [{"steps": -1}, {"steps": True}, {"steps": "1"}, {"steps": 1.0}, {"run": 1}, {"run": None}, {"more": 1}],
)
def test_a_statement_has_exactly_its_fields(changes: dict[str, Any]) -> None:
    assert Beat.read(BEAT).steps == 1
    with pytest.raises(OversightError):
        Beat.read(BEAT | changes)
    with pytest.raises(OversightError):
        Beat.read({name: value for name, value in BEAT.items() if name not in changes and name != "nonce"})


def test_a_verdict_is_approve_or_refuse() -> None:
    body = {"run": "r", "charter": "c", "candidate": "x", "blob": "x", "parent": "p", "epoch": 1, "generation": 0,
            "evidence": "e", "reasons": []}  # fmt: skip
    assert Review.read(body | {"verdict": "refuse"}).verdict == "refuse"
    for verdict in ("Approve", "yes", "", 1):
        with pytest.raises(OversightError):
            Review.read(body | {"verdict": verdict})
    with pytest.raises(OversightError):
        Lease.read(body)
