"""Checkpoints: all that a run needs to go on as if it had never stopped.

    checkpoints/00000012/
      actor.safetensors  optimiser.safetensors ...   one file a group of tensors
      state.json                                     counters, curriculum, buffers
      MANIFEST.json                                  the size and sha256 of each of these files

A checkpoint is written beside its place, flushed to the disk, and renamed, so that it is there whole or not
at all; its manifest tells later damage. Nothing is pickled: reading a checkpoint runs no code.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from autotelic.errors import RecordError
from autotelic.record.store import Record

Array = Tensor | np.ndarray[Any, Any]

MANIFEST = "MANIFEST.json"
STATE = "state.json"
VERSION = 2
"""Of what the engine keeps in a checkpoint; one of another version is refused rather than misread."""
KEEP = 2
_NEW = ".new-"
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What was saved. `tensors["actor"]["embed.weight"]` is what it was, bit for bit; `state` is plain JSON.

    `skipped` says which newer checkpoints were passed over to come to this one, and why.
    """

    generation: int
    path: Path
    tensors: Mapping[str, Mapping[str, Any]]
    state: Any
    skipped: tuple[str, ...] = ()


def save(
    folder: Path,
    generation: int,
    tensors: Mapping[str, Mapping[str, Array]],
    state: Any,
    *,
    pinned: Collection[int] = (),
) -> Path:
    """Write the checkpoint of a generation and return its folder; keep the newest two and the `pinned`.

    Call `Record.mark(generation)` first, so that there is no checkpoint which the record does not know.
    `state` is JSON whose dictionaries have text for keys; tuples come back as lists. Raises `RecordError`
    when it cannot be written, and then the checkpoints that were there are as they were.
    """
    _refuse_other_keys(state)
    target, new = path_of(folder, generation), folder / f"{_NEW}{generation:08d}-{os.getpid()}"
    with _clearly(target):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            new.mkdir()
            for name, group in tensors.items():
                _save_tensors(new / f"{name}.safetensors", group)
            _save_text(new / STATE, json.dumps(state, separators=(",", ":")))
            files = {path.name: _fingerprint(path) for path in sorted(new.iterdir())}
            manifest = {"version": VERSION, "generation": generation, "files": files}
            _save_text(new / MANIFEST, json.dumps(manifest, indent=1))
            _flush(new)
            _put_in_place(new, target)
        finally:
            shutil.rmtree(new, ignore_errors=True)
        for old in generations(folder)[:-KEEP]:
            if old not in pinned and old != generation:
                shutil.rmtree(path_of(folder, old))
    return target


def load(path: Path) -> Checkpoint:
    """Verify a checkpoint against its manifest and read it. Raises `RecordError` when it is not whole."""
    generation, names = verify(path), sorted(path.glob("*.safetensors"))
    with _clearly(path):
        return Checkpoint(
            generation=generation,
            path=path,
            tensors={file.name.removesuffix(".safetensors"): _load_tensors(file) for file in names},
            state=json.loads((path / STATE).read_bytes()),
        )


def load_latest(folder: Path, known: Collection[int] | None = None) -> Checkpoint | None:
    """The newest checkpoint that is whole, and, when `known` is given, of one of these generations.

    None when there is no checkpoint at all. Raises `RecordError` when there are some and none will do.
    """
    skipped: list[str] = []
    for generation in reversed(generations(folder)):
        path = path_of(folder, generation)
        if known is not None and generation not in known:
            skipped.append(f"{path} is not in the record")
            continue
        try:
            found = load(path)
        except RecordError as error:
            skipped.append(error.cause)
            continue
        return Checkpoint(
            generation=found.generation,
            path=found.path,
            tensors=found.tensors,
            state=found.state,
            skipped=tuple(skipped),
        )
    if skipped:
        raise RecordError(
            f"none of the checkpoints in {folder} can be used: {'; '.join(skipped)}",
            "restore the run folder from a copy, go on with the version of autotelic that wrote it, or start a new "
            "run from its champion (`--from`)",
        )
    return None


