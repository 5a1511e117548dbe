"""The runs that a page shows: what is known of each, read on from the last message that was seen."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from autotelic.dashboard.story import Story
from autotelic.errors import AutotelicError
from autotelic.messages import (
    Alarmed,
    BudgetExtended,
    ChampionSaved,
    Decided,
    Evaluated,
    ExamSet,
    GenerationEnded,
    Leased,
    Message,
    RunResumed,
    RunStarted,
    RunStopped,
)
from autotelic.record import Journal, is_run
from autotelic.record.folder import holder_of
from autotelic.record.paging import ids_after, ids_spread

_QUICK: tuple[type[Message], ...] = (
    RunStarted,
    RunResumed,
    BudgetExtended,
    RunStopped,
    ExamSet,
    Evaluated,
    Decided,
    ChampionSaved,
    GenerationEnded,
    Leased,
    Alarmed,
)
"""What the first screen needs. There are a few of these a generation, and an index finds them."""
_QUICK_MOST = 60
"""Messages of each such kind that are read before the rest: the newest and a spread of the older ones. A disk that
has none of them in its cache takes some milliseconds for each."""
_LONG = 20_000
"""Messages left to read from which on no request reads on, but shows the quick story at once."""
_PATIENCE = 0.4
"""Seconds that a request reads on in a journal. A thread reads what is left after that."""
_BATCH = 500
"""Messages that are added between two looks at the clock."""
_LOST = 1_000
"""Damaged messages after which the rest of a journal is given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Whether the run goes on: `state` is waiting, running, finished, interrupted or died. `heard` is the time
    of its last message, in seconds since the epoch; `process` the one that holds the run, 0 where none does.
    """

    state: str
    heard: float
    process: int


class RunView:
    """One run folder. `lock` guards the story; a journal is opened by each thread for itself."""

    def __init__(self, path: Path, name: str) -> None:
        self.path = path
        self.name = name
        self.lock = threading.RLock()
        self.damage = ""
        self._story = Story()
        self._quick: Story | None = None
        self._seen = 0
        self._newest = 0
        self._lost = 0
        self._kept: dict[str, tuple[object, str]] = {}
        self._thread: threading.Thread | None = None

    @classmethod
    def read(cls, path: Path, name: str, story: Story) -> RunView:
        """A view of a run whose messages were read already, and which is not read on."""
        view = cls(path, name)
        view._story = story
        return view

    @property
    def url(self) -> str:
        """Where its views begin."""
        return f"/r/{self.name}"

    @property
    def story(self) -> Story:
        """What its messages say. Until all were read, what those of the first screen say."""
        return self._story if self.complete or self._quick is None else self._quick

    @property
    def complete(self) -> bool:
        """Whether all messages were read that were there at the last look."""
        return self._seen >= self._newest

    @property
    def read_share(self) -> float:
        """The share of the messages that was read so far."""
        return self._seen / self._newest if self._newest else 1.0

    @contextmanager
    def journal(self) -> Iterator[Journal]:
        """The journal, for this thread. Raises RecordError where it cannot be opened."""
        with Journal.open(self.path) as journal:
            yield journal

    def once(self, name: str, make: Callable[[], str], *, until: object = None) -> str:
        """What `make` makes, kept until `until` changes: for parts that read many rows. By itself until another
        generation or evaluation is read.
        """
        story = self.story
        key = until or (story.reached, story.resumes, len(story.evaluations), self.complete)
        if name not in self._kept or self._kept[name][0] != key:
            self._kept[name] = (key, make())
        return self._kept[name][1]

    def newest(self) -> int:
        """The id of the last message; 0 where there is no journal, or none that can be read."""
        try:
            with self.journal() as journal:
                return journal.newest
        except AutotelicError:
            return 0

    def refresh(self, patience: float = _PATIENCE) -> None:
        """Read the messages that came since the last look, for about `patience` seconds at most.

        What cannot be read is passed over and said in `damage`.
        """
        if not is_run(self.path):
            return
        with self.lock:
            try:
                with self.journal() as journal:
                    self._newest = journal.newest
                    reading = self._thread is not None and self._thread.is_alive()
                    if not reading and (self._newest - self._seen < _LONG or patience > _PATIENCE):
                        self._read_on(journal, time.monotonic() + patience)
                    if not self.complete and self._quick is None:
                        self._quick = Story.of(_quick_messages(journal))
            except AutotelicError as error:
                self.damage = str(error)
            if not self.complete and (self._thread is None or not self._thread.is_alive()):
                self._thread = threading.Thread(target=self._catch_up, daemon=True)
                self._thread.start()

    def _catch_up(self) -> None:
        """Read on until all is read, letting requests in between."""
        while not self.complete and self._lost < _LOST:
            with self.lock, suppress(AutotelicError), self.journal() as journal:
                before = self._seen
                self._read_on(journal, time.monotonic() + _PATIENCE)
                if self._seen == before:
                    return
            time.sleep(0.02)

    def _read_on(self, journal: Journal, until: float) -> None:
        while not self.complete and time.monotonic() < until and self._lost < _LOST:
            for id_ in (ids := ids_after(journal, self._seen, _BATCH)):
                try:
                    if not journal.is_superseded(id_) and (message := journal.message(id_)) is not None:
                        self._story.add(message)
                except AutotelicError as error:
                    self._lost += 1
                    self.damage = self.damage or str(error)
                self._seen = id_
            if not ids:
                # A resume may have left ids that no message has.
                self._seen = self._newest

    def health(self) -> Health:
        """Whether the run goes on."""
        heard, stopped = 0.0, False
        with suppress(AutotelicError), self.journal() as journal:
            rows = journal.select("SELECT time, kind FROM messages ORDER BY id DESC LIMIT 1")
            heard = float(rows[0][0]) if rows else 0.0
            stopped = bool(rows) and rows[0][1] == RunStopped.kind
        process = holder_of(self.path / "lock")
        if process:
            state = "running"
        elif stopped:
            state = "finished" if self.story.stopped != "interrupted" else "interrupted"
        else:
            state = "died" if heard else "waiting"
        return Health(state=state, heard=heard, process=process)


def _quick_messages(journal: Journal) -> Iterator[Message]:
    """What the first screen needs, in order."""
    ids = [id_ for kind in _QUICK for id_ in ids_spread(journal, kind.kind, _QUICK_MOST)]
    for id_ in sorted(ids):
        if not journal.is_superseded(id_) and (message := journal.message(id_)) is not None:
            yield message


def views_of(paths: Sequence[Path]) -> dict[str, RunView]:
    """A view of each folder, by a name that a URL can hold and that only depends on the folders."""
    found: dict[str, RunView] = {}
    for path in dict.fromkeys(path.resolve() for path in paths):
        plain = "".join(c if c.isalnum() or c in "-_." else "-" for c in path.name) or "run"
        parent = "".join(c if c.isalnum() or c in "-_." else "-" for c in path.parent.name)
        name, number = plain, 2
        if name in found:
            name = f"{parent}~{plain}"
        while name in found:
            name, number = f"{plain}~{number}", number + 1
        found[name] = RunView(path, name)
    return found
