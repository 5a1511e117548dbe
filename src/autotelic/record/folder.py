"""The run folder: where everything about one run lies, and who may write there.

runs/NAME/
  charter.toml     the charter as it was given
  charter.json     its canonical form; written last, so that a folder with it is a whole one
  journal.sqlite   every message, with the tasks, attempts and updates that they brought
  journal.closed.json  its size and sha256 once its writer has closed it
  lock             held by the process that runs, with its number
  start/           the weights and the tokenizer that the run began from
  checkpoints/     state, and references to weights; the newest two and what is pinned
  weights/         tensors by their content: weights, optimisers, the critic
  adapters/        the last adapters, where a server samples
  pictures/        what was shown, by its content, where a domain shows pictures
  champion/        the best weights in Hugging Face format
  summary.json  report.html  plots/
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
import struct
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from autotelic.canonical import canonical, digest
from autotelic.charter import Charter
from autotelic.errors import AutotelicError, RunError, command, fix_of
from autotelic.pictures import FOLDER
from autotelic.record.closed import NAME as CLOSED
from autotelic.record.journal import NAME, OLD_NAME, Journal

_FIRST = {"lock", "checkpoints", "charter.toml", "charter.toml.new", "charter.json.new", CLOSED} | {
    NAME + ending for ending in ("", "-wal", "-shm", "-journal")
}
"""What may lie in a folder whose creation was cut short."""


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The places of a run. Made by `create` or `open`, which see to it that there is a run."""

    path: Path

    @classmethod
    def create(cls, path: str | Path, charter: Charter, source: str | None = None) -> RunFolder:
        """Make a new run folder with an empty journal. `source` is the charter's TOML as it was given.

        Raises `RunError` rather than touch a folder that holds a run or anything else.
        """
        run = cls(named(path))
        refuse_taken(path)
        depth = missing_folders(run.path)
        with _reaching(run.path):
            run.path.mkdir(parents=True, exist_ok=True)
        with run.lock():
            try:
                with _reaching(run.path):
                    run._begin(charter, charter.toml() if source is None else source)
            except BaseException:
                run.discard(depth)
                raise
        return run

    def _begin(self, charter: Charter, source: str) -> None:
        for leftover in _FIRST - {"lock", "checkpoints"}:  # of a creation that was cut short
            (self.path / leftover).unlink(missing_ok=True)
        _write(self.path / "charter.toml", source)
        Journal.create(self.path, charter.digest, uuid.uuid4().hex).close()
        self.checkpoints.mkdir(exist_ok=True)
        _write(self.path / "charter.json", canonical(charter.canonical()))

    @classmethod
    def open(cls, path: str | Path) -> RunFolder:
        """The run folder at `path`. Raises `RunError` when there is none, or when its charter is damaged."""
        run = cls(named(path))
        with _reaching(path, "read"):
            kind = "folder" if run.path.is_dir() else "file" if run.path.exists() else "missing"
            missing = [name for name in ("charter.json", NAME) if not (run.path / name).is_file()]
        if kind == "missing":
            raise RunError(f"{path} does not exist", "give the folder of a run (`autotelic run --out`)")
        if kind == "file":
            raise RunError(f"{path} is a file", "give the folder of a run (`autotelic run --out`)")
        if missing and (run.path / OLD_NAME).is_file():
            raise RunError(
                f"{path} is a run of autotelic 0.1.0", "read it with that version (commit b78ef97)"
            )
        if missing:
            raise RunError(
                f"{path} is not a run folder (it has no {' and no '.join(missing)})",
                "give the folder that `autotelic run --out` made",
            )
        run.charter()
        return run

    @property
    def checkpoints(self) -> Path:
        """Where the checkpoints are."""
        return self.path / "checkpoints"

    @property
    def start(self) -> Path:
        """What the run began from, in Hugging Face format: a resume needs nothing else."""
        return self.path / "start"

    @property
    def pictures(self) -> Path:
        """Where the pictures of the record lie."""
        return self.path / FOLDER

    @property
    def adapters(self) -> Path:
        """Where adapters are put down for a server to load."""
        return self.path / "adapters"

    @property
    def champion(self) -> Path:
        """Where the best weights are, in Hugging Face format."""
        return self.path / "champion"

    @property
    def summary(self) -> Path:
        """The run in numbers."""
        return self.path / "summary.json"

    @property
    def report(self) -> Path:
        """The run as a page."""
        return self.path / "report.html"

    @property
    def plots(self) -> Path:
        """Where the pictures are."""
        return self.path / "plots"

    @property
    def weights(self) -> Path:
        """Where tensors lie by their content (`weights/store.py`)."""
        return self.path / "weights"

    def charter(self) -> Charter:
        """The charter that the run was started under, from its canonical form.

        Raises RunError where it was edited since: its digest names the run.
        """
        path = self.path / "charter.json"
        try:
            values = json.loads(path.read_bytes())
            if not isinstance(values, dict):
                raise TypeError("it is no object")
            written = digest(values)
        except (ValueError, TypeError) as error:
            raise RunError(f"{path} is damaged: {error}", "restore the run folder from a copy") from error
        except OSError as error:
            raise RunError(f"{path} cannot be read: {error.strerror}", "check its permissions") from error
        with Journal.open(self.path) as journal:
            meant = journal.charter_digest
        if written != meant:
            raise RunError(
                f"{path} was edited: it is {written}, and the run was begun with {meant}",
                "restore it from a copy, or start a new run with the changed rules (`--from` takes its weights)",
            )
        return Charter.of(values, where=str(path))

    def fingerprints(self) -> dict[str, str]:
        """The sha256 of each file that a resume reads besides journal and weights: the charter, and `start/`.

        A file that was not touched since the last call is not read again. The champion is none of them: no
        resume reads it, and the end of a run replaces it after the last checkpoint.
        """
        found: dict[str, str] = {}
        for path in [self.path / "charter.json", *sorted(self.start.rglob("*"))]:
            if path.is_file():
                stat = path.stat()
                name = path.relative_to(self.path).as_posix()
                found[name] = _sha256(path.absolute(), stat.st_size, stat.st_mtime_ns)
        return found

    def discard(self, depth: int) -> None:
        """Remove a run that never began, and the `depth` innermost folders of its path, where these are empty
        then. For who made them alone.
        """
        for entry in self.path.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                entry.unlink(missing_ok=True)
        for folder in (self.path, *self.path.parents)[:depth]:
            with suppress(OSError):
                folder.rmdir()

    def lock(self) -> Lock:
        """Take the run for this process, until the lock is released or the process ends, however it ends."""
        return Lock(self.path / "lock")

    def problems(self) -> list[str]:
        """What is damaged, one line each; empty when all is well. Reads everything, so it takes a while."""
        from autotelic.record import checkpoint  # here, because it imports torch, which takes a second
        from autotelic.weights.store import Store

        found: list[str] = []
        try:
            self.charter()
            with Journal.open(self.path) as journal:
                found += journal.check()
        except AutotelicError as error:
            found.append(error.cause)
        found += Store(self.weights).damaged()
        for generation in checkpoint.generations(self.checkpoints):
            try:
                checkpoint.verify(checkpoint.path_of(self.checkpoints, generation))
            except AutotelicError as error:
                found.append(error.cause)
        return found + self._changed()

    def _changed(self) -> list[str]:
        """A line for each folder of weights that is not what the journal says was written there."""
        from autotelic.messages import ChampionSaved, RunStarted
        from autotelic.weights.load import manifest_of

        found: list[str] = []
        written: dict[Path, str] = {}
        try:
            with Journal.open(self.path) as journal:
                started = journal.latest(RunStarted)
                # Also one that a resume went back on: it lies there until the next one takes its place.
                saved = journal.read(kinds=(ChampionSaved.kind,), superseded=True)
        except AutotelicError:
            return []  # it is told already
        if started is not None:
            written[self.start] = started.start
        for message in saved:
            if isinstance(message, ChampionSaved):
                written[self.champion] = message.folder
        for folder, expected in written.items():
            try:
                ref = manifest_of(folder).ref if folder.is_dir() else "missing"
            except AutotelicError as error:
                found.append(error.cause)
                continue
            if ref != expected:
                found.append(f"{folder} is not what was saved: it is {ref}, expected {expected}")
        return found


