"""`autotelic ledger`: the record that cannot be rewritten unseen, verified, proved, exported and witnessed."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from autotelic.commands import Json

if TYPE_CHECKING:
    from autotelic.oversee.ledger import LedgerReport, NoteVerifier, Witness

app = App(name="ledger", help="The record that cannot be rewritten unseen: verify, prove, export, witness.")

Keys = Annotated[tuple[str, ...], Parameter(negative="")]


@app.command
def verify(
    path: Path,
    *,
    key: str | None = None,
    origin: str | None = None,
    witness: Path | None = None,
    witness_key: Keys = (),
    witness_url: str | None = None,
    sealed: Annotated[bool, Parameter(negative="")] = False,
    as_json: Json = False,
) -> int:
    """Verify every leaf, checkpoint, signature and byte; the first thing that is wrong is one line, and exit code 1.

    Parameters
    ----------
    path
        A run folder, a ledger.sqlite, an export, or a proof that `prove` wrote.
    key
        The log's public key, name+keyid+base64, if you know it; else the one that the ledger names.
    origin
        The log's name, if you know it.
    witness
        The store of a witness, which says what it has cosigned; witness.sqlite of the run folder if it has one.
    witness_key
        The public key of a witness that must have cosigned; may be repeated.
    witness_url
        The address of that witness, to be asked whether the ledger is the one it has cosigned.
    sealed
        Ask for the seal of a closed ledger, which commits to every byte of the file.
    """
    from autotelic.errors import LedgerError
    from autotelic.oversee.ledger import NoteVerifier

    known = NoteVerifier.parse(key) if key else None
    witnesses = [NoteVerifier.parse(one) for one in witness_key]
    if witness_url and len(witnesses) != 1:
        raise LedgerError("--witness-url needs the key of that witness", "give one --witness-key")
    place = ledger_of(path)
    if _begins(place, b"c2sp.org/tlog-proof@v1\n"):
        return _verify_proof(place, known, origin, witnesses, as_json)
    report = verified(place, known, origin, witness, witnesses)
    if report.ok and sealed and not report.sealed:
        report.problem = "the ledger is not sealed: its process was killed, or the seal was taken away"
    if report.ok and witness_url:
        report.problem = _asked(place, witness_url, witnesses[0])
    if as_json:
        print(json.dumps({**asdict(report), "ok": report.ok}, indent=2))
    elif report.ok:
        whole = "every byte verified" if report.sealed else "every row verified"
        print(f"{place}: {whole}: {report.size} leaves, {report.checkpoints} checkpoints of {report.origin}")
        print(f"  root      {report.root}\n  key       {report.key}")
        for vkey, size in report.cosigned.items():
            print(f"  witness   {vkey} cosigned {size} leaves")
        for note in report.notes:
            print(f"  note      {note}")
    else:
        print(f"{place}: {report.problem}")
    return 0 if report.ok else 1


@app.command
def prove(path: Path, index: int, *, out: Path | None = None, size: int | None = None) -> None:
    """Write a proof that a leaf is in the ledger, which `verify` and other tools check without it.

    The form is c2sp.org/tlog-proof; the leaf itself is its extra data.

    Parameters
    ----------
    path
        A run folder or a ledger.sqlite.
    index
        The number of the leaf, from 0.
    out
        The file to write; none prints the proof.
    size
        The checkpoint to prove it in, in leaves; by default the last one.
    """
    from dataclasses import replace

    from autotelic.oversee.ledger import Ledger

    with Ledger.open(ledger_of(path)) as ledger:
        proof = replace(ledger.proof(index, size), extra=ledger.leaf_data(index))
    if out is None:
        print(proof.text, end="")
    else:
        out.write_text(proof.text, encoding="utf-8", newline="")
        print(out)


@app.command
def export(path: Path, out: Path, *, proofs: bool = True) -> None:
    """Write a ledger as JSON lines, which `verify` checks without the run.

    Parameters
    ----------
    path
        A run folder or a ledger.sqlite.
    out
        The file to write.
    proofs
        Whether each leaf gets a proof of its own (c2sp.org/tlog-proof).
    """
    from autotelic.oversee.ledger import Ledger, export_ledger

    with Ledger.open(ledger_of(path)) as ledger:
        print(f"{out}: {export_ledger(ledger, out, proofs=proofs)} leaves")


@app.command
def witness(
    store: Path,
    *,
    key: Path,
    name: str | None = None,
    log: Keys = (),
    host: str = "127.0.0.1",
    port: int = 8775,
) -> None:
    """Serve a witness over HTTP (c2sp.org/tlog-witness) until it is interrupted.

    Parameters
    ----------
    store
        Its store. A store and a key that are both missing are made, under --name.
    key
        The file with its private key.
    name
        The name of a new witness, like witness.example.
    log
        The public key of a log that it shall know, name+keyid+base64; may be repeated.
    host
        The address to listen on.
    port
        The port to listen on; 0 takes a free one.
    """
    from autotelic.oversee.ledger import NoteVerifier, WitnessServer

    logs = [NoteVerifier.parse(one) for one in log]
    with _witness(store, key, name) as own:
        for one in logs:
            own.add_log(one)
        with WitnessServer(own, host, port) as server:
            print(f"{own.verifier.vkey}\n{server.url}", flush=True)
            try:
                server.serve_forever()
            except KeyboardInterrupt:
                print("stopped", file=sys.stderr)


def _witness(store: Path, key: Path, name: str | None) -> Witness:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from autotelic.errors import LedgerError
    from autotelic.oversee.ledger import Witness
    from autotelic.oversee.ledger.cosignatures import cosigner
    from autotelic.oversee.ledger.keyfile import read_key, write_key

    if store.exists() or key.exists():
        own = Witness.open(store, read_key(key).key)
        if name is not None and name != own.verifier.name:
            own.close()
            raise LedgerError(f"{store} is the witness {own.verifier.name}, not {name}", "leave --name out")
        return own
    if name is None:
        raise LedgerError(f"{store} and {key} do not exist", "give --name to make a new witness")
    secret = Ed25519PrivateKey.generate()
    write_key(key, cosigner(name, secret))
    return Witness.create(store, secret, name)


def ledger_of(path: Path) -> Path:
    """The file of a ledger: itself, or that of a run or oversight folder."""
    from autotelic.errors import LedgerError
    from autotelic.oversee.ledger.tables import NAME

    place = path
    if path.is_dir():
        place = next(
            (folder / NAME for folder in (path, path / "oversight") if (folder / NAME).is_file()), path
        )
    if not place.is_file():
        what = "has no ledger" if place.is_dir() else "does not exist"
        raise LedgerError(f"{place} {what}", "give a run folder, a ledger.sqlite or an export")
    return place


def _begins(path: Path, first: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(first)) == first


def verified(
    place: Path,
    key: NoteVerifier | None,
    origin: str | None,
    store: Path | None,
    witnesses: list[NoteVerifier],
) -> LedgerReport:
    from autotelic.errors import LedgerError
    from autotelic.oversee.ledger import read_latest, verify_export, verify_ledger

    exported, beside = _begins(place, b"{"), place.with_name("witness.sqlite")
    if store is None and beside.is_file() and not exported:
        store = beside  # an export may well be older than what the witness has cosigned since
    check = verify_export if exported else verify_ledger
    report = check(place, origin=origin, key=key, witnesses=witnesses)
    if not report.ok or store is None:
        return report
    try:
        witness, latest = read_latest(store, report.origin)
    except LedgerError as error:
        report.problem = error.cause
        return report
    return check(
        place, origin=origin, key=key, witnesses=witnesses, cosigned={f"the witness {witness.name}": latest}
    )


def _asked(place: Path, url: str, witness: NoteVerifier) -> str | None:
    """What a witness elsewhere finds wrong with a ledger, which it is asked to cosign; None if nothing."""
    from autotelic.errors import LedgerError
    from autotelic.oversee.ledger import HistoryError, Ledger, WitnessClient, WitnessRefusalError
    from autotelic.oversee.ledger.witnessing import ask

    if _begins(place, b"{"):
        raise LedgerError("a witness is asked about a ledger, not about an export", "give the ledger.sqlite")
    with Ledger.open(place) as ledger:
        try:
            ask(ledger, WitnessClient(url, witness))
        except (HistoryError, WitnessRefusalError) as error:
            return error.cause
    return None


def _verify_proof(
    place: Path, key: NoteVerifier | None, origin: str | None, witnesses: list[NoteVerifier], as_json: bool
) -> int:
    from autotelic.errors import LedgerError
    from autotelic.oversee.ledger import TlogProof, verify_proof
    from autotelic.oversee.ledger.leaves import decode_leaf

    if key is None:
        raise LedgerError("a proof is checked with the log's public key", "give --key")
    try:
        text = place.read_bytes().decode()
        proof = TlogProof.parse(text)
        if proof.extra is None:
            raise LedgerError("the proof does not hold its leaf")
        leaf = decode_leaf(proof.extra)
        head = verify_proof(proof, proof.extra, origin or key.name, key, witnesses)
    except (LedgerError, UnicodeDecodeError) as error:
        told = error.cause if isinstance(error, LedgerError) else "the proof is not UTF-8"
        print(json.dumps({"ok": False, "problem": told}, indent=2) if as_json else f"{place}: {told}")
        return 1
    found = {"ok": True, "origin": head.origin, "index": proof.index, "size": head.size, "leaf": leaf}
    if as_json:
        print(json.dumps(found, indent=2))
    else:
        print(
            f"{place}: leaf {proof.index} of the {head.size} of {head.origin}:\n{json.dumps(leaf, indent=2)}"
        )
    return 0
