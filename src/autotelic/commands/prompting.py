"""`autotelic exam --base`, `--shots`, `--constrained`: one exam under several prompts, as a table."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from autotelic.commands.opening import Opened
    from autotelic.exam.prompting import Prompted, Prompting
    from autotelic.reports import Scores
    from autotelic.types import ExamReport

MOST_SHOTS = 64
"""Solved examples that can be asked for: more would fit into no context of the models trained here."""
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
    """Evaluate once for each number of shots, freely and constrained or only as said; print what came of it."""
    from autotelic.commands.opening import opened
    from autotelic.errors import RunError
    from autotelic.exam import prompting

    if any(not 0 <= n <= MOST_SHOTS for n in shots):
        raise RunError(
            f"--shots {min(shots)} to {max(shots)} cannot be shown", f"give numbers from 0 to {MOST_SHOTS}"
        )
    ways = [
        prompting.Prompting(shots=n, constrained=held)
        for n in dict.fromkeys(shots or prompting.SHOTS)
        for held in ([False, True] if constrained is None else [constrained])
    ]
    with opened(model, exam, base=base) as place:
        found = _evaluated(place, ways)
    best = prompting.best(found)
    champion = _champion(model) if base and exam == "sealed" else None
    if as_json:
        print(json.dumps(_as_json(place, found, best, champion), indent=2))
    else:
        _show(place, found, best, champion)


def _evaluated(place: Opened, ways: Sequence[Prompting]) -> list[Prompted]:
    from autotelic.attempt.rollout import Rollout
    from autotelic.exam.prompting import evaluate_prompted

    most = place.charter.roles.max_tokens
    found: list[Prompted] = []
    for one in evaluate_prompted(
        place.exam,
        place.domain,
        place.decoder,
        place.tokens,
        lambda sampler, tokens: Rollout(
            sampler, tokens, place.domain, max_tokens=most, context=place.policy.context
        ),
        ways,
        max_tokens=most,
        context=place.policy.context,
        seed=place.charter.seed,
    ):
        found.append(one)
        print(f"{one.prompting}: {one.seconds:.0f} s", file=sys.stderr)
    return found


def _champion(run: Path) -> ExamReport | None:
    """The run's last sealed exam, as its journal has it; None where it has not come so far."""
    from autotelic.messages import Evaluated
    from autotelic.record import Journal

    last: ExamReport | None = None
    with Journal.open(run) as journal:
        for message in journal.each_message(kinds=(Evaluated.kind,)):
            if isinstance(message, Evaluated) and message.when == "after" and message.report.exam == "sealed":
                last = message.report
    return last


def _gain(best: Prompted | None, champion: ExamReport | None) -> float | None:
    if best is None or best.report is None or champion is None:
        return None
    return 100 * (champion.overall.pass_at_1.value - best.report.overall.pass_at_1.value)


def _as_json(
    place: Opened, found: Sequence[Prompted], best: Prompted | None, champion: ExamReport | None
) -> dict[str, Any]:
    return {
        "exam": place.exam.name,
        "about": place.about,
        "digest": place.exam.digest,
        "items": len(place.exam.items),
        "prompts": [{"name": str(one.prompting), **asdict(one)} for one in found],
        "best": str(best.prompting) if best else None,
        "champion": asdict(champion) if champion else None,
        "gain_points": _gain(best, champion),
    }


def _show(
    place: Opened, found: Sequence[Prompted], best: Prompted | None, champion: ExamReport | None
) -> None:
    from rich.console import Console
    from rich.table import Table

    from autotelic.dashboard.wording import clock, count, interval, percent

    asked = place.exam
    cells = [str(cell) for cell in asked.cells]
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("", no_wrap=True, justify="right")
    table.add_column("prompt")
    for head in ("pass@1 (95 %)", "tokens", "time"):
        table.add_column(head, justify="right", no_wrap=True)
    # A cell a row and a prompt a column: there are more cells than a terminal has room for columns.
    by_cell = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    by_cell.add_column("", no_wrap=True)
    columns: list[Mapping[str, Scores]] = []
    for number, one in enumerate(found, start=1):
        if one.report is None:
            table.add_row(str(number), f"{one.prompting}: does not fit: {one.absent}")
            continue
        table.add_row(
            str(number),
            str(one.prompting),
            interval(one.report.overall.pass_at_1, 1),
            count(one.prompt_tokens),
            clock(one.seconds),
            style="bold" if one is best else None,
        )
        by_cell.add_column(str(number), justify="right", no_wrap=True, style="bold" if one is best else "")
        columns.append(one.report.cells)
    if champion is not None:
        table.add_row("*", "the champion", interval(champion.overall.pass_at_1, 1))
        by_cell.add_column("*", justify="right", no_wrap=True)
        columns.append(champion.cells)
    for cell in cells:
        scores = [scored.get(cell) for scored in columns]
        by_cell.add_row(cell, *(percent(None if s is None else s.pass_at_1.value) for s in scores))
    console = Console()
    console.print(f"{asked.name} exam, {place.about}", highlight=False)
    console.print(f"{len(asked.items)} items, greedy; the best prompt in bold")
    console.print(table)
    console.print()
    console.print(by_cell)
    if (gain := _gain(best, champion)) is not None:
        console.print(f"the champion against the best prompt: {gain:+.1f} points", highlight=False)
        console.print(_ABOUT, style="dim", highlight=False)
