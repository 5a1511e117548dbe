"""A sitting in a process of its own: the candidate and its parent answer the same fresh items.

The worker (`engine/examiner.py`) has torch; whoever asks it has not. It is started at the first claim and kept,
because its start costs more than its work. What it is asked and what it answers are lines of JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autotelic.errors import OversightError
from autotelic.oversee.bodies import Claim
from autotelic.oversee.certify import PairedItem
from autotelic.oversee.host import same_code

WORKER = "autotelic.engine.examiner"


class WorkerSitting:
    """Asks the worker of one run. `parent` says which file of the store holds the champion. Implements `Sitting`."""

    def __init__(self, run: Path, parent: Callable[[], str], *, items: int, answers: int) -> None:
        self.run, self.parent = run, parent
        self.items, self.answers = items, answers
        self._worker: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()

    def warm(self) -> None:
        """Start the worker, which loads its libraries beside the training and waits for the first request."""
        with self._lock:
            if self._worker is None:
                self._worker = self._started()

    def sit(self, candidate: Claim, seed: int) -> Sequence[PairedItem]:
        """One `PairedItem` an item of the first round."""
        return self.round(candidate, seed, ())

    def round(self, candidate: Claim, seed: int, before: Sequence[PairedItem]) -> Sequence[PairedItem]:
        """One `PairedItem` an item of a round whose programs are none of those `before`.

        Raises OversightError where the worker ended, or answers something else.
        """
        asked = {
            "candidate": candidate.candidate,
            "blob": candidate.blob,
            "parent": candidate.parent,
            "parent_blob": self.parent(),
            "seed": str(seed),
            "items": self.items,
            "answers": self.answers,
            "round": len(before) // self.items,
            "but": sorted({item.program for item in before}),
        }
        try:
            return [
                PairedItem(
                    item=str(item),
                    program=str(program),
                    champion=tuple(map(float, champion)),
                    candidate=tuple(map(float, new)),
                )
                for item, program, champion, new in self.ask(asked, "items")
            ]
        except (ValueError, TypeError) as error:
            raise _rubbish(error) from None

    def ask(self, asked: Mapping[str, Any], wanted: str) -> Any:
        """One request, and what of its answer is wanted. Raises OversightError where the worker ended, failed, or
        answers something else.
        """
        with self._lock:
            line = self._asked(json.dumps(asked))
        try:
            told = json.loads(line)
            if "error" in told:
                raise OversightError(f"the examiner failed: {told['error']}", "look at the run folder")
            return told[wanted]
        except (ValueError, TypeError, KeyError) as error:
            raise _rubbish(error) from None

    def _asked(self, line: str) -> str:
        worker = self._worker
        if worker is None or worker.poll() is not None:
            worker = self._worker = self._started()
        assert worker.stdin is not None
        assert worker.stdout is not None
        try:
            worker.stdin.write(line + "\n")
            worker.stdin.flush()
        except OSError as error:
            raise OversightError(f"the examiner ended: {error}", "claim again") from error
        return worker.stdout.readline()

    def _started(self) -> subprocess.Popen[str]:
        # Ctrl-C at a terminal is for the trainer: the worker is of another group.
        with (self.run / "oversight" / "examiner.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", WORKER, str(self.run)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=same_code(),
                start_new_session=True,
            )

    def close(self) -> None:
        """End the worker, whatever it is doing."""
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.kill()
            worker.wait()


@dataclass(frozen=True, slots=True)
class Rounds:
    """Sits again, about other programs, for as long as that may still decide. Implements `Sitting`.

    A domain that has too few other programs ends the gate with the rounds that were whole.
    """

    worker: WorkerSitting
    goes_on: Callable[[Sequence[PairedItem]], bool]

    def warm(self) -> None:
        self.worker.warm()

    def sit(self, candidate: Claim, seed: int) -> Sequence[PairedItem]:
        items = list(self.worker.sit(candidate, seed))
        while len(items) % self.worker.items == 0 and self.goes_on(items):
            more = self.worker.round(candidate, seed, items)
            if len(more) < self.worker.items:
                break
            items += more
        return items

    def close(self) -> None:
        self.worker.close()


@dataclass(frozen=True, slots=True)
class WorkerGround:
    """The proving ground in the same worker: the candidate's stored bytes answer the packs. Implements `Ground`."""

    worker: WorkerSitting

    def run(self, candidate: Claim, seed: int) -> Sequence[tuple[str, bool, str, int]]:
        """A row a pack. Raises OversightError where the worker ended, or answers something else."""
        asked = {
            "candidate": candidate.candidate,
            "blob": candidate.blob,
            "parent": candidate.parent,
            "parent_blob": self.worker.parent(),
            "prove": str(seed),
        }
        try:
            return [
                (str(name), passed is True, str(why), int(level))
                for name, passed, why, level in self.worker.ask(asked, "rows")
            ]
        except (ValueError, TypeError) as error:
            raise _rubbish(error) from None

    def close(self) -> None:
        """End the worker."""
        self.worker.close()


def _rubbish(error: Exception) -> OversightError:
    return OversightError(f"the examiner ended or answers rubbish: {error!r:.80}", "see its log")