class Lock:
    """One process a run. Taken when made; the system lets go of it when the process dies.

    A POSIX record lock rather than `flock`: a forked worker that outlives us does not inherit it. It does
    not keep one process from taking the same lock twice, and a process that closes any file of this name loses it:
    `holder_of` opens none that is held here.
    """

    held: ClassVar[set[str]] = set()
    """The locks that this process holds, by their real path."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with _reaching(path.parent):
            self._file = path.open("a+b", buffering=0)
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.seek(0)
            holder = self._file.read().decode(errors="replace").strip() or "unknown"
            self._file.close()
            if error.errno not in (errno.EACCES, errno.EAGAIN):
                raise RunError(f"{path} cannot be locked: {error.strerror}", "use a local disk") from error
            raise RunError(
                f"{path.parent} is in use by process {holder}",
                "wait for it to end, or stop it (Ctrl-C ends a run cleanly)",
            ) from None
        with _reaching(path):
            self._file.truncate(0)
            self._file.write(str(os.getpid()).encode())
        Lock.held.add(os.path.realpath(path))

    def release(self) -> None:
        """Let another process have the run."""
        if not self._file.closed:
            Lock.held.discard(os.path.realpath(self.path))
            self._file.truncate(0)
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


_FLOCK = "hhqqi4x"
"""`struct flock` of Linux in 64 bits: type, whence, start, length, process."""


def holder_of(lock: Path) -> int:
    """The process that holds a run's lock; 0 where none does, or where the system does not say."""
    if os.path.realpath(lock) in Lock.held:
        return os.getpid()
    try:
        with lock.open("rb") as file:
            asked = struct.pack(_FLOCK, fcntl.F_WRLCK, 0, 0, 0, 0)
            kind, _, _, _, process = struct.unpack(_FLOCK, fcntl.fcntl(file, fcntl.F_GETLK, asked))
    except (OSError, struct.error):
        return 0
    return 0 if kind == fcntl.F_UNLCK else max(int(process), 1)


