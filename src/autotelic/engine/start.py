"""How a run starts: new, from a charter, or taken up again from where it was stopped."""

from __future__ import annotations

import errno
import os
import platform
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import transformers

from autotelic.charter import BUILT_IN, Charter
from autotelic.domains.math.verify import MATH_VERIFY, versions
from autotelic.engine.champion import champion_of
from autotelic.engine.checkpoint import extend as count_extensions
from autotelic.engine.checkpoint import restore, restored_to, take_champion
from autotelic.engine.clock import Clock
from autotelic.engine.elsewhere import away_of, open_cluster
from autotelic.engine.lengths import check_lengths
from autotelic.engine.overseen import began_from, lease, overseer_of
from autotelic.engine.run import Run, Watch
from autotelic.engine.services import Controls, Services, equip, open_world
from autotelic.errors import RecordError, RunError, command, fix_of
from autotelic.exam.sealed import draw_sealed
from autotelic.exam.seals import seals_of
from autotelic.machine import Machine, fits
from autotelic.messages import (
    BudgetExtended,
    ExamSet,
    Message,
    Parent,
    RunResumed,
    RunStarted,
)
from autotelic.models.context import context_of
from autotelic.models.crew import crew_of
from autotelic.models.eyes import eyes_of
from autotelic.models.placement import device_of
from autotelic.models.tokens import Tokens
from autotelic.oversee.reports import Reports
from autotelic.pictures import Gallery
from autotelic.protocols import Textual
from autotelic.record import Journal, RunFolder, is_run
from autotelic.record import checkpoint as checkpoints
from autotelic.record.ended import finished, refuse_finished
from autotelic.record.folder import missing_folders, named, refuse_taken, set_aside
from autotelic.state import State
from autotelic.streams import seed_of, stream
from autotelic.types import Cell
from autotelic.weights.begin import begin_model
from autotelic.weights.load import load, save
from autotelic.weights.store import Store

if TYPE_CHECKING:
    from autotelic.engine.cluster.opening import Cluster

_KEPT = ("threads", "verifier", "device", "auditors", "overseer", "brake", "pinned")
"""Settings of the machine that a resume takes from the beginning of the run."""
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
    again: Callable[[Path], None] | None = None,
) -> Run:
    """A new run: folder, tokenizer, weights and sealed exam, recorded, and its first checkpoint.

    Nothing is written before domain, model and sandbox are known to work, and the tasks to fit the model. A run
    that cannot begin, or is interrupted before it has, leaves nothing behind. With `again` a run that is in the
    folder is moved aside, and `again` is called with where it lies then.
    """
    if again is None or not is_run(folder):
        refuse_taken(folder)
    fits(machine, charter)
    with ExitStack() as opening:
        clock = Clock()
        world = open_world(charter, machine, opening)
        crew = crew_of(machine, opening)
        cluster = open_cluster(machine, crew, opening)
        corpus: list[str] = []
        special: tuple[str, ...] = ()
        if isinstance(world.domain, Textual):
            special = world.domain.special
            if start_from is None and charter.model.name in BUILT_IN:
                corpus = world.domain.corpus(stream(charter.seed, "corpus"), CORPUS)
        seals = seals_of(start_from) if start_from is not None else frozenset()
        came_from = _parent(start_from, seals)
        parent, expected = start_from, None
        if start_from is not None and is_run(start_from):
            parent, expected = champion_of(RunFolder.open(start_from))
        model, tokenizer = begin_model(
            charter.model, corpus, special, seed_of(charter.seed, "init"), parent, expected
        )
        tokens = Tokens(tokenizer, chat=charter.domain.style == "natural", eyes=eyes_of(model))
        check_lengths(charter, world.domain, tokens, context_of(model))
        with _new_folder(folder, charter, source, again) as place, ExitStack() as child:
            opening.enter_context(place.lock())
            world.pictures.keep_in(place.pictures)
            start = save(model, tokenizer, place.start)
            journal = opening.enter_context(Journal.open(place.path, "a"))
            away = away_of(cluster, journal.run, charter, world, start, place, crew)
            services = equip(charter, machine, controls, world, model, tokenizer, place, crew, clock, away)
            first = services.weights.put()
            state = _state(services, first)
            journal.decode = services.tokens.decode
            _oversee(services, place, journal.run, first, services.weights.blobs[first], child)
            run = Run(place, services, state, journal, watch, opening)
            run.record(_started(services, journal.run, start, came_from, cluster))
            run.record(lease(services, 0, first))
            run.record(services.probe())
            services.meter.start(state.counters)
            _seal(run, seals or frozenset())
            run.save()
            # Until here an error ends the overseer before the folder that it writes in is removed.
            opening.push(child.pop_all())
        run.resources = opening.pop_all()
    return run


@contextmanager
def _new_folder(
    folder: Path, charter: Charter, source: str | None, again: Callable[[Path], None] | None
) -> Iterator[RunFolder]:
    """A new run folder, in place of the run that is there where `again` is given. Where a run cannot begin in it,
    nothing is left of it, and the run that was there is back.
    """
    folder = named(folder)
    aside = set_aside(folder) if again is not None and is_run(folder) else None
    depth = missing_folders(folder)
    place: RunFolder | None = None
    try:
        place = RunFolder.create(folder, charter, source)
        yield place
    except BaseException as error:
        if place is not None:
            place.discard(depth)
        if aside is not None:
            aside.rename(folder)
        if isinstance(
            error, RecordError
        ):  # it speaks of a resume or a commit, and there is nothing of either
            raise RunError(error.cause, f"{fix_of(_cause(error))}; nothing is left of the run") from error
        raise
    if again is not None and aside is not None:
        again(aside)


