"""What a worker of a cluster does: sample, judge, or learn. Plain classes, which know nothing of Ray.

A worker holds no decision of a run. What it is asked says which weights and which step it is for, so that the same
call may be made twice, or be made of another worker, and comes out the same.
"""

from __future__ import annotations

import os
import platform
import socket
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from autotelic.charter import Charter
from autotelic.domains.guard import Guarded
from autotelic.engine.cluster.plan import Bytes, OutOfStepError, Snapshot, WorkerPlan
from autotelic.engine.learner import learner_of
from autotelic.engine.services import open_world
from autotelic.errors import AutotelicError, ModelError
from autotelic.machine import Machine
from autotelic.models.adapter import add_adapter
from autotelic.models.crew import Crew
from autotelic.models.decode import Decoder
from autotelic.models.placement import device_of, placed
from autotelic.models.tokens import Tokens
from autotelic.streams import seed_of
from autotelic.types import Batch, LearnReport, Request, Turn
from autotelic.weights.load import load
from autotelic.weights.travel import SentWeights, packed, packed_tensors, unpacked, unpacked_tensors

SAME = ("autotelic", "torch", "transformers", "tokenizers", "numpy")
"""Packages of which a worker must have the loop's version: another one may compute other bits."""


def installed() -> dict[str, str]:
    """The versions of what decides a worker's bits; empty text for what is not installed."""
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    for name in SAME:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = ""
    return found


class _ClusterWorker:
    """What all workers have: a plan, what they hold open, and where they are."""

    def __init__(self) -> None:
        self.resources = ExitStack()

    def open(self, plan: WorkerPlan, lanes: int) -> dict[str, Any]:
        """Make everything ready; where this worker is, and what it runs on.

        Raises an AutotelicError that names this node for whatever the run needs and is not to be had here.
        """
        node = socket.gethostname()
        try:
            others = {n: (had, installed()[n]) for n, had in plan.versions.items() if installed()[n] != had}
            if others:
                name, (had, here) = next(iter(others.items()))
                raise ModelError(
                    f"it has {name} {here or 'not at all'}, and the loop has {had}",
                    "install the same versions on every node",
                )
            if plan.here and Path(plan.here).is_dir():
                os.chdir(plan.here)
            torch.set_num_threads(1)  # shares are dealt out among threads instead
            self._open(plan, Charter.of(plan.charter), Machine.of(plan.machine), lanes)
        except AutotelicError as error:
            raise type(error)(f"a {self.kind} on {node}: {error.cause}", error.fix) from None
        return {"node": node, "pid": os.getpid(), "platform": platform.machine()}

    kind = "worker"

    def _open(self, plan: WorkerPlan, charter: Charter, machine: Machine, lanes: int) -> None:
        raise NotImplementedError

    def close(self) -> None:
        """End what this worker holds open."""
        self.resources.close()


def _model_of(
    plan: WorkerPlan, charter: Charter, machine: Machine
) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """The model that the run began with, through the door, its adapter added."""
    with ExitStack() as until_read:
        folder = Path(plan.folder)
        if not folder.is_dir():
            if not plan.files:
                raise ModelError(f"there is no model in {folder}", "give all nodes one file system")
            folder = Path(until_read.enter_context(tempfile.TemporaryDirectory(prefix="autotelic-start-")))
            for name, content in plan.files.items():
                (folder / name).write_bytes(content.tobytes())
        loaded = load(folder, expected=plan.start, dtype=charter.model.dtype)
    if charter.model.lora_rank:
        add_adapter(loaded.model, charter.model.lora_rank, seed_of(charter.seed, "adapter"))
    return placed(loaded.model, device_of(machine.device)), loaded.tokenizer


