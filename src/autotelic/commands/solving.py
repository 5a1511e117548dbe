"""`autotelic solve`: a task searched for within a budget of samples, and what search is worth over many tasks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from autotelic.commands import Json

if TYPE_CHECKING:
    from autotelic.attempt.search import Searched
    from autotelic.commands.opening import Opened
    from autotelic.types import Task

CURVE = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
"""Samples spent at which the share of solved tasks is shown."""


def solve(
    run: Path,
    *,
    task: str = "",
    items: int = 0,
    budget: int = 64,
    mode: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    level: Annotated[tuple[int, ...], Parameter(negative="")] = (),
    repairs: bool | None = None,
    seed: int = 0,
    as_json: Json = False,
) -> None:
    """Let a champion search: write, run its own checks, read, write again, and choose what to hand in.

    Only what a task shows is used to choose. Give --task or --items.

    Parameters
    ----------
    run
        A run folder, or a model in Hugging Face format.
    task
        The id of a task of the run, or a task in words that its domain can read: `f([1,2])==3`, a call a line.
    items
        Instead: so many new tasks a cell, and a table of what was solved against samples spent.
    budget
        Samples at a task, at most.
    mode
        With --items: these modes alone.
    level
        With --items: these levels alone.
    repairs
        Read failures and mend them too; by default where the run practised it.
    seed
        Of the samples.
    """
    from autotelic.errors import ModelError

    if not run.exists():
        raise ModelError(f"{run} does not exist", "give a run folder, or a model in Hugging Face format")
    if bool(task) == bool(items) or items < 0:
        raise ModelError(
            "solve needs one of --task and --items", "give the id or the text of a task, or --items 50"
        )
    if budget < 1:
        raise ModelError(f"--budget {budget} samples nothing", "give 1 or more")
    from autotelic.commands.opening import opened

    with opened(run, "fresh" if items else "sealed", items) as found:
        mends = bool(found.charter.repair.share) if repairs is None else repairs
        if task:
            one = _search(found, [_task(run, found, task)], budget, seed, mends)[0]
            _tell(found, one, as_json)
        else:
            chosen = _chosen(found, mode, level)
            searched = _search(found, chosen, budget, seed, mends)
            _table(found, searched, budget, as_json)


def _search(found: Opened, tasks: Sequence[Task], budget: int, seed: int, repairs: bool) -> list[Searched]:
    from autotelic.attempt.search import search
    from autotelic.streams import seed_of

    return search(
        found.policy,
        found.domain,
        tasks,
        budget=budget,
        temperature=found.charter.roles.temperature,
        seed=seed_of(seed, "solve"),
        repairs=repairs,
    )


def _task(run: Path, found: Opened, text: str) -> Task:
    from autotelic.errors import DomainError, RunError
    from autotelic.protocols import Posable
    from autotelic.record import Journal, is_run

    if is_run(run):
        with Journal.open(run) as journal:
            known = journal.task(text)
        if known is not None:
            return known
    if not isinstance(found.domain, Posable):
        raise RunError(
            f"{text[:40]!r} is no task of {run}, and the domain {found.domain.spec.name} reads none in words",
            "give the id of a task (`autotelic inspect`)",
        )
    try:
        return found.domain.pose(text)
    except DomainError as error:
        raise RunError(
            f"{text[:40]!r} is neither the id of a task of {run} nor a task: {error.cause}", error.fix
        ) from None


def _chosen(found: Opened, modes: Sequence[str], levels: Sequence[int]) -> list[Task]:
    from autotelic.errors import RunError

    items = [
        item
        for item in found.exam.items
        if (not modes or item.mode in modes) and (not levels or item.level in levels)
    ]
    if not items:
        cells = ", ".join(map(str, found.exam.cells)) or "none"
        raise RunError("no new task of these modes and levels", f"choose among {cells}")
    return items


def _tell(found: Opened, one: Searched, as_json: bool) -> None:
    """What was handed in, and how it came about."""
    from autotelic.types import text_of

    chosen = one.chosen(found.domain)
    answer = "" if chosen is None else chosen.answer
    state = {
        True: "passes its own checks",
        False: "nothing passed its own checks",
        None: "no check to be had",
    }
    if as_json:
        said: dict[str, Any] = {
            "task": one.task.id,
            "answer": answer,
            "passed_own_checks": one.passed,
            "samples": one.samples,
            "tokens": one.tokens,
        }
        print(json.dumps(said, indent=2))
        return
    print(text_of(one.task.prompt).rstrip("\n"))
    print(f"\n{answer}\n")
    print(f"{state[one.passed]}, after {one.samples} samples of {one.tokens} tokens")


def _table(found: Opened, searched: Sequence[Searched], budget: int, as_json: bool) -> None:
    """By cell: what is solved by a sample, by search, and by any of the samples; judged on what was held back."""
    from autotelic.attempt.search_scores import curve_of, measured
    from autotelic.dashboard.wording import percent

    rows = measured(found.domain, searched)
    curve = curve_of(found.domain, searched, [n for n in CURVE if n <= budget])
    if as_json:
        cells = {str(cell): row.as_json() for cell, row in rows.items()}
        print(json.dumps({"about": found.about, "budget": budget, "cells": cells, "curve": curve}, indent=2))
        return
    print(f"search with at most {budget} samples a task, {found.about}")
    print(f"  {'':<16} {'tasks':>6} {'pass@1':>8} {'search':>8} {'any':>8} {'samples':>8}")
    for cell, row in rows.items():
        figures = f"{percent(row.first):>8} {percent(row.solved):>8} {percent(row.reachable):>8}"
        print(f"  {cell!s:<16} {row.items:>6} {figures} {row.samples:>8.1f}")
    print(
        "  solved after so many samples: " + ", ".join(f"{n}: {percent(share)}" for n, share in curve.items())
    )