def restore(folder: Path, record: Record) -> Checkpoint | None:
    """The newest checkpoint that is whole, with the record rewound to it.

    None when none was ever saved; then the record is rewound to its beginning.

    Checkpoints that were passed over are moved aside (`00000012.unused`) and recorded as dropped, because
    the run is about to write those generations again. Hold the run's lock.
    """
    sweep(folder)
    found = load_latest(folder, known=record.marks())
    record.rewind(None if found is None else found.generation)
    if found is None:
        return None
    for generation in generations(folder):
        if generation > found.generation:
            _move_aside(path_of(folder, generation))
    for why in found.skipped:
        record.emit("dropped", generation=found.generation, what="checkpoint", n=1, why=why)
    record.commit()
    return found


def verify(path: Path) -> int:
    """Compare every file of a checkpoint with its manifest; returns its generation.

    Raises `RecordError` naming the first file that is missing or is not what was written.
    """
    fix = "an earlier checkpoint is used if there is one"
    try:
        manifest = json.loads((path / MANIFEST).read_bytes())
        version = manifest["version"]
        generation, files = int(manifest["generation"]), dict(manifest["files"])
        if path.name != f"{generation:08d}":
            raise RecordError(f"{path} is damaged: its manifest is of generation {generation}", fix)
        if version != VERSION:
            raise RecordError(f"{path} is of version {version}, expected {VERSION}", fix)
        for name, expected in files.items():
            if _fingerprint(path / name) != expected:
                raise RecordError(f"{path / name} is damaged: it is not what was written", fix)
    except FileNotFoundError as error:
        raise RecordError(f"{path} is damaged: it has no {Path(error.filename).name}", fix) from None
    except (ValueError, LookupError, TypeError) as error:
        raise RecordError(f"{path / MANIFEST} is damaged: {error}", fix) from None
    except OSError as error:
        raise RecordError(f"{path} cannot be read: {error.strerror}", "check its permissions") from error
    return generation


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


def _save_tensors(path: Path, group: Mapping[str, Array]) -> None:
    """One safetensors file. Its metadata names what was a numpy array, to give it back as one."""
    arrays = sorted(name for name, value in group.items() if isinstance(value, np.ndarray))
    seen: set[int] = set()
    tensors: dict[str, Tensor] = {}
    for name, value in group.items():
        # numpy's own contiguous copy would turn a number without dimensions into a vector of one.
        tensor = torch.from_numpy(np.array(value, order="C")) if isinstance(value, np.ndarray) else value
        tensor = tensor.detach().cpu().contiguous()
        storage = tensor.untyped_storage()
        if storage.data_ptr() in seen or storage.nbytes() != tensor.nbytes:
            tensor = tensor.clone()  # safetensors takes no views: tied weights, slices
        seen.add(tensor.untyped_storage().data_ptr())
        tensors[name] = tensor
    save_file(tensors, path, metadata={"numpy": json.dumps(arrays)})
    _flush(path)


def _load_tensors(path: Path) -> dict[str, Any]:
    with safe_open(path, framework="pt") as file:
        arrays = set(json.loads((file.metadata() or {}).get("numpy", "[]")))
        # Cloned, because what is mapped from a file lies where it lies, and the rounding of a matrix product
        # can depend on how its operands are aligned: a resumed run is to be bit-equal.
        tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
    return {name: tensor.numpy() if name in arrays else tensor for name, tensor in tensors.items()}


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
    """Disk errors in one line. safetensors has only the text of its own."""
    try:
        yield
    except SafetensorError as error:
        full = any(f"os error {number}" in str(error) for number in _NO_SPACE)
        raise _cannot(path, str(error), full) from error
    except OSError as error:
        raise _cannot(path, error.strerror or str(error), error.errno in _NO_SPACE) from error


def _cannot(path: Path, why: str, full: bool) -> RecordError:
    if full:
        fix = "free some space and resume; the last checkpoint is intact"
        return RecordError(f"no space left to write {path} ({why})", fix)
    return RecordError(f"{path} cannot be written or read ({why})", "check its disk and its permissions")