class SamplerWorker(_ClusterWorker):
    """Our decode loop, on some shares of a call."""

    kind = "sampler"

    def _open(self, plan: WorkerPlan, charter: Charter, machine: Machine, lanes: int) -> None:
        self.model, tokenizer = _model_of(plan, charter, machine)
        tokens = Tokens(tokenizer, chat=charter.domain.style == "natural")
        crew = Crew(lanes, plan.hands)
        self.resources.callback(crew.close)
        self.decoder = Decoder(self.model, end_id=tokens.end_id, crew=crew, shares=plan.threads)

    def take(self, sent: SentWeights, _: None = None) -> str:
        """Sample with these weights from here on; their digest."""
        torch.set_num_threads(1)
        if self.decoder.digest != sent.digest:
            unpacked(sent, self.model)
        return self.decoder.sync()

    def sample(
        self, sent: SentWeights, shares: Sequence[Sequence[Request]]
    ) -> tuple[list[list[list[Turn]]], int, int]:
        """The turns of each share by these weights; tokens sampled, and prompt tokens read."""
        torch.set_num_threads(1)
        if self.decoder.digest != sent.digest:
            self.take(sent)
        tokens, read = self.decoder.tokens, self.decoder.prefilled
        found = self.decoder.sample_shares(shares)
        return found, self.decoder.tokens - tokens, self.decoder.prefilled - read


class JudgeWorker(_ClusterWorker):
    """A domain with a sandbox of its own."""

    kind = "judge"

    def _open(self, plan: WorkerPlan, charter: Charter, machine: Machine, lanes: int) -> None:
        self.domain = open_world(charter, machine, self.resources).domain

    def ask(self, method: str, items: Sequence[Any]) -> tuple[list[Any], list[tuple[str, int, str]]]:
        """What a method of the domain gives for each item, and what it left out (`Guarded.take_dropped`)."""
        found = getattr(self.domain, method)(items)
        return found, self.domain.take_dropped() if isinstance(self.domain, Guarded) else []


class LearnerWorker(_ClusterWorker):
    """Holds the weights that are learned and the optimiser. It says after each step what the weights are.

    Steps are counted from the last snapshot. A step that was made already is not made again: its report is given.
    """

    kind = "learner"

    def _open(self, plan: WorkerPlan, charter: Charter, machine: Machine, lanes: int) -> None:
        self.model, _ = _model_of(plan, charter, machine)
        crew = Crew(plan.threads, plan.hands)
        self.resources.callback(crew.close)
        self.learner = learner_of(charter, machine, self.model, crew)
        self.snapshot, self.made = -1, 0
        self.last: tuple[LearnReport, SentWeights] | None = None

    def restore(self, snapshot: Snapshot) -> None:
        """Stand where this snapshot was made."""
        torch.set_num_threads(1)
        unpacked(snapshot.weights, self.model)
        self.learner.restore(unpacked_tensors(snapshot.optimiser))
        self.snapshot, self.made, self.last = snapshot.name, 0, None

    def step(
        self, snapshot: int, made: int, batch: Batch, rate: float, weights: SentWeights | None
    ) -> tuple[LearnReport, SentWeights]:
        """The update after `made` others since the snapshot; its report, and the weights after it.

        `weights` are put in place before it where they are given. Raises OutOfStepError where this learner is
        elsewhere.
        """
        torch.set_num_threads(1)
        if self.snapshot == snapshot and self.made == made + 1 and self.last is not None:
            return self.last
        if self.snapshot != snapshot or self.made != made:
            raise OutOfStepError(f"{self.snapshot}/{self.made}, expected {snapshot}/{made}")
        if weights is not None:
            unpacked(weights, self.model)
        report = self.learner.step(batch, rate)
        self.made += 1
        self.last = report, packed(self.model)
        return self.last

    def state(self, snapshot: int, made: int, _: tuple[()] = ()) -> Bytes:
        """The optimiser's state after `made` steps. Raises OutOfStepError where this learner is elsewhere."""
        if (self.snapshot, self.made) != (snapshot, made):
            raise OutOfStepError(f"{self.snapshot}/{self.made}, expected {snapshot}/{made}")
        return packed_tensors(self.learner.state())

    def rename(self, snapshot: int, made: int, name: int) -> None:
        """Count steps from here on, under another name."""
        if (self.snapshot, self.made) == (snapshot, made):
            self.snapshot, self.made, self.last = name, 0, None
