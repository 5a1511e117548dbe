"""Who is evaluated, on which exam: a run's champion, what the run began from, or a model folder."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch

from autotelic.attempt.rollout import Rollout
from autotelic.charter import Charter
from autotelic.domains.guard import Guarded
from autotelic.engine.champion import champion_of
from autotelic.engine.services import open_world
from autotelic.engine.start import machine_of
from autotelic.errors import ModelError, RecordError, RunError
from autotelic.exam.sealed import Exam, draw_sealed
from autotelic.exam.seals import seals_of
from autotelic.judge import Critic
from autotelic.machine import Machine
from autotelic.messages import ExamSet, RunStarted
from autotelic.models.context import context_of, vocabulary_of
from autotelic.models.crew import crew_of
from autotelic.models.decode import Decoder
from autotelic.models.eyes import eyes_of
from autotelic.models.tokens import Tokens
from autotelic.pictures import Gallery
from autotelic.protocols import Domain, Ranker
from autotelic.record import Journal, RunFolder, is_run
from autotelic.record import checkpoint as checkpoints
from autotelic.streams import seed_of
from autotelic.types import Cell
from autotelic.weights.load import Loaded, load
from autotelic.weights.store import Store

Which = Literal["sealed", "own", "fresh"]
"""A run's sealed exam, the one that the model set itself, or one drawn now."""
_NOT_KNOWN = "whether the model was trained on it is not known"
_ANCESTORS = "; what the run's weights were trained on before the run is not known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """All that an evaluation takes. `about` says in words what the exam is; `ranker` is the run's critic, if any."""

    exam: Exam
    about: str
    policy: Rollout
    ranker: Ranker | None
    charter: Charter
    domain: Domain
    decoder: Decoder
    tokens: Tokens


@contextmanager
def opened(
    model: Path,
    exam: Which = "sealed",
    items: int = 0,
    *,
    base: bool = False,
    machine: Machine | None = None,
) -> Iterator[Opened]:
    """A run's champion, or a model folder in Hugging Face format, with an exam.

    With `base` it is what the run began from. The weights must be those that the run recorded, and so must the exam.
    A model folder gets the sealed exam of the built-in charter, in words where it has a chat template. `fresh` is an
    exam of `items` a cell, drawn as the sealed one is from another stream, without what the run has met.

    Raises RunError for a run without a champion or an exam of its own and, with `base`, for what is no run;
    RecordError for an exam that is not the recorded one; ModelError for what is no model, or was changed.
    """
    run = RunFolder.open(model) if is_run(model) else None
    if run is None and exam == "own":
        raise ModelError(f"{model} is no run folder, so it has no exam of its own", "take the sealed exam")
    with ExitStack() as resources:
        loaded, charter = _loaded(run, model, base=base)
        settings = machine or Machine.load()
        if run is not None and settings.verifier == "auto":
            settings = settings.model_copy(update={"verifier": _verifier_of(run)})
        torch.set_num_threads(1)  # the rows of a batch are shared out among the crew instead
        shown = Gallery(None if run is None else run.pictures, write=False)
        world = open_world(charter, settings, resources, shown)
        world.shown_to(loaded.model)
        domain = world.domain
        tokens = Tokens(loaded.tokenizer, chat=charter.domain.style == "natural", eyes=eyes_of(loaded.model))
        context = context_of(loaded.model)
        crew = crew_of(settings, resources)
        decoder = Decoder(loaded.model, end_id=tokens.end_id, crew=crew)
        saved = None if run is None else _saved(run)
        asked, about = _asked(run, exam, items, charter, domain, saved)
        # A run has seen that its tasks fit; of another model it is not known.
        _check_fit(asked, tokens, context, charter.roles.max_tokens if run is None else 1)
        yield Opened(
            exam=asked,
            about=about,
            policy=Rollout(decoder, tokens, domain, max_tokens=charter.roles.max_tokens, context=context),
            ranker=None
            if saved is None
            else _critic(saved, charter, domain, vocabulary_of(loaded.model), context),
            charter=charter,
            domain=domain,
            decoder=decoder,
            tokens=tokens,
        )
        for what, n, why in domain.take_dropped() if isinstance(domain, Guarded) else ():
            print(f"left out: {n} x {what}, {why}", file=sys.stderr)


def _verifier_of(run: RunFolder) -> str:
    """What the run's own answers were read with, so that an exam judges as the run did."""
    with Journal.open(run.path) as journal:
        started = journal.latest(RunStarted)
    return "none" if started is None else machine_of(started).verifier