def is_run(path: str | Path) -> bool:
    """Whether there is a run folder at `path`: a record and the charter it was begun with."""
    return all((Path(path) / name).is_file() for name in ("charter.json", NAME))


def named(path: str | Path) -> Path:
    """The same place by a path that ends in its name: `.` and `..` have none, so that nothing can lie beside.

    Raises RunError where the working directory itself is gone.
    """
    path = Path(path)
    if path.name not in ("", ".."):
        return path
    with _reaching(path, "read"):
        return path.resolve()


def missing_folders(path: Path) -> int:
    """How many of the innermost folders of a path do not exist yet."""
    return next((at for at, folder in enumerate((path, *path.parents)) if folder.exists()), 0)


def refuse_taken(path: str | Path) -> None:
    """Raise RunError where no run can be made in a folder: it holds one, or something else. Writes nothing."""
    place = named(path)
    if os.fsencode(str(path)) != str(path).encode("utf-8", "replace"):
        # The libraries that write models and tokenizers would write to another path, or fail.
        raise RunError(f"{path} is not a path in UTF-8", "set PYTHONUTF8=1, or give a path of plain letters")
    with _reaching(path, "read"):
        if is_run(path):
            begun = any((place / "checkpoints").glob("[0-9]*"))
            resume = f"go on with it: {command('resume', Path(path))}; or move it aside and begin anew: "
            raise RunError(
                f"{path} already holds a run" + ("" if begun else " that was stopped as it began"),
                f"{resume if begun else 'move it aside: '}{command('run', '--again', '--out', Path(path))}",
            )
        if place.exists() and not place.is_dir():
            raise FileExistsError
        others = {entry.name for entry in place.iterdir()} - _FIRST if place.is_dir() else set()
    if others:
        raise RunError(
            f"{path} is not empty and is not a run folder (it has {min(others)})",
            "give a new or an empty folder",
        )


def set_aside(path: str | Path) -> Path:
    """Move a run out of the way: `runs/default` becomes `runs/default.1`, or the next number that is free.

    Raises `RunError` when a process is using it.
    """
    run = RunFolder.open(path)
    with run.lock(), _reaching(run.path.parent):
        number = 1
        while (aside := run.path.with_name(f"{run.path.name}.{number}")).exists():
            number += 1
        return run.path.rename(aside)


@lru_cache(maxsize=4096)
def _sha256(path: Path, size: int, modified: int) -> str:
    """The sha256 of a file that has this size and was modified then, in nanoseconds."""
    with path.open("rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()


def _write(path: Path, text: str) -> None:
    """Write a small file so that it is there whole or not at all, also after a power cut."""
    with path.with_name(path.name + ".new").open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(file.name, path)


@contextmanager
def _reaching(path: str | Path, doing: str = "written") -> Iterator[None]:
    try:
        yield
    except FileExistsError:
        raise RunError(f"{path} is a file, expected a folder", "give a new or an empty folder") from None
    except NotADirectoryError:
        raise RunError(f"{path} lies below a file", "give a new or an empty folder") from None
    except OSError as error:
        raise RunError(f"{path} cannot be {doing}: {error.strerror}", fix_of(error)) from error
