"""How a run starts: new, from a charter, or taken up again from where it was stopped."""

from __future__ import annotations

import platform
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
import transformers

from autotelic.charter import Charter
from autotelic.domains.math.verify import MATH_VERIFY, versions
from autotelic.engine.champion import champion_of
from autotelic.engine.checkpoint import extend as count_extensions
from autotelic.engine.checkpoint import restore
from autotelic.engine.clock import Clock
from autotelic.engine.lengths import check_lengths
from autotelic.engine.run import Run, Watch
from autotelic.engine.services import Controls, Services, equip, open_world
from autotelic.errors import RunError
from autotelic.exam.sealed import draw_sealed
from autotelic.exam.seals import seals_of
from autotelic.machine import Machine, fits
from autotelic.messages import (
    BudgetExtended,
    ChampionSaved,
    ExamSet,
    Message,
    Parent,
    RunResumed,
    RunStarted,
    RunStopped,
)
from autotelic.models.context import context_of
from autotelic.models.crew import Crew, autotune_threads
from autotelic.models.tokens import Tokens
from autotelic.protocols import Textual
from autotelic.record import Journal, RunFolder, is_run
from autotelic.record import checkpoint as checkpoints
from autotelic.state import State
from autotelic.streams import seed_of, stream
from autotelic.types import Cell
from autotelic.weights.begin import begin_model
from autotelic.weights.load import load, save
from autotelic.weights.store import Store

CORPUS = 2000
"""Texts of the rules that a tokenizer is trained on: more add no merge that is used."""


def begin(
    charter: Charter,
    folder: Path,
    *,
    machine: Machine,
    watch: Watch | None,
    start_from: Path | None,
    source: str | None,
    controls: Controls,
) -> Run:
    """A new run: folder, tokenizer, weights and sealed exam, recorded.

    Nothing is written before domain, model and sandbox are known to work, and the tasks to fit the model.
    What fails after that takes the folder back: where there is a folder, there is a run that can go on.
    """
    fits(machine, charter)
    there = folder.exists()
    with ExitStack() as opening:
        clock = Clock()
        world = open_world(charter, machine, opening)
        crew = new_crew(machine.threads, opening)
        corpus: list[str] = []
        special: tuple[str, ...] = ()
        if isinstance(world.domain, Textual):
            special = world.domain.special
            if start_from is None and charter.model.name == "tiny":
                corpus = world.domain.corpus(stream(charter.seed, "corpus"), CORPUS)
        seals = seals_of(start_from) if start_from is not None else frozenset()
        parent, expected = start_from, None
        if start_from is not None and is_run(start_from):
            parent, expected = champion_of(RunFolder.open(start_from))
        model, tokenizer = begin_model(
            charter.model, corpus, special, seed_of(charter.seed, "init"), parent, expected
        )
        tokens = Tokens(tokenizer, chat=charter.domain.style == "natural")
        check_lengths(charter, world.domain, tokens, context_of(model))
        place = RunFolder.create(folder, charter, source)
        opening.push(lambda kind, error, trace: None if kind is None else place.discard(keep=there))
        opening.enter_context(place.lock())
        start = save(model, tokenizer, place.start)
        services = equip(charter, machine, controls, world, model, tokenizer, place, crew, clock)
        state = _state(services, services.weights.put())
        journal = opening.enter_context(Journal.open(folder, "a"))
        journal.decode = services.tokens.decode
        run = Run(place, services, state, journal, watch, opening.pop_all())
    try:
        run.record(_started(services, journal.run, start, _parent(start_from, seals)))
        run.record(services.probe())
        services.meter.start(state.counters)
        _seal(run, seals or frozenset())
    except BaseException:
        run.resources.close()
        place.discard(keep=there)
        raise
    return run


def take_up(
    folder: Path, *, machine: Machine | None, watch: Watch | None, extend: BudgetExtended | None
) -> Run:
    """A run that was stopped, from its last checkpoint, on the machine that is given or as it was.

    Raises RunError for a run that is finished and is not given more of what it has spent, or that has no
    checkpoint.
    """
    place = RunFolder.open(folder)
    with ExitStack() as opening:
        opening.enter_context(place.lock())
        charter = place.charter()
        journal = opening.enter_context(Journal.open(folder, "a"))
        if finished(journal) and extend is None and champion_is_saved(place, journal):
            raise RunError(
                f"{folder} is finished: its budget is spent",
                f"give it more (`autotelic resume {folder} --seconds 600`) or start a run from it (`--from`)",
            )
        started = journal.latest(RunStarted)
        found = (
            None
            if started is None
            else checkpoints.restore(
                place.checkpoints,
                Store(place.weights),
                journal,
                started.machine if machine is None else machine.canonical(),
            )
        )
        if found is None or started is None:
            raise RunError(
                f"{folder} was stopped before its first checkpoint, so there is nothing to go on from",
                "start it again (`autotelic run --again`)",
            )
        # As many threads as it began with: with others, sums are rounded otherwise.
        # And with the verifier it began with: another one would judge the same answers otherwise.
        recorded = machine_of(started)
        kept = {"threads": recorded.threads, "verifier": recorded.verifier}
        settings = (machine or recorded).model_copy(update=kept)
        crew = new_crew(settings.threads, opening)
        world = open_world(charter, settings, opening)
        loaded = load(place.start, expected=started.start, dtype=charter.model.dtype)
        controls = replace(Controls(), **started.controls)
        clock = Clock()
        services = equip(
            charter, settings, controls, world, loaded.model, loaded.tokenizer, place, crew, clock
        )
        journal.decode = services.tokens.decode
        state = _state(services, "")
        restore(services, state, journal, found)
        news: list[Message | None] = [journal.latest(RunResumed)]
        if extend is not None:
            news.append(journal.append(replace(extend, generation=state.generation)))
        count_extensions(state, journal)
        run = Run(place, services, state, journal, watch, opening.pop_all())
    for message in news:
        if message is not None:
            run.watch(message)
    # Shown and not recorded: the journal of a run that was resumed is that of one that never stopped.
    run.watch(services.probe())
    services.meter.start(state.counters)
    if extend is not None and run.progress >= 1.0:
        run.resources.close()
        raise RunError(
            f"{folder} has spent another limit of its budget than what it was given more of",
            "look at [budget] with `autotelic charter show`, and give --seconds, --tokens or --generations",
        )
    return run


