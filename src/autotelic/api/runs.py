"""Runs from Python: start one, go on with one, watch one, read one.

run(...)      works until the budget is spent     -> RecordedRun
stream(...)   the same, message by message        -> iterator
resume(...)   goes on with a run that was stopped -> RecordedRun
open_run(...) reads a run of this or any other process
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autotelic.api.handing import handed_over
from autotelic.api.notebook import showing
from autotelic.charter import Charter
from autotelic.errors import CharterError, DomainError, RunError
from autotelic.machine import Machine, fits
from autotelic.messages import BudgetExtended, Message, RunStopped
from autotelic.record import Journal, RunFolder, StoredEpisode
from autotelic.types import Task

if TYPE_CHECKING:
    from pandas import DataFrame

    from autotelic.api.champions import Examined, LoadedChampion

Watch = Callable[[Message], None]
CharterLike = Charter | Mapping[str, Any] | str | Path | None
DEFAULT = "runs/default"


def run(
    charter: CharterLike = None,
    *,
    domain: str | type | None = None,
    model: str | Path | None = None,
    out: str | Path = DEFAULT,
    seed: int | None = None,
    seconds: float | None = None,
    start_from: str | Path | None = None,
    again: bool = False,
    machine: Machine | None = None,
    watch: Watch | None = None,
    progress: bool | None = None,
    sinks: Sequence[str] = (),
) -> RecordedRun:
    """Run a charter until its budget is spent, and return the run.

    `charter` is a `Charter`, its sections as a mapping, the path of a TOML file, or None for the built-in one. The
    others replace what it says: `domain` is a name, `module:Class`, or the class itself; `model` a name, a
    folder or a Hugging Face id that is on this machine; `seconds` the budget of wall time. `out` is the folder
    to make; with `again` a run that is there is moved aside. `start_from` is a run or model folder whose weights
    to go on from.

    `watch` is called with every message as it is recorded. `progress` shows how far the run is; by default in a
    notebook alone. `sinks` copy its numbers to other tools (`docs/sinks.md`). Ctrl-C, or a notebook's stop
    button, ends the run at its last checkpoint: `stopped` is then `interrupted`, and `resume` goes on.

    Raises an `AutotelicError`, in one line with its fix, for what a person can put right.
    """
    given = charter_of(charter, domain=domain, model=model, seed=seed, seconds=seconds)
    settings = prepared(given, machine, start_from)
    with showing(progress, watch) as shown, copying(sinks, Path(out), shown) as copied:
        _loop(given, out, settings, copied, start_from, again)
    return open_run(out)


def stream(
    charter: CharterLike = None,
    *,
    domain: str | type | None = None,
    model: str | Path | None = None,
    out: str | Path = DEFAULT,
    seed: int | None = None,
    seconds: float | None = None,
    start_from: str | Path | None = None,
    again: bool = False,
    machine: Machine | None = None,
) -> Iterator[Message]:
    """Run a charter, and give each message as it is recorded. The arguments are those of `run`.

    The run waits until the next message is asked for. Leaving the loop stops the run at its last checkpoint,
    from which `resume` goes on. The run works in a thread of its own, where a domain that hangs cannot be
    interrupted.
    """
    given = charter_of(charter, domain=domain, model=model, seed=seed, seconds=seconds)
    settings = prepared(given, machine, start_from)
    return handed_over(lambda watch: _loop(given, out, settings, watch, start_from, again))


def resume(
    folder: str | Path = DEFAULT,
    *,
    seconds: float = 0.0,
    tokens: int = 0,
    generations: int = 0,
    machine: Machine | None = None,
    watch: Watch | None = None,
    progress: bool | None = None,
) -> RecordedRun:
    """Go on with a run that was stopped, bit for bit as if it never had been, and return it.

    `seconds`, `tokens` and `generations` give it more than its charter does. Raises `RunError` for a run that is
    finished and is given no more.
    """
    for name, value in (("seconds", seconds), ("tokens", tokens), ("generations", generations)):
        if not 0 <= value < float("inf"):
            raise CharterError(
                f"{name} = {value} gives the run no more", "give a number above 0, or leave it out"
            )
    more = None
    if seconds or tokens or generations:
        more = BudgetExtended(seconds=seconds, tokens=tokens, generations=generations)
    place = RunFolder.open(folder)
    from autotelic import loop

    found = RecordedRun(place)
    with showing(progress, watch, found.messages()) as shown:
        loop.resume(place.path, machine=machine, watch=shown, extend=more)
    return found


def open_run(folder: str | Path = DEFAULT) -> RecordedRun:
    """The run in a folder, finished or not. Raises `RunError` where there is none."""
    return RecordedRun(RunFolder.open(folder))


class RecordedRun:
    """A run as its journal has it. It may be going on, in this process or another: each look is at what is there."""

    def __init__(self, place: RunFolder) -> None:
        self._place = place

    @property
    def folder(self) -> Path:
        """Where the run is."""
        return self._place.path

    @property
    def charter(self) -> Charter:
        """The charter that it was started under."""
        return self._place.charter()

    @property
    def summary(self) -> dict[str, Any]:
        """What the run came to so far, as in `summary.json`. What was not measured is None."""
        from autotelic.dashboard.publish import story_of
        from autotelic.dashboard.summary import summarise

        return summarise(story_of(self._place))

    @property
    def stopped(self) -> str | None:
        """Why it ended: `budget`, `interrupted`, `braked`. None while it goes on, or where it was killed."""
        with Journal.open(self.folder) as journal:
            newest = journal.message(journal.newest)
        return newest.reason if isinstance(newest, RunStopped) else None

    def messages(self, *, after: int = 0, kinds: Collection[str] = ()) -> Iterator[Message]:
        """The messages in order, with an id above `after`, of all or some kinds (`evaluated`, `updated`, ...)."""
        # Not closed here: the nouns of a message are read when they are looked at, which may be later.
        yield from Journal.open(self.folder).each_message(after, kinds)

    def follow(self, *, after: int = 0) -> Iterator[Message]:
        """The messages that are there, and then those to come, until the run stops or its process is gone."""
        from autotelic.api.following import followed

        return followed(self.folder, after)

    def task(self, id_: str) -> Task:
        """A task by its id. Raises RunError where the run has none of it."""
        with Journal.open(self.folder) as journal:
            found = journal.task(id_)
        if found is None:
            raise RunError(f"{self.folder} has no task {id_!r}", "take an id of `tasks()`")
        return found

    def attempt(self, id_: int) -> StoredEpisode:
        """An attempt by its id, with its verdicts and what it earned. Raises RunError where the run has none
        of it.
        """
        with Journal.open(self.folder) as journal:
            found = journal.episode(id_)
        if found is None:
            raise RunError(f"{self.folder} has no attempt {id_}", "take an id of `attempts()`")
        return found

    def tasks(self) -> DataFrame:
        """One row a task. Columns: `docs/api.md`. Needs pandas."""
        from autotelic.api.frames import tasks

        return tasks(self.folder)

    def attempts(self) -> DataFrame:
        """One row an attempt, with its verdict and advantage. Columns: `docs/api.md`. Needs pandas."""
        from autotelic.api.frames import attempts

        return attempts(self.folder)

    def exams(self) -> DataFrame:
        """One row a cell of each exam, and one with the cell `all`. Columns: `docs/api.md`. Needs pandas."""
        from autotelic.api.frames import exams

        return exams(self.folder)

    def champion(self) -> LoadedChampion:
        """The champion, to solve tasks with. Close it, or use it as a context manager."""
        from autotelic.api.champions import load_champion

        return load_champion(self.folder)

    def exam(self, exam: str = "sealed", *, samples: int = 8) -> Examined:
        """Evaluate the champion: `autotelic.exam` of this run."""
        from autotelic.api.champions import exam as examine

        return examine(self.folder, exam, samples=samples)

    def __repr__(self) -> str:
        return f"RecordedRun({str(self.folder)!r}, {_line(self.summary)})"

    def _repr_html_(self) -> str:
        from autotelic.api.notebook import table_of

        return table_of(str(self.folder), self.summary)


@contextmanager
def copying(names: Sequence[str], folder: Path, watch: Watch) -> Iterator[Watch]:
    """What to hand to a run so that sinks have its numbers too. What is lost of them is a warning."""
    import warnings

    from autotelic.dashboard.sinks import Sinks

    sinks = Sinks(names, folder, lambda line: warnings.warn(line, stacklevel=2))

    def both(message: Message) -> None:
        watch(message)
        sinks(message)

    try:
        yield both
    finally:
        sinks.close()


def _line(summary: Mapping[str, Any]) -> str:
    from autotelic.dashboard.wording import percent

    sealed = summary["sealed"]
    before, after = sealed["before"] or {}, sealed["after"] or {}
    scores = f"{percent(before.get('pass_at_1'), 1)} before, {percent(after.get('pass_at_1'), 1)} now"
    return (
        f"generations={summary['generations']}, stopped={summary['stopped'] or None!r}, sealed exam {scores}"
    )


# ── arguments ──────────────────────────────────────────────────────────────────────────────────────────────────────


def charter_of(
    charter: CharterLike,
    *,
    domain: str | type | None = None,
    model: str | Path | None = None,
    seed: int | None = None,
    seconds: float | None = None,
) -> Charter:
    """The charter that is meant, with what the arguments say in its place. Raises CharterError, DomainError."""
    if charter is None or isinstance(charter, str | Path):
        found = Charter.load(charter)
    elif isinstance(charter, Charter):
        found = charter
    elif isinstance(charter, Mapping):
        found = Charter.of(charter, where="the charter")
    else:
        raise CharterError(
            f"a charter is no {type(charter).__name__}",
            "give a Charter, a mapping, the path of a file, or None",
        )
    wanted: dict[str, Any] = {
        "domain.name": None if domain is None else name_of(domain),
        "model.name": None if model is None else str(model),
        "seed": seed,
        "budget.seconds": seconds,
    }
    return found.replace({key: value for key, value in wanted.items() if value is not None})


def name_of(domain: str | type) -> str:
    """The name of a domain in a charter. Raises DomainError for what another process could not import."""
    if isinstance(domain, str):
        return domain
    if not isinstance(domain, type):
        raise DomainError(
            f"domain is an instance of {type(domain).__name__}",
            "give its class: a run makes the instance, and so do its auditors and a resume",
        )
    if domain.__module__ == "__main__" or "<locals>" in domain.__qualname__:
        raise DomainError(
            f"the class {domain.__qualname__} is defined where no other process can import it",
            f"write it into a file (in a notebook `%%writefile {domain.__name__.lower()}.py`), and import it",
        )
    return f"{domain.__module__}:{domain.__qualname__}"


def prepared(charter: Charter, machine: Machine | None, start_from: str | Path | None) -> Machine:
    """The machine, once it is clear that the charter can be run here; nothing is written, and torch not imported."""
    from autotelic.commands.preflight import refuse_adapter, refuse_domain, refuse_model

    settings = machine or Machine.load()
    fits(settings, charter)
    refuse_domain(charter)
    refuse_adapter(charter)
    if start_from is None:
        refuse_model(charter)
    return settings


def _loop(
    charter: Charter,
    out: str | Path,
    machine: Machine,
    watch: Watch,
    start_from: str | Path | None,
    again: bool,
) -> None:
    from autotelic import loop
    from autotelic.models.registry import folder_of

    loop.run(
        charter,
        Path(out),
        machine=machine,
        watch=watch,
        start_from=None if start_from is None else folder_of(Path(start_from)),
        again=(lambda aside: None) if again else None,
    )