def _cause(error: BaseException) -> OSError:
    """What the system said at the bottom of an error. SQLite keeps it to itself: then that files may be no
    larger, where they are limited, or that the disk is full.
    """
    while error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, OSError):
        return error
    limited = resource.getrlimit(resource.RLIMIT_FSIZE)[0] != resource.RLIM_INFINITY
    number = errno.EFBIG if limited else errno.ENOSPC
    return OSError(number, os.strerror(number))


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
        was_finished = finished(journal)
        if extend is None:
            refuse_finished(place, journal)
        started = journal.latest(RunStarted)
        if started is None or not checkpoints.generations(place.checkpoints):
            raise _nothing_to_go_on_from(place)
        # As many threads as it began with: with others, sums are rounded otherwise.
        # And with the verifier it began with: another one would judge the same answers otherwise.
        recorded = machine_of(started)
        # And under the overseer that it began with: another one knows neither its brake nor its champion.
        kept = {name: getattr(recorded, name) for name in _KEPT}
        settings = (machine or recorded).model_copy(update=kept)
        # Before the journal goes back to the checkpoint: what cannot be opened here changes nothing.
        world = open_world(charter, settings, opening, Gallery(place.pictures))
        _same_versions(started, world.versions)
        crew = crew_of(settings, opening)
        cluster = open_cluster(settings, crew, opening)
        away = away_of(cluster, journal.run, charter, world, started.start, place, crew)
        machine_now = started.machine if machine is None else machine.canonical()
        first = began_from(journal)
        loaded = load(place.start, expected=started.start, dtype=charter.model.dtype)
        controls = replace(Controls(), **started.controls)
        clock = Clock()
        services = equip(
            charter, settings, controls, world, loaded.model, loaded.tokenizer, place, crew, clock, away
        )
        _oversee(services, place, journal.run, first.parent, first.blob, opening)
        found = checkpoints.restore(place.checkpoints, Store(place.weights), journal, machine_now)
        if found is None:
            raise _nothing_to_go_on_from(place)
        journal.decode = services.tokens.decode
        state = _state(services, "")
        at, champion = restored_to(found)
        leased = lease(services, at, champion, takeover=True)
        restore(services, state, journal, found)
        news: list[Message | None] = [journal.latest(RunResumed)]
        count_extensions(state, journal)
        if extend is not None:
            more = replace(_extension(state, extend, was_finished), generation=state.generation)
            news.append(journal.append(more))
            state.apply(more)
        run = Run(place, services, state, journal, watch, opening.pop_all())
    for message in news:
        if message is not None:
            run.watch(message)
    run.record(leased)
    take_champion(services, state, given_up=leased.clean)
    # Shown and not recorded: the journal of a run that was resumed is that of one that never stopped.
    run.watch(services.probe())
    # The seconds that a run is given are for its work, and not for loading it on a slow machine.
    services.clock.start(state.counters.seconds)
    services.meter.start(state.counters)
    return run


def _oversee(
    services: Services, place: RunFolder, run: str, start: str, blob: str, opening: ExitStack
) -> None:
    """From here on the door asks the overseer, and nothing is trained without it."""
    supervision = overseer_of(place, services.charter, services.machine, run, start, blob)
    services.supervision = opening.enter_context(supervision)
    services.reports = Reports(supervision.report)
    services.weights.authority = supervision.allow


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


def _same_versions(started: RunStarted, here: Mapping[str, str]) -> None:
    """Raise RunError where what draws the domain's pictures is not what drew them when the run began."""
    for name, is_now in here.items():
        if (had := started.versions.get(name, is_now)) != is_now:
            raise RunError(
                f"the run's pictures were drawn by {name} {had}, and this is {is_now}",
                "resume with the version of autotelic that began it",
            )


def _nothing_to_go_on_from(place: RunFolder) -> RunError:
    return RunError(
        f"{place.path} was stopped before its first checkpoint, so there is nothing to go on from",
        f"start it again: {command('run', '--again', '--out', place.path)}",
    )


def _extension(state: State, asked: BudgetExtended, was_finished: bool) -> BudgetExtended:
    spent = state.counters
    return state.allowance.extension(
        asked, spent.seconds, spent.trained, spent.generation, finished=was_finished
    )


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


def _started(
    services: Services, run: str, start: str, parent: Parent | None, cluster: Cluster | None
) -> RunStarted:
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
            **({} if cluster is None else {"ray": cluster.version}),
            **world.versions,
        },
        platform=f"{platform.machine()} {sys.platform}",
        sandbox=str(world.sandbox.level),
        context=services.context,
        controls=services.controls.as_json(),
        parent=None if parent is None else replace(parent, weights=start),
    )


def _machine(services: Services) -> dict[str, Any]:
    device = device_of(services.machine.device).type
    settled = {"threads": services.crew.size, "verifier": services.world.verifier, "device": device}
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
