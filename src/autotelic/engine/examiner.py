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
from functools import partial
from pathlib import Path
from typing import Any, TextIO, cast

import torch

from autotelic.attempt.rollout import Rollout
from autotelic.domains.guard import Guarded
from autotelic.engine.services import open_world
from autotelic.engine.start import machine_of
from autotelic.errors import AutotelicError, OversightError, RecordError
from autotelic.exam.evaluate import judged, outcome
from autotelic.exam.sealed import gate_items
from autotelic.exam.seals import seals_of
from autotelic.messages import ExamSet, RunStarted
from autotelic.models.adapter import add_adapter
from autotelic.models.context import context_of
from autotelic.models.crew import crew_of
from autotelic.models.decode import Decoder
from autotelic.models.eyes import eyes_of
from autotelic.models.placement import device_of, placed
from autotelic.models.tokens import Tokens
from autotelic.oversee.proving import ProgramsDomain
from autotelic.oversee.proving.adapter import ProvingGround
from autotelic.pictures import Gallery
from autotelic.protocols import Answering, Demonstrating, Proposable
from autotelic.record import Journal, RunFolder
from autotelic.streams import seed_of
from autotelic.types import Cell, Request, Task
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
        world = open_world(charter, machine, resources, Gallery(self.place.pictures, write=False))
        self.domain, self.box = world.domain, world.sandbox
        loaded = load(self.place.start, expected=started.start, dtype=charter.model.dtype)
        self.model = loaded.model
        world.shown_to(self.model)
        if charter.model.lora_rank:
            add_adapter(self.model, charter.model.lora_rank, seed_of(charter.seed, "adapter"))
        placed(self.model, device_of(machine.device))
        self.weights = Weights(self.model, Store(self.place.weights), self.place.start)
        self.tokens = tokens = Tokens(
            loaded.tokenizer, chat=charter.domain.style == "natural", eyes=eyes_of(loaded.model)
        )
        self.decoder = Decoder(self.model, end_id=tokens.end_id, crew=crew_of(machine, resources))
        self.active = ("", "")
        context = context_of(self.model)
        self.policy = Rollout(
            self.decoder, tokens, self.domain, max_tokens=charter.roles.max_tokens, context=context
        )

    def sit(self, asked: Mapping[str, Any]) -> list[list[Any]]:
        """A row an item: its id, its program, and the outcomes of the answers of the parent and of the candidate."""
        seed, answers = int(asked["seed"]), int(asked["answers"])
        if asked["round"]:
            seed = seed_of(seed, "round", asked["round"])
        items = self._items(seed, int(asked["items"]), frozenset(map(str, asked["but"])))
        parent = self._outcomes(items, asked["parent"], asked["parent_blob"], seed, answers)
        candidate = self._outcomes(items, asked["candidate"], asked["blob"], seed, answers)
        return [
            [item.id, item.signature, before, after]
            for item, before, after in zip(items, parent, candidate, strict=True)
        ]

    def prove(self, asked: Mapping[str, Any]) -> list[list[Any]]:
        """A row a pack of the proving ground: its name, whether the candidate passed, why, and the level of the brake
        where it did not. Raises OversightError for a domain without programs.
        """
        domain = self.domain.domain if isinstance(self.domain, Guarded) else self.domain
        if not all(isinstance(domain, needed) for needed in (Proposable, Demonstrating, Answering)):
            raise OversightError(
                f"the domain {domain.spec.name} has no programs to prove a candidate with",
                "run without the safety auditor",
            )
        charter = self.charter
        low, high = charter.exam.levels
        ground = ProvingGround(
            domain=cast(ProgramsDomain, domain),
            box=self.box,
            wording="natural" if charter.domain.style == "natural" else "compact",
            published=charter.seed,
            levels=range(low, high + 1),
        )
        candidate = partial(self._complete, str(asked["candidate"]), str(asked["blob"]))
        parent = partial(self._complete, str(asked["parent"]), str(asked["parent_blob"]))
        rows = ground.run(lambda scenes: (candidate, parent), int(asked["prove"]))
        return [list(row) for row in rows]

    def _complete(self, ref: str, blob: str, prompts: list[str]) -> list[str]:
        """What the weights in one file of the store write, greedily. A prompt that leaves no room gets nothing."""
        self._activate(ref, blob)
        ids = self.tokens.prompts(prompts)
        room = [min(self.charter.roles.max_tokens, self.policy.context - len(one)) for one in ids]
        asked = [at for at, left in enumerate(room) if left > 0]
        turns = self.decoder.sample(
            [Request(prompt_ids=ids[at], n=1, max_tokens=room[at], temperature=0.0, seed=0) for at in asked]
        )
        texts = [""] * len(prompts)
        for at, (turn,) in zip(asked, turns, strict=True):
            texts[at] = self.tokens.decode(turn.completion_ids)
        return texts

    def _activate(self, ref: str, blob: str) -> None:
        if self.active != (ref, blob):
            self.weights.adopt({ref: blob})
            self.weights.activate(ref, Warrant(role="examine", ref=ref, issuer="exam auditor"))
            self.decoder.sync()
            self.active = (ref, blob)

    def _items(self, seed: int, count: int, before: frozenset[str]) -> list[Task]:
        """Items of the levels that the sealed exam asks, that the run and its ancestors have not met, and whose
        signature is none of those `before`.

        Where the rules have too few that are new, the rest may have been met, by both weights alike. What an
        exam asks is never among them.
        """
        charter = self.charter
        low, high = charter.exam.levels
        modes = charter.domain.modes or tuple(self.domain.spec.modes)
        cells = [Cell(mode=mode, level=level) for mode in modes for level in range(low, high + 1)]
        met, sealed = self._met(), self._sealed()
        return gate_items(self.domain, seed, cells, count, met=met, sealed=sealed, before=before)

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
        self._activate(ref, blob)
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
                request = json.loads(line)
                answer: dict[str, Any] = (
                    {"rows": examiner.prove(request)}
                    if "prove" in request
                    else {"items": examiner.sit(request)}
                )
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
