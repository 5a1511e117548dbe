"""`autotelic auditor`: the program of an overseer, for one run to train under."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

if TYPE_CHECKING:
    from autotelic.oversee.house import House
    from autotelic.oversee.keys import PublicKey
    from autotelic.oversee.overseer import Overseer
    from autotelic.oversee.server import Server


def auditor(
    folder: Path,
    *,
    listen: str = "",
    weights: Path | None = None,
    auditors: Annotated[tuple[str, ...], Parameter(name="--auditor", negative="")] = (),
    other: tuple[str, ...] = (),
    quorum: int | None = None,
    patience: float = 600.0,
    certificate: Path | None = None,
    private: Path | None = None,
    keys: Annotated[bool, Parameter(negative="")] = False,
    child: Annotated[bool, Parameter(negative="", show=False)] = False,
) -> None:
    """Run a brake with its ledger, witness and auditors, for one run to train under.

    Parameters
    ----------
    folder
        The oversight folder. Its keys are made where they are missing.
    listen
        unix:PATH (the folder's `socket` without), http://127.0.0.1:PORT, or https://HOST:PORT.
    weights
        The run's store of weights; the folder beside this one without.
    auditors
        `exam`, `rate` or `safety`, which ship, or a class to audit with, `module:Class`, called with its key. May be
        given several times.
    other
        The public key of an auditor or human that is elsewhere, as --keys prints it.
    quorum
        Auditors that must approve; all without.
    patience
        Seconds that auditors have for a claim.
    certificate
        For https: the certificate, in PEM.
    private
        For https: its private key, in PEM.
    keys
        Make the keys, print the public ones, and end.
    """
    from autotelic.oversee.house import House
    from autotelic.oversee.keys import PublicKey
    from autotelic.oversee.server import Reception, Server, server_context
    from autotelic.oversee.shipped import shipped

    house = House(folder, weights or folder.parent / "weights")
    made = house.make_keys()
    if keys:
        for key in made.values():
            print(key.public)
        return
    who: list[Any] = [*shipped([spec for spec in auditors if ":" not in spec], house, folder.parent)]
    who += [made_auditor(spec, house) for spec in auditors if ":" in spec]
    others = [PublicKey.parse(line) for line in other]
    tls = server_context(certificate, private) if certificate and private else None

    def begin(given: Mapping[str, Any]) -> Overseer:
        return _begun(given, house, who, others, quorum=quorum, patience=patience)

    house.make_socket_folder()
    reception = Reception(begin)
    server = Server(reception, listen or house.socket, tls)
    print(f"listening on {server.address}", flush=True)
    try:
        _serve(server, child)
    finally:
        if reception.begun is not None:
            house.close(reception.begun)


def _serve(server: Server, child: bool) -> None:
    """Answer until whoever started this wants no more."""
    try:
        server.start()
        _wait(child)
    finally:
        server.shutdown()
        server.server_close()


def _begun(
    given: Mapping[str, Any],
    house: House,
    who: Sequence[Any],
    others: Sequence[PublicKey],
    *,
    quorum: int | None,
    patience: float,
) -> Overseer:
    """The overseer of the run that a trainer began, with what its auditors commit to on the record."""
    from autotelic.oversee.shipped import commitments

    everyone = [one.public for one in who] + [key for key in others if key.role == "auditor"]
    overseer = house.begin(
        beginning(given),
        who,
        quorum=quorum or len(everyone),
        grade=given["grade"],  # by the kernel's word, and not the trainer's
        others=others,
        patience=patience,
    )
    for leaf in commitments(who, house.folder.parent):
        overseer.note(leaf)
    return overseer


def _wait(child: bool) -> None:
    """Until the parent is gone (its end of the pipe is closed), or a signal comes."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        # A child's terminal is its parent's: Ctrl-C there is for the parent to answer.
        signal.signal(number, signal.SIG_IGN if child and number == signal.SIGINT else lambda *_: stop.set())

    def until_the_parent_ends() -> None:
        sys.stdin.buffer.read()
        stop.set()

    if child:
        threading.Thread(target=until_the_parent_ends, daemon=True).start()
    while not stop.wait(1.0):
        pass


def beginning(given: Mapping[str, Any]) -> Any:
    """What a trainer said of its run."""
    from autotelic.errors import OversightError
    from autotelic.oversee.house import Beginning
    from autotelic.oversee.keys import PublicKey

    texts = [given[name] for name in ("run", "charter", "start", "blob", "trainer")]
    if not all(isinstance(text, str) and text for text in texts):
        raise OversightError("a run begins with run, charter, start, blob and trainer", "give each as a text")
    key = PublicKey.parse(texts[4])
    if key.role != "trainer":
        raise OversightError(f"the trainer's key is one of the {key.role}", "give the trainer's own key")
    return Beginning(run=texts[0], charter=texts[1], start=texts[2], blob=texts[3], trainer=key)


def made_auditor(spec: str, house: House) -> Any:
    """An auditor of `module:Class`, with a key of its own in the folder, named by the class's `name`."""
    import importlib

    from autotelic.errors import OversightError
    from autotelic.oversee.keys import make_keys

    module, _, name = spec.partition(":")
    sys.path.insert(0, str(Path.cwd()))
    try:
        kind = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise OversightError(f"there is no auditor {spec!r}: {error}", "give module:Class") from error
    finally:
        sys.path.pop(0)
    called = str(getattr(kind, "name", name.lower()))
    return kind(make_keys(house.keys, [("auditor", called)])["auditor", called])
