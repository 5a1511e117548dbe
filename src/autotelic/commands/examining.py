"""`autotelic exam` and `autotelic export`: what a champion can do, and giving it away."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from autotelic.commands import Json


def exam(
    model: Path,
    *,
    exam: Literal["sealed", "own"] = "sealed",
    samples: int = 8,
    repair: int = 0,
    base: Annotated[bool, Parameter(negative="")] = False,
    shots: Annotated[tuple[int, ...], Parameter(negative="")] = (),
    constrained: bool | None = None,
    as_json: Json = False,
) -> None:
    """Sit an exam with a run's champion, or with a model.

    With any of the last three it is sat greedily under several prompts, and a table says what each came to.

    Parameters
    ----------
    model
        A run folder, or a model in Hugging Face format.
    exam
        The exam to sit: the sealed one, or the one that the model set itself.
    samples
        Answers to draw for each item.
    repair
        Instead: on so many new inductions a level, is reading a failure worth more than trying afresh?
    base
        Sit it with what the run began from, so that a gain can be told from a better prompt.
    shots
        Solved examples shown before each item (--shots 0 --shots 4); 0, 4 and 8 without.
    constrained
        Hold each answer to the form of its mode, or not; both without.
    """
    from autotelic.dashboard.wording import interval
    from autotelic.errors import ModelError
    from autotelic.exam.sitting import sit
    from autotelic.types import Cell

    if not model.exists():
        raise ModelError(f"{model} does not exist", "give a run folder, or a model in Hugging Face format")
    if base or shots or constrained is not None:
        from autotelic.commands.prompting import exam_by_prompt

        exam_by_prompt(model, exam, base=base, shots=shots, constrained=constrained, as_json=as_json)
        return
    if repair:
        _repair(model, repair, as_json)
        return
    report = sit(model, exam=exam, samples=samples)
    if as_json:
        print(json.dumps(asdict(report), indent=2))
        return
    print(f"{report.exam} exam, {report.pass_at_1.n} items, weights {report.weights}")
    rows = {
        "pass@1": report.pass_at_1,
        "pass@1, sampled": report.sampled_at_1,
        "pass@8": report.pass_at_8,
        "best of 8": report.best_of_8,
    }
    for name, score in rows.items():
        if score is not None:
            print(f"  {name:<16} {interval(score, 1)}")
    for name in sorted(report.cells, key=lambda name: (Cell.parse(name).mode, Cell.parse(name).level)):
        print(f"  {name:<16} {interval(report.cells[name].get('pass_at_1'), 1)}")


def _repair(model: Path, items: int, as_json: bool) -> None:
    from autotelic.dashboard.wording import interval
    from autotelic.exam.repair import sit_repair
    from autotelic.exam.sitting import seated
    from autotelic.streams import seed_of

    with seated(model, "fresh", items) as seat:
        roles = seat.charter.roles
        report = sit_repair(
            seat.exam,
            seat.examinee,
            turns=max(2, roles.repair_turns),
            max_tokens=roles.max_tokens,
            seed=seed_of(seat.charter.seed, "repair exam"),
        )
    if as_json:
        print(json.dumps(asdict(report) | {"gain": report.gain}, indent=2))
        return
    print(f"{report.items} inductions, {report.failed} failed at the first turn")
    print(f"  {'repaired':<16} {interval(report.repaired, 1)}  {report.repair_tokens} tokens")
    print(f"  {'tried afresh':<16} {interval(report.resampled, 1)}  {report.resample_tokens} tokens")
    c = report.comparison
    print(f"  {c.wins} solved by repair alone, {c.losses} by trying afresh alone: repair is {c.verdict}")


def export(run: Path, dest: Path) -> None:
    """Copy a run's champion to a folder in Hugging Face format, with its model card.

    Parameters
    ----------
    run
        The run folder.
    dest
        The folder to make; it must not exist, or be empty.
    """
    from autotelic.dashboard.card import model_card
    from autotelic.dashboard.publish import story_of
    from autotelic.errors import RunError
    from autotelic.record import RunFolder

    folder = RunFolder.open(run)
    if not (folder.champion / "config.json").is_file():
        raise RunError(f"{run} has no champion yet", f"let it run to its end: autotelic resume {run}")
    if dest.exists() and (not dest.is_dir() or any(dest.iterdir())):
        raise RunError(f"{dest} is there already", "give a new or an empty folder")
    # Beside its place first, so that a copy that fails half-way leaves nothing that looks like a model.
    unfinished = dest.with_name(f".{dest.name}.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        shutil.copytree(folder.champion, unfinished)
        card = model_card(story_of(folder), folder.path.name)
        (unfinished / "README.md").write_text(card, encoding="utf-8")
        os.replace(unfinished, dest)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    print(dest)
