"""A run: services, state, journal and the door for weights, wired together. `loop.py` says what happens."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Any, Self

from autotelic.engine import checkpoint
from autotelic.engine.champion import save_champion
from autotelic.engine.overseen import interrupt, lease
from autotelic.engine.services import Services
from autotelic.engine.watch import watch
from autotelic.errors import BrakedError, DivergedError, OversightError
from autotelic.messages import (
    CellState,
    Evaluated,
    GenerationBegan,
    GenerationEnded,
    Message,
    RunStopped,
    StageBegan,
    StageEnded,
    StopReason,
)
from autotelic.models.memory import give_back
from autotelic.models.placement import most_memory, where
from autotelic.record import Journal, RunFolder
from autotelic.state import State

Watch = Callable[[Message], None]
Stage = Callable[..., Message | Iterable[Message]]


class Run:
    """Everything one run holds. Made by `begin` or `take_up`; use as a context manager."""

    def __init__(
        self,
        folder: RunFolder,
        services: Services,
        state: State,
        journal: Journal,
        watch: Watch | None,
        resources: ExitStack,
    ) -> None:
        self.folder = folder
        self.services = services
        self.state = state
        self.journal = journal
        self.watch = watch or (lambda message: None)
        self.resources = resources
        self.span = ""
        self.braked = ""
        """Why the brake ended the run."""
        self.saving = False
        self.reason: StopReason = "budget"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.resources.close()

    @property
    def examined(self) -> bool:
        """Whether the exam before the first update is recorded."""
        if self.state.generation:
            return True
        found = self.journal.each_message(kinds=(Evaluated.kind,))
        return any(isinstance(message, Evaluated) and message.when == "before" for message in found)

    @property
    def progress(self) -> float:
        """How much of the budget is spent, in [0, 1]."""
        return self.state.progress(self.services.clock.seconds)

    def record(self, message: Message) -> Any:
        """One message: into the journal, into the state, to whoever watches. Returns it with its id."""
        if not isinstance(message, GenerationBegan):
            message = replace(message, generation=self.state.generation)
        recorded = self.journal.append(replace(message, span=self.span))
        self.state.apply(recorded)
        self.services.reports.hear(recorded)
        self.watch(recorded)
        return recorded

    def do(self, stage: Stage, *inputs: Any) -> Any:
        """Run a stage and record every message it returns; the last of them."""
        name = stage.func.__name__ if isinstance(stage, partial) else stage.__name__
        self.span = f"{self.state.generation}/{name}"
        self.record(StageBegan(stage=name))
        began, last = time.perf_counter(), None
        found = stage(self.services, self.state, *inputs)
        for message in (found,) if isinstance(found, Message) else found:
            last = self.record(message)
        self.record(StageEnded(stage=name, seconds=time.perf_counter() - began))
        self.span = ""
        self._check_brake()
        self.services.guard.check()
        return last

    def _check_brake(self) -> None:
        """Raise BrakedError where the watch has seen that the brake is set."""
        if self.braked:
            raise BrakedError(self.braked, "`autotelic brake status` says why")

    def begin_generation(self) -> None:
        self.record(GenerationBegan(generation=self.state.generation + 1))
        self.record(lease(self.services, self.state.generation, self.state.champion.weights))

    def end_generation(self) -> None:
        """Say what oversight saw of the generation, what it used, and how the curriculum stands."""
        self.do(watch)
        give_back()
        totals = self.state.counters
        spent = self.services.meter.read(totals)
        shares = self.state.curriculum.shares()
        flops = self.services.flops(spent)
        self.record(
            GenerationEnded(
                seconds=spent.seconds,
                trained=spent.trained,
                decoded=spent.decoded,
                flops=flops,
                train_seconds=spent.train_seconds,
                decode_seconds=spent.decode_seconds,
                total_seconds=self.services.clock.seconds,
                total_tokens=totals.trained,
                total_flops=totals.flops + flops,
                memory=most_memory(where(self.services.model)),
                cells={
                    str(cell): CellState(p=s.p, gain=s.gain, share=shares.get(cell, 0.0))
                    for cell, s in self.state.curriculum.standing.items()
                },
            )
        )

    def save(self) -> None:
        """A checkpoint: everything that a resume needs, once the journal has been marked. The overseer hears of it,
        and before it of alarms: a brake that they raise ends the run at its next lease, with nothing lost.
        """
        self.span = f"{self.state.generation}/save"
        self.saving = True  # the watch waits: a checkpoint that was begun is finished
        try:
            if self.state.signs.raised:
                self.services.reports.flush()
            checkpoint.save(self)
            self.services.reports.flush()
        finally:
            self.saving = False
        self.span = ""
        self._check_brake()

    def save_champion(self) -> None:
        """Leave the champion in the run folder, whole or not at all."""
        self.do(partial(save_champion, folder=self.folder))

    @contextmanager
    def until_stopped(self) -> Iterator[None]:
        """Do the work until its budget is spent, somebody stops it, or the brake is set; `reason` says which.

        A watch sees that a brake that is set ends within seconds what takes long between two steps.
        """
        watching = self.services.overseen.watch(partial(self._brake, threading.get_ident()))
        try:
            yield
        except KeyboardInterrupt:
            self.reason = "braked" if self.braked else "interrupted"
        except BrakedError as error:
            self.reason, self.braked = "braked", error.cause
        except DivergedError:
            self.save_champion()
            raise
        finally:
            watching.close()

    def _brake(self, thread: int, reason: str) -> None:
        self.braked = reason
        if not self.saving:
            interrupt(thread)

    def end(self) -> None:
        """Leave the champion, say why the run ends, and open what auditors kept secret where it is over."""
        try:
            self.save_champion()
        except (BrakedError, OversightError) as error:
            # Nothing is trained any more; whether the champion could be saved, its message says. One that was
            # taken back meanwhile is not saved: a resume goes on from the one before it.
            self.reason, self.braked = "braked", self.braked or error.cause
        self.record(RunStopped(reason=self.reason, why=self.braked))
        with suppress(BrakedError):  # nothing is trained any more, and why the run ended is known
            self.services.reports.flush()
        if self.reason == "budget":
            self.services.overseen.finish()
