"""A sitting in a process of its own: the candidate and its parent answer the same fresh items.

The worker (`engine/examiner.py`) has torch; whoever asks it has not. It is started at the first claim and kept,
because its start costs more than its work. What it is asked and what it answers are lines of JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

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

    def sit(self, candidate: Claim, seed: int) -> Sequence[PairedItem]:
        """One `PairedItem` an item. Raises OversightError where the worker ended, or answers something else."""
        asked = {
            "candidate": candidate.candidate,
            "blob": candidate.blob,
            "parent": candidate.parent,
            "parent_blob": self.parent(),
            "seed": str(seed),
            "items": self.items,
            "answers": self.answers,
        }
        with self._lock:
            line = self._asked(json.dumps(asked))
        try:
            told = json.loads(line)
            if "error" in told:
                raise OversightError(f"the examiner failed: {told['error']}", "look at the run folder")
            return [
                PairedItem(
                    item=str(item),
                    program=str(program),
                    champion=tuple(map(float, champion)),
                    candidate=tuple(map(float, new)),
                )
                for item, program, champion, new in told["items"]
            ]
        except (ValueError, TypeError, KeyError) as error:
            raise OversightError(
                f"the examiner ended or answers rubbish: {error!r:.80}", "see its log"
            ) from None

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
