"""Checkpoints: all that a run needs to go on as if it had never stopped.

    checkpoints/00000012/
      state.json       counters, curriculum, buffers
      MANIFEST.json    size and sha256 of the state, references to tensors, the digest of the journal so far

Tensors lie in the run's store (`weights/store.py`), once for each content. A checkpoint is written beside its
place, flushed to the disk, and renamed, so that it is there whole or not at all; its manifest tells later
damage. Nothing is pickled: reading a checkpoint runs no code.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from autotelic.errors import RecordError, fix_of
from autotelic.messages import Dropped
from autotelic.record.journal import Journal
from autotelic.weights.store import Array, Store

MANIFEST = "MANIFEST.json"
STATE = "state.json"
VERSION = 3
"""Of what the engine keeps in a checkpoint; one of another version is refused rather than misread."""
KEEP = 2
"""The newest checkpoints that are kept: where the last one is damaged, the one before it is used."""
_NEW = ".new-"
_EARLIER = "an earlier checkpoint is used if there is one"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What was saved. `tensors["optimiser"]["..."]` is what it was, bit for bit; `state` is plain JSON.

    `journal` is the digest of the journal at that time, `files` that of files of the run folder. `skipped`
    says which newer checkpoints were passed over to come to this one, and why.
    """

    generation: int
    path: Path
    tensors: Mapping[str, Mapping[str, Any]]
    state: Any
    journal: str
    files: Mapping[str, str]
    skipped: tuple[str, ...] = ()


def save(
    folder: Path,
    store: Store,
    generation: int,
    tensors: Mapping[str, Mapping[str, Array]],
    state: Any,
    *,
    journal: str,
    pinned: bool = False,
    keep: Collection[str] = (),
    files: Mapping[str, str] | None = None,
) -> Path:
    """Write the checkpoint of a generation and return its folder; keep the newest two and those that are
    `pinned`.

    Call `Journal.mark(generation)` first, and give its digest as `journal`: then there is no checkpoint which
    the journal does not know. `keep` are references that `state` speaks of. `state` is JSON whose
    dictionaries have text for keys; tuples come back as lists. Raises RecordError when it cannot be written,
    and then the checkpoints that were there are as they were.
    """
    _refuse_other_keys(state)
    target, new = path_of(folder, generation), folder / f"{_NEW}{generation:08d}-{os.getpid()}"
    groups = {name: store.put(group) for name, group in tensors.items()}
    with _clearly(target):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            new.mkdir()
            _save_text(new / STATE, json.dumps(state, separators=(",", ":")))
            manifest = {
                "version": VERSION,
                "generation": generation,
                "pinned": pinned or not generation,
                "state": _fingerprint(new / STATE),
                "tensors": groups,
                "keep": sorted(keep),
                "journal": journal,
                "files": dict(files or {}),
            }
            _save_text(new / MANIFEST, json.dumps(_signed(manifest), indent=1))
            _flush(new)
            _put_in_place(new, target)
        finally:
            shutil.rmtree(new, ignore_errors=True)
        for old in generations(folder)[:-KEEP]:
            if old != generation and not _is_pinned(path_of(folder, old)):
                shutil.rmtree(path_of(folder, old))
        store.prune({ref for other in generations(folder) for ref in _references(path_of(folder, other))})
    return target


def load(path: Path, store: Store) -> Checkpoint:
    """Verify a checkpoint against its manifest and read it. Raises RecordError when it is not whole, or when
    the store has lost what it speaks of.
    """
    manifest, state = _verified(path)
    for ref in manifest["keep"]:
        store.check(ref)
    return Checkpoint(
        generation=manifest["generation"],
        path=path,
        tensors={name: store.get(ref) for name, ref in manifest["tensors"].items()},
        state=json.loads(state),
        journal=manifest["journal"],
        files=manifest["files"],
    )