def machine_of(started: RunStarted) -> Machine:
    """The machine that a run began on. Raises RunError where its answers were read by a math-verify of another
    version than is installed here, which could judge them otherwise.
    """
    here = versions()
    for name, had in started.versions.items():
        if name in here and here[name] != had:
            raise RunError(
                f"the run's answers are judged with {name} {had}, and {here[name] or 'none'} is installed",
                f"pip install {name}=={had}",
            )
    # A run from before there was a choice was judged by the domain alone.
    return Machine(**{"verifier": "none", **started.machine})


def finished(journal: Journal) -> bool:
    """Whether the run spent its budget, as its journal says, and was given no more since."""
    stop, extended = journal.latest(RunStopped), journal.latest(BudgetExtended)
    return stop is not None and stop.reason == "budget" and (extended is None or extended.id < stop.id)


def champion_is_saved(place: RunFolder, journal: Journal) -> bool:
    """Whether the champion lies in the run folder, as the journal says it was saved."""
    return journal.latest(ChampionSaved) is not None and (place.champion / "config.json").is_file()


def new_crew(threads: int, opening: ExitStack) -> Crew:
    """A crew of so many threads, or of as many as pay here; `opening` ends them."""
    crew = Crew(threads or autotune_threads())
    opening.callback(crew.close)
    return crew


def _state(services: Services, champion: str) -> State:
    return State(services.charter, services.domain.spec, imitates=services.imitates, champion=champion)


def _seal(run: Run, exclude: frozenset[str]) -> None:
    """Draw the sealed exam and commit to it, before the first update."""
    services, charter = run.services, run.services.charter
    low, high = charter.exam.levels
    modes = charter.domain.modes or tuple(services.domain.spec.modes)
    exam = draw_sealed(
        services.domain,
        charter.seed,
        [Cell(mode=mode, level=level) for mode in modes for level in range(low, high + 1)],
        items_per_cell=charter.exam.items_per_cell,
        exclude=exclude,
    )
    for message in services.dropped():
        run.record(message)
    run.record(
        ExamSet(
            exam="sealed",
            digest=exam.digest,
            refused=exam.refused,
            missing=exam.missing,
            items=exam.items,
        )
    )


def _parent(start_from: Path | None, seals: frozenset[str] | None) -> Parent | None:
    """Where the weights come from, and whether what was trained on there is known."""
    if start_from is None:
        return None
    if not is_run(start_from):
        return Parent(run=str(start_from.resolve()), weights="", seals=False)
    with Journal.open(start_from) as journal:
        started = journal.latest(RunStarted)
    name = str(start_from.resolve()) if started is None else started.run
    return Parent(run=name, weights="", seals=seals is not None)


def _started(services: Services, run: str, start: str, parent: Parent | None) -> RunStarted:
    charter, world = services.charter, services.world
    return RunStarted(
        run=run,
        version=_version(),
        commit=_commit(),
        start=start,
        charter=charter.canonical(),
        digest=charter.digest,
        seed=charter.seed,
        model=charter.model.name,
        parameters=services.parameters,
        learned=services.learned,
        chat=services.tokens.chat,
        capabilities=world.capabilities,
        scale=(world.domain.spec.scale.low, world.domain.spec.scale.high),
        machine=_machine(services),
        versions={
            "python": platform.python_version(),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            **(versions() if world.verifier == MATH_VERIFY else {}),
        },
        platform=f"{platform.machine()} {sys.platform}",
        sandbox=str(world.sandbox.level),
        context=services.context,
        controls=services.controls.as_json(),
        parent=None if parent is None else replace(parent, weights=start),
    )


def _machine(services: Services) -> dict[str, Any]:
    settled = {"threads": services.crew.size, "verifier": services.world.verifier}
    return {**services.machine.model_dump(mode="json"), **settled}


def _version() -> str:
    try:
        return version("autotelic")
    except PackageNotFoundError:
        return "not installed"


def _commit() -> str:
    """The commit of a source checkout; empty for an installed package."""
    here = Path(__file__).resolve().parents[3]
    if not (here / ".git").exists():
        return ""
    found = subprocess.run(
        ["git", "-C", str(here), "rev-parse", "HEAD"], capture_output=True, text=True, check=False
    )
    return found.stdout.strip()
