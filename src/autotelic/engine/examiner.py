"""The exam auditor's worker: it lets stored weights answer items that a secret seed draws.

    python -m autotelic.engine.examiner RUN

It reads requests from its standard input and answers on its standard output, a line of JSON each. It loads the bytes
that a request names, through a door of its own that hashes them, and draws items that the run's record does not have.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

import torch

from autotelic.attempt.rollout import Rollout
from autotelic.engine.services import open_world
from autotelic.engine.start import machine_of, new_crew
from autotelic.errors import AutotelicError, RecordError
from autotelic.exam.evaluate import judged, outcome
from autotelic.exam.sealed import fresh_items
from autotelic.exam.seals import seals_of
from autotelic.messages import ExamSet, RunStarted
from autotelic.models.adapter import add_adapter
from autotelic.models.context import context_of
from autotelic.models.decode import Decoder
from autotelic.models.placement import device_of, placed
from autotelic.models.tokens import Tokens
from autotelic.record import Journal, RunFolder
from autotelic.streams import seed_of, stream
from autotelic.types import Cell, Task
from autotelic.weights.door import Weights
from autotelic.weights.load import load
from autotelic.weights.store import Store
from autotelic.weights.warrant import Warrant


class Examiner:
    """One run's model and domain, apart from the trainer's. `resources` closes what it opens."""

    def __init__(self, folder: Path, resources: ExitStack) -> None:
        self.place = RunFolder.open(folder)
        self.charter = charter = self.place.charter()
        with Journal.open(folder) as journal:
            started = journal.latest(RunStarted)
        if started is None:
            raise RecordError(f"{folder} has no run.started message", "restore the run folder from a copy")
        machine = machine_of(started).model_copy(update={"server": ""})
        torch.set_num_threads(1)  # the rows of a batch are shared out among the crew instead
        self.domain = open_world(charter, machine, resources).domain
        loaded = load(self.place.start, expected=started.start, dtype=charter.model.dtype)
        self.model = loaded.model
        if charter.model.lora_rank:
            add_adapter(self.model, charter.model.lora_rank, seed_of(charter.seed, "adapter"))
        placed(self.model, device_of(machine.device))
        self.weights = Weights(self.model, Store(self.place.weights), self.place.start)
        tokens = Tokens(loaded.tokenizer, chat=charter.domain.style == "natural")
        self.decoder = Decoder(self.model, end_id=tokens.end_id, crew=new_crew(machine, resources))
        context = context_of(self.model)
        self.policy = Rollout(
            self.decoder, tokens, self.domain, max_tokens=charter.roles.max_tokens, context=context
        )

    def sit(self, asked: Mapping[str, Any]) -> list[list[Any]]:
        """A row an item: its id, its program, and the outcomes of the answers of the parent and of the candidate."""
        seed, answers = int(asked["seed"]), int(asked["answers"])
        items = self._items(seed, int(asked["items"]))
        parent = self._outcomes(items, asked["parent"], asked["parent_blob"], seed, answers)
        candidate = self._outcomes(items, asked["candidate"], asked["blob"], seed, answers)
        return [
            [item.id, item.signature, before, after]
            for item, before, after in zip(items, parent, candidate, strict=True)
        ]

    def _items(self, seed: int, count: int) -> list[Task]:
        """Items of the levels that the sealed exam asks, that the run and its ancestors have not met.

        Where the rules have too few that are new, the rest may have been met, by both weights alike. What an
        exam asks is never among them.
        """
        charter = self.charter
        low, high = charter.exam.levels
        modes = charter.domain.modes or tuple(self.domain.spec.modes)
        cells = [Cell(mode=mode, level=level) for mode in modes for level in range(low, high + 1)]
        met = self._met()
        items, missing = fresh_items(
            self.domain, stream(seed, "items"), cells, count, known=met, sealed=frozenset()
        )
        if missing:
            new = {item.signature for item in items}
            more, _ = fresh_items(
                self.domain, stream(seed, "more"), cells, missing, known=new, sealed=self._sealed()
            )
            items += more
        return items

    def _met(self) -> frozenset[str]:
        with Journal.open(self.place.path) as journal:
            own = frozenset(str(row["signature"]) for row in journal.each("tasks"))
        return own | (seals_of(self.place.path) or frozenset())

    def _sealed(self) -> frozenset[str]:
        with Journal.open(self.place.path) as journal:
            return frozenset(
                task.signature
                for message in journal.each_message(kinds=(ExamSet.kind,))
                if isinstance(message, ExamSet)
                for task in message.items
            )

    def _outcomes(self, items: list[Task], ref: str, blob: str, seed: int, answers: int) -> list[list[float]]:
        """The outcomes of each item's sampled answers, of the weights in one file of the store."""
        self.weights.adopt({ref: blob})
        self.weights.activate(ref, Warrant(role="examine", ref=ref, issuer="exam auditor"))
        self.decoder.sync()
        groups = self.policy.attempt(
            items,
            siblings=answers,
            temperature=self.charter.roles.temperature,
            seed=seed_of(seed, "answers"),
        )
        scale = self.domain.spec.scale
        return [
            [outcome(verdict, scale) for verdict in group.verdicts] for group in judged(self.domain, groups)
        ]


def serve(folder: Path, asked: TextIO, told: TextIO) -> None:
    """Answer requests until there are no more."""
    with ExitStack() as resources:
        examiner: Examiner | None = None
        for line in asked:
            try:
                examiner = examiner or Examiner(folder, resources)
                answer: dict[str, Any] = {"items": examiner.sit(json.loads(line))}
            except (AutotelicError, OSError, ValueError, KeyError, TypeError) as error:
                answer = {"error": f"{type(error).__name__}: {error}"}
            told.write(json.dumps(answer) + "\n")
            told.flush()


def main() -> None:
    """Serve on standard input and output. What anything else prints goes to standard error."""
    told = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    serve(Path(sys.argv[1]), sys.stdin, told)


if __name__ == "__main__":
    main()