def load_latest(folder: Path, store: Store, known: Collection[int] | None = None) -> Checkpoint | None:
    """The newest checkpoint that is whole, and, when `known` is given, of one of these generations.

    None when there is no checkpoint at all. Raises RecordError when there are some and none will do.
    """
    skipped: list[str] = []
    for generation in reversed(generations(folder)):
        path = path_of(folder, generation)
        if known is not None and generation not in known:
            skipped.append(f"{path} is not in the journal")
            continue
        try:
            return replace(load(path, store), skipped=tuple(skipped))
        except RecordError as error:
            skipped.append(error.cause)
    if skipped:
        saved = (folder.parent / "champion" / "config.json").is_file()
        anew = ", or start a new run from its champion (`--from`)" if saved else ""
        raise RecordError(
            f"none of the checkpoints in {folder} can be used: {'; '.join(skipped)}",
            f"restore the run folder from a copy, go on with the version of autotelic that wrote it{anew}",
        )
    return None


def nearest(folder: Path, store: Store, generation: int) -> Checkpoint:
    """The newest whole checkpoint of a generation before this one. Raises RecordError when none is kept."""
    for number in reversed([g for g in generations(folder) if g < generation]):
        return load(path_of(folder, number), store)
    raise RecordError(
        f"{folder} keeps no checkpoint from before generation {generation}", "restore it from a copy"
    )


def restore(
    folder: Path, store: Store, journal: Journal, machine: Mapping[str, Any] | None = None
) -> Checkpoint | None:
    """The newest checkpoint that is whole, with the journal rewound to it and found to be what was written.

    None when none was ever saved. Checkpoints that were passed over are moved aside (`00000012.unused`) and
    recorded as dropped, because the run is about to write those generations again. Hold the run's lock.
    Raises RecordError where the journal, or a file that the checkpoint names, is not what it was. Rows after
    the checkpoint are not looked at: they are superseded.
    """
    sweep(folder)
    found = load_latest(folder, store, known=journal.marks())
    if found is None:
        return None
    journal.verify(found.generation, found.journal)
    verify_files(folder.parent, found.files)
    journal.rewind(found.generation, machine)
    for generation in generations(folder):
        if generation > found.generation:
            _move_aside(path_of(folder, generation))
    for why in found.skipped:
        journal.append(Dropped(generation=found.generation, what="checkpoint", n=1, why=why))
    return found


def verify(path: Path) -> int:
    """Compare a checkpoint's state with its manifest; returns its generation. Raises RecordError where they
    differ.
    """
    return int(_verified(path)[0]["generation"])


def verify_files(folder: Path, files: Mapping[str, str]) -> None:
    """See that files of a run folder are what they were. Raises RecordError naming the first that is not."""
    for name, expected in files.items():
        path = folder / name
        try:
            found = "sha256:" + _fingerprint(path)["sha256"]
        except OSError as error:
            raise RecordError(
                f"{path} cannot be read: {error.strerror}", "restore the run folder from a copy"
            ) from error
        if found != expected:
            raise RecordError(
                f"{path} was changed after it was written", "restore the run folder from a copy"
            )


def _verified(path: Path) -> tuple[dict[str, Any], bytes]:
    """The manifest, and the bytes of the state that it is of."""
    manifest = _manifest(path)
    with _whole(path):
        state = (path / STATE).read_bytes()
        if manifest["state"] != {"bytes": len(state), "sha256": hashlib.sha256(state).hexdigest()}:
            raise RecordError(f"{path / STATE} is damaged: it is not what was written", _EARLIER)
    return manifest, state