def _loaded(run: RunFolder | None, model: Path, *, base: bool) -> tuple[Loaded, Charter]:
    """The model, verified where it is known what it should be, and the charter it is evaluated under."""
    if run is None:
        if base:
            raise RunError(
                f"{model} is no run folder, so it has no base", "give a run folder, or leave out --base"
            )
        loaded = load(model)
        speaks = bool(getattr(loaded.tokenizer, "chat_template", None))
        return loaded, Charter().replace({"domain.style": "natural"}) if speaks else Charter()
    charter = run.charter()
    if base:
        with Journal.open(run.path) as journal:
            started = journal.latest(RunStarted)
        if started is None or not run.start.is_dir():
            raise RunError(
                f"{run.path} has not kept what it began from", "restore its folder `start` from a copy"
            )
        place, expected = run.start, started.start
    else:
        place, expected = champion_of(run)
    return load(place, expected=expected, dtype=charter.model.dtype), charter


def _saved(run: RunFolder) -> checkpoints.Checkpoint | None:
    return checkpoints.load_latest(run.checkpoints, Store(run.weights))


def _critic(
    saved: checkpoints.Checkpoint, charter: Charter, domain: Domain, vocabulary: int, context: int
) -> Critic:
    critic = Critic(
        vocabulary=vocabulary,
        context=context,
        seed=0,  # of its first weights, which are replaced
        scale=domain.spec.scale,
        trust=charter.feedback.trust,
    )
    critic.restore(saved.tensors["critic"], saved.state["critic"])
    return critic


def _asked(
    run: RunFolder | None,
    which: Which,
    items: int,
    charter: Charter,
    domain: Domain,
    saved: checkpoints.Checkpoint | None,
) -> tuple[Exam, str]:
    """The exam, and what it is."""
    cells = _cells(charter, domain)
    if run is None:
        if which == "fresh":
            return _fresh(domain, charter, cells, items, frozenset()), f"drawn now; {_NOT_KNOWN}"
        drawn = draw_sealed(domain, charter.seed, cells, charter.exam.items_per_cell)
        return replace(drawn, name="built-in"), f"drawn for the built-in charter; {_NOT_KNOWN}"
    with Journal.open(run.path) as journal:
        started = journal.latest(RunStarted)
        unknown = started is not None and started.parent is not None and not started.parent.seals
        if which == "fresh":
            met = seals_of(run.path)
            if met is None:
                met = frozenset(str(row["signature"]) for row in journal.each("tasks"))
            return _fresh(domain, charter, cells, items, met), (
                "drawn now, of what the run has not met" + _ANCESTORS * unknown
            )
        exam = _recorded(journal, which, saved)
    about = (
        "sealed before the run's first update" + _ANCESTORS * unknown
        if which == "sealed"
        else "set by the model itself, and kept from its training"
    )
    return exam, about


def _cells(charter: Charter, domain: Domain) -> list[Cell]:
    low, high = charter.exam.levels
    modes: Sequence[str] = charter.domain.modes or domain.spec.modes
    return [Cell(mode=mode, level=level) for mode in modes for level in range(low, high + 1)]


def _check_fit(exam: Exam, tokens: Tokens, context: int, answer: int) -> None:
    """Raise ModelError where an item leaves no room for an answer of so many tokens: it would count as wrong."""
    longest = max(map(len, tokens.prompts([item.prompt for item in exam.items])), default=0)
    if longest + answer > context:
        raise ModelError(
            f"the longest item of the exam has {longest} tokens and an answer {answer}; the model has {context}",
            "give a model with more positions",
        )


def _fresh(domain: Domain, charter: Charter, cells: Sequence[Cell], items: int, met: frozenset[str]) -> Exam:
    drawn = draw_sealed(domain, seed_of(charter.seed, "fresh"), cells, items, exclude=met)
    return replace(drawn, name="fresh")


def _recorded(journal: Journal, which: Which, saved: checkpoints.Checkpoint | None) -> Exam:
    """The exam that the journal has, if its items are those that the run committed to."""
    found: ExamSet | None = None
    for message in journal.each_message(kinds=(ExamSet.kind,)):
        if isinstance(message, ExamSet) and message.exam == which:
            found = message
    if found is None and which == "own":
        raise RunError("the run has set no exam of its own", "take the sealed exam")
    if found is None:
        raise RunError(f"{journal.path.parent} was stopped before it set its exam", "start it again")
    exam = Exam(name=which, items=tuple(found.items), refused=found.refused, missing=found.missing)
    for committed in (found.digest, _digest_of(saved, which)):
        if committed and committed != exam.digest:
            raise RecordError(
                f"{journal.path.parent} committed to the {which} exam {committed}, this one is {exam.digest}",
                "restore the run folder from a copy",
            )
    return exam


def _digest_of(saved: checkpoints.Checkpoint | None, which: Which) -> str:
    """The digest of an exam in a checkpoint; empty where it has none."""
    if saved is None:
        return ""
    state: Any = saved.state["state"]
    exam = state["sealed"] if which == "sealed" else state["own"]["frozen"]
    return str(exam["digest"]) if exam else ""
