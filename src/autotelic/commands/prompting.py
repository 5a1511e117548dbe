"""`autotelic exam --base`, `--shots`, `--constrained`: one exam under several prompts, as a table."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from autotelic.exam.prompting import Prompted
    from autotelic.exam.sealed import Exam

_ABOUT = (
    "The best prompt is chosen on the exam itself, which favours whoever is asked so; the champion was asked as in "
    "the run, zero-shot."
)


def exam_by_prompt(
    model: Path,
    exam: Literal["sealed", "own"],
    *,
    base: bool,
    shots: Sequence[int],
    constrained: bool | None,
    as_json: bool,
) -> None:
    """Sit the exam once for each number of shots, freely and constrained or only as said; print what came of it."""
    from autotelic.errors import RunError
    from autotelic.exam import prompting
    from autotelic.exam.sitting import seated

    if any(n < 0 or n > 64 for n in shots):
        raise RunError(f"--shots {min(shots)} to {max(shots)} cannot be shown", "give numbers from 0 to 64")
    ways = [
        prompting.Prompting(shots=n, constrained=held)
        for n in dict.fromkeys(shots or prompting.SHOTS)
        for held in ([False, True] if constrained is None else [constrained])
    ]
    sat: list[Prompted] = []
    with seated(model, exam, base=base) as seat:
        for one in prompting.sit_prompted(seat, ways):
            sat.append(one)
            print(f"{one.prompting}: {one.seconds:.0f} s", file=sys.stderr)
        asked = seat.exam
    found = prompting.best(sat)
    champion = _champion(model) if base and exam == "sealed" else None
    if as_json:
        print(json.dumps(_as_json(asked, sat, found, champion), indent=2))
    else:
        _show(asked, sat, found, champion)


def _champion(run: Path) -> dict[str, Any] | None:
    """The run's last sealed exam, as its record has it; None where it has not come so far."""
    from autotelic.dashboard.publish import story_of
    from autotelic.dashboard.summary import summarise
    from autotelic.record import RunFolder

    after: dict[str, Any] | None = summarise(story_of(RunFolder.open(run)))["sealed"]["after"]
    return after


def _gain(found: Prompted | None, champion: dict[str, Any] | None) -> float | None:
    if found is None or found.report is None or champion is None:
        return None
    return 100 * float(champion["pass_at_1"] - found.report.pass_at_1.value)


def _as_json(
    asked: Exam, sat: Sequence[Prompted], found: Prompted | None, champion: dict[str, Any] | None
) -> dict[str, Any]:
    return {
        "exam": asked.name,
        "digest": asked.digest,
        "items": len(asked.items),
        "prompts": [{"name": str(one.prompting), **asdict(one)} for one in sat],
        "best": str(found.prompting) if found else None,
        "champion": champion,
        "gain_points": _gain(found, champion),
    }


def _show(
    asked: Exam, sat: Sequence[Prompted], found: Prompted | None, champion: dict[str, Any] | None
) -> None:
    from rich.console import Console
    from rich.table import Table

    from autotelic.dashboard.wording import clock, count, interval, percent
    from autotelic.types import Score

    cells = [str(cell) for cell in asked.cells]
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("prompt", no_wrap=True)
    for head in ("pass@1 (95 %)", *cells, "prompt tokens", "time"):
        table.add_column(head, justify="right", overflow="fold")
    for one in sat:
        if one.report is None:
            table.add_row(str(one.prompting), f"does not fit: {one.absent}")
            continue
        table.add_row(
            str(one.prompting),
            interval(one.report.pass_at_1, 1),
            *(percent(one.report.cells[cell]["pass_at_1"].value) for cell in cells),
            count(one.prompt_tokens),
            clock(one.seconds),
            style="bold" if one is found else None,
        )
    if champion is not None:
        low, high = champion["interval"]
        score = Score(value=champion["pass_at_1"], low=low, high=high, n=champion["items"])
        each = (percent(champion["cells"].get(cell)) for cell in cells)
        table.add_row("the champion", interval(score, 1), *each)
    console = Console()
    console.print(f"{asked.name} exam, {len(asked.items)} items, greedy; the best prompt in bold")
    console.print(table)
    if (gain := _gain(found, champion)) is not None:
        console.print(f"the champion against the best prompt: {gain:+.1f} points", highlight=False)
        console.print(_ABOUT, style="dim", highlight=False)
