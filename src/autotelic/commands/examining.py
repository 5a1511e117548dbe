"""`autotelic exam`: what a champion can do."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from autotelic.commands import Json
from autotelic.commands.preflight import refuse_limits

if TYPE_CHECKING:
    from autotelic.types import ExamReport


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
    """Evaluate a run's champion, or a model, on an exam.

    With any of the last three it is evaluated greedily under several prompts, and a table says what each came to.

    Parameters
    ----------
    model
        A run folder, or a model as model.name names it.
    exam
        The sealed exam, or the one that the model set itself.
    samples
        Answers to draw for each item.
    repair
        Instead: on so many new items a cell, is reading a failure worth more than trying afresh?
    base
        Evaluate what the run began from, so that a gain can be told from a better prompt.
    shots
        Solved examples shown before each item (--shots 0 --shots 4); 0, 4 and 8 without.
    constrained
        Hold each answer to the form of its mode, or not; both without.
    """
    from autotelic.errors import ModelError
    from autotelic.models.registry import folder_of

    refuse_limits()
    model = folder_of(model)
    if samples < 1 or repair < 0:
        raise ModelError(f"--samples {samples} --repair {repair} ask for nothing", "give positive numbers")
    if base or shots or constrained is not None:
        from autotelic.commands.prompting import exam_by_prompt

        exam_by_prompt(model, exam, base=base, shots=shots, constrained=constrained, as_json=as_json)
    elif repair:
        _repair(model, repair, as_json)
    else:
        _evaluate(model, exam, samples, as_json)


def _evaluate(model: Path, which: Literal["sealed", "own"], samples: int, as_json: bool) -> None:
    from autotelic.commands.opening import opened
    from autotelic.exam.evaluate import evaluate, exam_seed

    with opened(model, which) as found:
        report, _ = evaluate(
            found.exam,
            found.policy,
            found.domain,
            ranker=found.ranker,
            samples=samples,
            temperature=found.charter.roles.temperature,
            seed=exam_seed(found.charter.seed, found.exam),
        )
    if as_json:
        print(json.dumps({"about": found.about, **asdict(report)}, indent=2))
    else:
        _show(report, found.about)


def _show(report: ExamReport, about: str) -> None:
    from autotelic.dashboard.wording import interval
    from autotelic.types import Cell
    from autotelic.weights.reference import short

    overall = report.overall
    print(f"{report.exam} exam, {about}")
    print(f"{overall.pass_at_1.n} items, weights {short(report.weights)}")
    rows = {
        "pass@1": overall.pass_at_1,
        "pass@1, sampled": overall.sampled_at_1,
        "pass@8": overall.pass_at_8,
        "best of 8": overall.best_of_8,
    }
    for name, score in rows.items():
        if score is not None:
            print(f"  {name:<16} {interval(score, 1)}")
    for name in sorted(report.cells, key=lambda name: (Cell.parse(name).mode, Cell.parse(name).level)):
        print(f"  {name:<16} {interval(report.cells[name].pass_at_1, 1)}")


def _repair(model: Path, items: int, as_json: bool) -> None:
    from autotelic.commands.opening import opened
    from autotelic.dashboard.wording import interval
    from autotelic.exam.repair import evaluate_repair
    from autotelic.streams import seed_of

    with opened(model, "fresh", items) as found:
        report = evaluate_repair(
            found.exam,
            found.policy,
            found.domain,
            temperature=found.charter.roles.temperature,
            seed=seed_of(found.charter.seed, "repair exam"),
        )
    if as_json:
        print(json.dumps({"about": found.about, **asdict(report), "gain": report.gain}, indent=2))
        return
    print(f"repair exam, {found.about}")
    if not report.modes:
        print("nothing failed in a way that can be repaired")
        return
    print(f"{report.items} items of {', '.join(report.modes)}, {report.failed} failed at the first turn")
    print(f"  {'repaired':<16} {interval(report.repaired, 1)}  {report.repair_tokens} tokens")
    print(f"  {'tried afresh':<16} {interval(report.resampled, 1)}  {report.resample_tokens} tokens")
    c = report.comparison
    print(f"  {c.wins} solved by repair alone, {c.losses} by trying afresh alone: repair is {c.verdict}")
