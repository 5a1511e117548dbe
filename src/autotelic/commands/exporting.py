"""`autotelic export`: the champion for others, and a run's record as files that other tools read."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from autotelic.commands import Json
from autotelic.commands.preflight import refuse_limits

Flag = Annotated[bool, Parameter(negative="")]


def export(
    run: Path,
    dest: Path,
    *,
    parquet: Flag = False,
    jsonl: Flag = False,
    inspect: Flag = False,
    as_json: Json = False,
) -> None:
    """Copy a run's champion to a folder in Hugging Face format, with its model card; or write the run's record.

    Parameters
    ----------
    run
        The run folder.
    dest
        The folder to make, or one that is empty; it may be a mount point or a link.
    parquet
        Instead of the champion: every table of the journal as a Parquet file (needs pyarrow).
    jsonl
        Instead of the champion: every table of the journal as JSON lines.
    inspect
        Instead of the champion: every exam as a log that Inspect AI shows (needs inspect-ai).
    """
    from autotelic.errors import RunError

    if parquet + jsonl + inspect > 1:
        raise RunError("--parquet, --jsonl and --inspect are three exports", "give one of them")
    if parquet or jsonl or inspect:
        files = _record(run, dest, "parquet" if parquet else "jsonl" if jsonl else "inspect")
        paths = [str(path) for path in files]
        print(json.dumps({"folder": str(dest), "files": paths}, indent=2) if as_json else "\n".join(paths))
        return
    expected = _champion(run, dest)
    print(json.dumps({"folder": str(dest), "reference": expected}, indent=2) if as_json else dest)


def _record(run: Path, dest: Path, form: str) -> list[Path]:
    """Write the record in one of its forms. Nothing is left half-written under its last name."""
    from autotelic.errors import RunError, fix_of
    from autotelic.record import Journal, RunFolder
    from autotelic.record.export import export as export_tables

    place = RunFolder.open(run)
    try:
        with Journal.open(place.path) as journal, _unfinished(dest) as unfinished:
            if form == "inspect":
                from autotelic.record.inspect_logs import export_exams

                written = export_exams(journal, unfinished)
            else:
                written = export_tables(journal, unfinished, "parquet" if form == "parquet" else "jsonl")
    except OSError as error:
        raise RunError(f"{dest} cannot be written: {error.strerror}", fix_of(error)) from error
    return [dest / path.name for path in written]


def _champion(run: Path, dest: Path) -> str:
    """Copy the champion, and see that the copy is what was saved; its reference."""
    refuse_limits()
    from autotelic.dashboard.card import model_card
    from autotelic.dashboard.publish import story_of
    from autotelic.engine.champion import champion_of
    from autotelic.errors import ModelError, RunError, fix_of
    from autotelic.record import RunFolder
    from autotelic.weights.load import manifest_of

    folder = RunFolder.open(run)
    champion, expected = champion_of(folder)
    try:
        with _unfinished(dest) as unfinished:
            _copy_model(champion, unfinished)
            # The copy is verified and not the original, which may change in between.
            if (found := manifest_of(unfinished).ref) != expected:
                raise ModelError(
                    f"{champion} was changed after it was saved: it is {found}, expected {expected}",
                    "restore the run folder from a copy",
                )
            card = model_card(story_of(folder), folder.path.resolve().name)
            (unfinished / "README.md").write_text(card, encoding="utf-8")
    except OSError as error:
        raise RunError(f"{dest} cannot be written: {error.strerror}", fix_of(error)) from error
    return expected


@contextmanager
def _unfinished(dest: Path) -> Iterator[Path]:
    """A new folder to write into, whose content is in `dest` afterwards. Where it fails half-way, nothing is
    left that looks like a model.

    A folder that is there is filled and not replaced: it may be a mount point, or the one that a shell is in.
    """
    from autotelic.errors import RunError

    place = Path(os.path.realpath(dest))  # `resolve` raises where links lead in a circle
    there = place.is_dir()
    if place.exists() and (not there or any(place.iterdir())):
        raise RunError(f"{dest} is there already", "give a new or an empty folder")
    unfinished = place / ".new" if there else place.with_name(f".{place.name}.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        yield unfinished
        if there:
            # The configuration last: without it no tool takes the folder for a model.
            for path in sorted(unfinished.iterdir(), key=lambda path: path.name == "config.json"):
                os.replace(path, place / path.name)
        else:
            os.replace(unfinished, place)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _copy_model(source: Path, target: Path) -> None:
    """Copy the files that a reference covers, and no others."""
    from autotelic.weights.reference import changes_behaviour

    target.mkdir(parents=True)
    for path in source.iterdir():
        weights = path.name.endswith((".safetensors", ".safetensors.index.json"))
        if path.is_file() and (weights or changes_behaviour(path.name)):
            shutil.copyfile(path, target / path.name)
