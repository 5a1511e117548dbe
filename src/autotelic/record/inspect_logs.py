"""Exams as logs of Inspect AI, which is imported here alone: one file an evaluation, one sample an item.

`inspect view --log-dir FOLDER` shows them. What an item's secret is stays in the journal.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from autotelic.errors import RecordError
from autotelic.messages import Evaluated, RunStarted
from autotelic.record.journal import Journal
from autotelic.types import Episode, Task, Verdict, text_of


def export_exams(journal: Journal, folder: Path) -> list[Path]:
    """Write each evaluation to `folder/NUMBER-EXAM-WHEN.eval`, NUMBER being its message; returns the files.

    Raises RecordError where inspect-ai is missing, or where the run has no evaluation.
    """
    try:
        from inspect_ai.log import write_eval_log
    except ImportError:
        raise RecordError(
            "logs for Inspect AI need inspect-ai, which is not installed", "`pip install inspect-ai`"
        ) from None
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    started = journal.latest(RunStarted)
    for message in journal.each_message(kinds=(Evaluated.kind,)):
        if isinstance(message, Evaluated):
            files.append(folder / f"{message.id:08}-{message.report.exam}-{message.when}.eval")
            write_eval_log(log_of(message, started), str(files[-1]), format="eval")
    if not files:
        raise RecordError(f"{journal.path.parent} has no exam yet", "let the run go on until it has one")
    return files


def log_of(message: Evaluated, started: RunStarted | None) -> Any:
    """One evaluation as an `EvalLog`. Each sample's score is the verdict on its greedy answer."""
    from inspect_ai.log import (
        EvalConfig,
        EvalDataset,
        EvalLog,
        EvalMetric,
        EvalResults,
        EvalScore,
        EvalSpec,
        EvalStats,
    )

    report = message.report
    when = datetime.fromtimestamp(message.time, tz=UTC).isoformat()
    model = "autotelic/" + (started.model if started is not None else "unknown").replace("/", "-")
    samples = list(_samples(message, model))
    overall = report.overall
    metrics = {
        name: EvalMetric(name=name, value=score.value)
        for name in ("pass_at_1", "sampled_at_1", "pass_at_8", "best_of_8")
        if (score := getattr(overall, name)) is not None
    }
    return EvalLog(
        status="success",
        eval=EvalSpec(
            created=when,
            task=f"{report.exam} exam, {message.when}",
            dataset=EvalDataset(
                name=report.exam, samples=len(samples), sample_ids=[sample.id for sample in samples]
            ),
            model=model,
            config=EvalConfig(),
            metadata={
                "exam_digest": report.digest,
                "weights": report.weights,
                "generation": message.generation,
                "tokens": message.tokens,
                "run": "" if started is None else started.run,
                "charter": "" if started is None else started.digest,
            },
        ),
        results=EvalResults(
            total_samples=len(samples),
            completed_samples=len(samples),
            scores=[EvalScore(name="verdict", scorer="verdict", metrics=metrics)],
        ),
        stats=EvalStats(started_at=when, completed_at=when),
        samples=samples,
    )


def _samples(message: Evaluated, model: str) -> Iterator[Any]:
    from inspect_ai.log import EvalSample
    from inspect_ai.model import ChatMessageAssistant, ChatMessageUser, ModelOutput
    from inspect_ai.scorer import Score

    for group in message.groups:
        if not group.episodes:
            continue
        task, episode = group.task, group.episodes[0]
        verdict = group.verdicts[0] if group.verdicts else None
        asked = text_of(task.prompt)
        answer = episode.answer
        yield EvalSample(
            id=task.id,
            epoch=1,
            input=asked,
            target="",
            messages=[ChatMessageUser(content=asked), ChatMessageAssistant(content=answer)],
            output=ModelOutput.from_content(model=model, content=answer),
            scores={} if verdict is None else {"verdict": _score(Score, task, episode, verdict)},
            metadata={"mode": task.mode, "level": task.level, "author": task.lineage.author},
        )


def _score(kind: Any, task: Task, episode: Episode, verdict: Verdict) -> Any:
    value = verdict.reward if verdict.passed is None else ("C" if verdict.passed else "I")
    return kind(
        value=value,
        answer=episode.answer,
        explanation=" ".join([verdict.reason, verdict.feedback]).strip(),
        metadata={"cell": str(task.cell), "reward": verdict.reward},
    )