def _manifest(path: Path) -> dict[str, Any]:
    """The manifest of a checkpoint, if it is what was written."""
    with _whole(path):
        manifest: dict[str, Any] = json.loads((path / MANIFEST).read_bytes())
        if manifest["version"] != VERSION:
            raise RecordError(f"{path} is of version {manifest['version']}, expected {VERSION}", _EARLIER)
        if _signed(manifest)["sha256"] != manifest["sha256"]:
            raise RecordError(f"{path / MANIFEST} is damaged: it is not what was written", _EARLIER)
        if path.name != f"{manifest['generation']:08d}":
            raise RecordError(f"{path} is damaged: it is of generation {manifest['generation']}", _EARLIER)
    return manifest


@contextmanager
def _whole(path: Path) -> Iterator[None]:
    """What a checkpoint that is not whole makes of reading it, as a RecordError."""
    try:
        yield
    except FileNotFoundError as error:
        name = Path(error.filename).name
        raise RecordError(f"{path} is damaged: it has no {name}", _EARLIER) from None
    except (ValueError, LookupError, TypeError) as error:
        raise RecordError(f"{path / MANIFEST} is damaged: {error}", _EARLIER) from None
    except OSError as error:
        raise RecordError(f"{path} cannot be read: {error.strerror}", "check its permissions") from error


def _signed(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """A manifest with the sha256 of all else in it, which tells its own damage."""
    plain = {key: value for key, value in manifest.items() if key != "sha256"}
    return {**plain, "sha256": hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()}


def _is_pinned(path: Path) -> bool:
    try:
        return bool(_manifest(path)["pinned"])
    except RecordError:
        return False


def _references(path: Path) -> set[str]:
    """What a checkpoint has in the store; nothing where it is damaged."""
    try:
        manifest = _manifest(path)
    except RecordError:
        return set()
    return {*manifest["tensors"].values(), *manifest["keep"]}


def generations(folder: Path) -> list[int]:
    """The generations that have a checkpoint, whole or not, oldest first."""
    if not folder.is_dir():
        return []
    return sorted(int(path.name) for path in folder.iterdir() if path.name.isdigit() and len(path.name) >= 8)


def path_of(folder: Path, generation: int) -> Path:
    """Where the checkpoint of a generation is."""
    return folder / f"{generation:08d}"


def sweep(folder: Path) -> list[Path]:
    """Remove what a save that was cut short left behind; returns what it removed. Hold the run's lock."""
    leftovers = sorted(folder.glob(f"{_NEW}*"))
    for leftover in leftovers:
        shutil.rmtree(leftover)
    return leftovers


def _save_text(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _fingerprint(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return {"bytes": file.tell(), "sha256": digest}


def _flush(path: Path) -> None:
    """Wait until a file, or the entries of a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _put_in_place(new: Path, target: Path) -> None:
    # The same generation again, after a rewind: a folder cannot be renamed onto one that is not empty.
    replaced = _move_aside(target) if target.exists() else None
    os.rename(new, target)
    _flush(target.parent)
    if replaced is not None:
        shutil.rmtree(replaced)


def _move_aside(path: Path) -> Path:
    aside = path.with_name(f"{path.name}.unused")
    shutil.rmtree(aside, ignore_errors=True)
    return path.rename(aside)


def _refuse_other_keys(state: Any) -> None:
    """JSON would turn the key 3 into "3" without a word, and a resumed run would miss it."""
    if isinstance(state, Mapping):
        for key, value in state.items():
            if not isinstance(key, str):
                raise TypeError(f"a checkpoint's state has the key {key!r}; JSON has only text for keys")
            _refuse_other_keys(value)
    elif isinstance(state, (list, tuple)) and state and isinstance(state[0], (Mapping, list, tuple)):
        for value in state:
            _refuse_other_keys(value)


@contextmanager
def _clearly(path: Path) -> Iterator[None]:
    """Disk errors in one line."""
    try:
        yield
    except OSError as error:
        fix = fix_of(error)
        if any(generation != int(path.name) for generation in generations(path.parent)):
            fix = f"{fix.partition(';')[0]}; then resume: the last checkpoint is intact"
        raise RecordError(f"{path} cannot be written ({error.strerror})", fix) from error
