"""`autotelic inspect`, `check`, `schema`, `compare` and `report`: reading what runs have recorded."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Literal

from autotelic.commands import Json


def inspect(run: Path, what: str | None = None, *, as_json: Json = False) -> None:
    """Show one thing of a run in full; without one, a line a generation.

    Parameters
    ----------
    run
        The run folder.
    what
        A generation's number, a task's id or how it begins, attempt:N, proposal:N, update:N, message:N,
        exam:NAME.
    """
    from autotelic.dashboard import inspect as views
    from autotelic.dashboard.describe import describe
    from autotelic.dashboard.story import Story
    from autotelic.dashboard.summary import summarise
    from autotelic.record import Journal, RunFolder

    with Journal.open(RunFolder.open(run).path) as journal:
        story = Story.of(journal.each_message())
        if what is None:
            print(json.dumps(summarise(story), indent=2) if as_json else views.overview(story))
            return
        found = views.find(journal, story, what)
        if as_json:
            print(json.dumps(views.as_json(found), indent=2))
        else:
            print(describe(journal, story, found))


def check(run: Path, *, as_json: Json = False) -> int:
    """Say what in a run folder is not what was written, a line each; the exit code is then 1.

    Parameters
    ----------
    run
        The run folder.
    """
    from autotelic.record import RunFolder

    problems = RunFolder(run).problems() if run.is_dir() else RunFolder.open(run).problems()
    if as_json:
        print(json.dumps({"problems": problems}, indent=2))
    else:
        print(
            "\n".join(problems) or f"{run}: journal, checkpoints, weights and champion are what was written"
        )
    return 1 if problems else 0


def schema(what: Literal["messages"]) -> None:
    """Print a JSON schema: of the messages that the journal keeps.

    Parameters
    ----------
    what
        `messages`.
    """
    from autotelic.messages import schema as schema_of

    print(json.dumps(schema_of(), indent=2))


def compare(*runs: Path, out: Path = Path("compare.png"), as_json: Json = False) -> None:
    """Compare runs: their curves in one picture, their results in one table.

    Parameters
    ----------
    runs
        Two or more run folders.
    out
        The picture to write (PNG).
    """
    from rich.console import Console
    from rich.table import Table

    from autotelic.dashboard import compare as comparing
    from autotelic.dashboard.publish import story_of
    from autotelic.dashboard.wording import clock, count, percent
    from autotelic.errors import RunError
    from autotelic.record import RunFolder

    different = list(dict.fromkeys(map(os.path.realpath, runs)))
    if len(different) < 2 or len(different) < len(runs):
        what = f"{len(runs)} of them" if len(different) == len(runs) else "one of them twice"
        raise RunError(
            f"compare needs two or more different runs, and got {what}", "give two or more run folders"
        )
    if out.suffix.lower() != ".png":
        raise RunError(f"--out {out} is not named as a PNG file, which it would be", "end its name in .png")
    stories = {str(run): story_of(RunFolder.open(run)) for run in runs}
    compared = comparing.compare(stories)
    picture = comparing.draw(stories, out)
    if as_json:
        print(json.dumps({**compared, "picture": str(picture)}, indent=2))
        return
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    heads = ("run", "seed", "time", "tokens", "before", "now", "pass@8", "own", "actor's", "target")
    for head in heads:
        is_name = head == "run"
        table.add_column(head, justify="left" if is_name else "right", overflow="fold", no_wrap=not is_name)
    for name, summary in compared["runs"].items():
        before, after = summary["sealed"]["before"] or {}, summary["sealed"]["after"] or {}
        between = " ({:.0f}–{:.0f})".format(*(100 * end for end in after["interval"])) if after else ""
        table.add_row(
            name,
            str(summary["seed"]),
            clock(summary["seconds"]),
            count(summary["tokens"]),
            percent(before.get("pass_at_1"), 1),
            percent(after.get("pass_at_1"), 1) + between,
            percent(after.get("pass_at_8")),
            percent(summary["own_exam"].get("pass_at_1")),
            percent(summary["actor_task_share"]),
            count(summary["tokens_to_target"]),
        )
    console = Console()
    console.print(table)
    if compared["target"] is not None:
        console.print(
            f"target: {percent(compared['target'], 1)}, the lowest of the final scores; in tokens",
            style="dim",
        )
    if compared["note"]:
        console.print(compared["note"], style="yellow", highlight=False)
    console.print(f"curves: {picture}", soft_wrap=True, highlight=False)


def report(run: Path, *, as_json: Json = False) -> None:
    """Write a run's report, pictures and summary again, from its journal.

    Parameters
    ----------
    run
        The run folder.
    """
    from autotelic.dashboard.publish import publish
    from autotelic.record import RunFolder

    folder = RunFolder.open(run)
    summary = publish(folder)
    print(json.dumps(summary, indent=2) if as_json else folder.report)
