"""What a run needs of oversight, opened in one place: the overseer, a guard, and the reader of its ledger.

By default the overseer is a child process of the run, with keys made on the spot (isolation grade A). It ends with
the run. With an address it is somebody else's, and its brake's public key was pinned beforehand.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, get_args

from autotelic.errors import AutotelicError, BrakedError, OversightError
from autotelic.oversee import permits
from autotelic.oversee.bodies import LEVELS, STOP
from autotelic.oversee.client import RemoteOverseer
from autotelic.oversee.guard import Guard
from autotelic.oversee.host import HostClock, same_code
from autotelic.oversee.house import House
from autotelic.oversee.keys import PrivateKey, PublicKey
from autotelic.oversee.ledgers import LedgerReader
from autotelic.oversee.permits import Certificate, CertifiedUse, Trust
from autotelic.oversee.reports import report_of

PATIENCE = 3600.0
"""Seconds that auditors have for a candidate: an exam of a large model takes long."""
CERTIFIED_USES: tuple[CertifiedUse, ...] = get_args(CertifiedUse)
START = 60.0
"""Seconds that a child has to listen."""
POLL = 1.0
"""Seconds between two looks of the watch at the brake: it acts within five."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How to reach an overseer that is not a child: its address, its brake's public key, its TLS certificate."""

    address: str
    brake: PublicKey
    pinned: Path | None = None


class Supervision:
    """One run's oversight, as the run sees it. Use it as a context manager: it ends the child."""

    def __init__(
        self, overseer: RemoteOverseer, trust: Trust, key: PrivateKey, child: subprocess.Popen[bytes] | None
    ) -> None:
        self.overseer, self.trust, self._key, self._child = overseer, trust, key, child
        self.clock = HostClock()
        self.reader = LedgerReader.of(trust)
        self.guard = Guard(key, trust, overseer, self.clock, self.reader)
        self.certificates: dict[str, Certificate] = {}
        """Those of the certified weights that this process knows, by reference."""

    @classmethod
    def begin(
        cls,
        folder: Path,
        *,
        run: str,
        charter: str,
        start: str,
        blob: str,
        auditors: Sequence[str] = (),
        connection: Connection | None = None,
        patience: float = PATIENCE,
    ) -> Self:
        """Begin a run, or go on with it. `folder` is its oversight folder; of an overseer elsewhere it holds the
        trainer's key alone. `auditors` are those of a child, `module:Class`.

        Raises OversightError where the overseer is not the one that the run began with.
        """
        house = House(folder, folder.parent / "weights")
        made = house.make_keys()
        key = made["trainer", "trainer"]
        child = None
        if connection is None:
            child = started(house, auditors, patience)
            connection = Connection(address=house.socket, brake=house.published("brake"))
        overseer = RemoteOverseer(connection.address, pinned=connection.pinned, patience=patience)
        about = {
            "run": run,
            "charter": charter,
            "start": start,
            "blob": blob,
            "trainer": str(key.public),
            "user": os.getuid(),
            "boot": HostClock().boot(),
        }
        try:
            trust = Trust.of(overseer.begin(about), connection.brake)
            if (trust.run, trust.charter, trust.start, trust.blob) != (run, charter, start, blob):
                raise OversightError(
                    "the overseer founded another run", "give this run an overseer of its own"
                )
            if key.public not in trust.of_role("trainer"):
                raise OversightError(
                    "this trainer's key is not the one that the run began with",
                    "restore its oversight folder",
                )
            return cls(overseer, trust, key, child)
        except BaseException:
            end(child)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        end(self._child)

    def check(self, ref: str, blob: str, use: CertifiedUse, certificate: Certificate | None) -> None:
        """Raise OversightError unless these weights may be used so now: asked of the brake, with a new nonce.

        `ref` and `blob` are computed from the bytes that are about to be loaded. The run's first weights have no
        certificate.
        """
        nonce = secrets.token_hex(16)
        attested = self.overseer.attest(nonce)
        permits.check_use(ref, blob, use, certificate, attested, nonce, self.trust, self.reader)

    def allow(self, ref: str, blob: str, role: str) -> None:
        """What the door for weights asks, with what it computed from the bytes that it is about to load: for
        training a lease, for a certified use a certificate that was not revoked.
        """
        if role == "train":
            self.guard.check()
        elif role in CERTIFIED_USES:
            use = next(known for known in CERTIFIED_USES if known == role)
            self.check(ref, blob, use, self.certificates.get(ref))

    def champion(self) -> tuple[str, str, int]:
        """The brake's champion, its file in the store, and the generation of its certificate (-1 for the start)."""
        trail = self.overseer.status()["trail"]
        for candidate, _, generation in trail[1:]:
            if candidate not in self.certificates and (found := self.overseer.certificate(generation)):
                self.certificates[candidate] = found
        candidate, blob, generation = trail[-1]
        return str(candidate), str(blob), int(generation) if len(trail) > 1 else -1

    def claim(self, candidate: str, blob: str, evidence: Mapping[str, Any]) -> Certificate:
        """Ask for a candidate to be certified. Raises BrakedError for a no."""
        certificate = self.guard.claim(candidate, blob, evidence)
        self.certificates[candidate] = certificate
        return certificate

    def report(self, leaves: list[dict[str, Any]], level: int, reason: str) -> None:
        """Put leaves on the record, and raise the brake where `level` is above 0."""
        report = report_of(self.trust.run, leaves, level, reason)
        self.overseer.report(report.sign(self._key))

    def finish(self) -> None:
        """The budget is spent: auditors open what they kept secret."""
        self.overseer.finish()

    def watch(self, stop: Callable[[str], None]) -> Watching:
        """Look at the brake from a thread of its own, and call `stop` once it is set or does not answer.

        It is for what takes long between two steps. It never beats, so it cannot keep a lease alive.
        """
        return Watching(self.overseer, stop)


class Watching:
    """A thread that looks at the brake until it is closed."""

    def __init__(self, overseer: RemoteOverseer, stop: Callable[[str], None]) -> None:
        self._overseer, self._stop = overseer, stop
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True, name="brake watch")
        self._thread.start()

    def _look(self) -> None:
        while not self._closed.wait(POLL):
            try:
                now = self._overseer.status()
                level, reason = int(now["level"]), str(now["reason"])
            except (AutotelicError, KeyError, TypeError, ValueError) as error:
                if not self._closed.is_set():
                    self._stop(f"the brake does not answer: {error}")
                return
            if level >= STOP:
                self._stop(f"the brake was set to {level} ({LEVELS[level]}): {reason}")
                return

    def close(self) -> None:
        self._closed.set()
        self._thread.join(timeout=5.0)


def started(house: House, auditors: Sequence[str], patience: float) -> subprocess.Popen[bytes]:
    """An overseer as a child that ends when this process does. Raises BrakedError where it does not start."""
    command = [sys.executable, "-m", "autotelic.cli", "auditor", str(house.folder), "--child"]
    command += [part for spec in auditors for part in ("--auditor", spec)]
    command += ["--patience", str(patience)]
    pipe = subprocess.PIPE
    child = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=same_code())
    assert child.stdout is not None
    assert child.stderr is not None
    lines: list[bytes] = []
    reading = threading.Thread(target=lambda: lines.append(child.stdout.readline()), daemon=True)  # type: ignore[union-attr]
    reading.start()
    reading.join(START)
    if lines and lines[0].startswith(b"listening on "):
        threading.Thread(target=child.stderr.read, daemon=True).start()
        return child
    child.kill()
    said = child.stderr.read().decode(errors="replace").strip().splitlines()
    why = said[-1].removeprefix("autotelic: ") if said else f"it did not listen within {START:.0f} s"
    raise BrakedError(f"the overseer did not start: {why}", "look at its oversight folder")


def end(child: subprocess.Popen[bytes] | None) -> None:
    """End a child: its end of the pipe is closed, and it folds its ledger. One that hangs is killed."""
    if child is None or child.stdin is None:
        return
    child.stdin.close()
    until = time.monotonic() + 10.0
    while child.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    if child.poll() is None:
        child.kill()
    child.wait()
    for pipe in (child.stdout, child.stderr):
        if pipe is not None:
            pipe.close()
