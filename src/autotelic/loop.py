"""One generation, top to bottom.

    propose ──► admit ──► attempt ──► judge ──► critic ──► learn ──► examine ──► gate ──► record
       ▲                     │          │                                          │
    curriculum               └─ repair ◄┘                     champion ◄───────────┘

`run` starts from a charter, `resume` from a checkpoint; both go round until the budget is spent. The stages
are verbs from the folders of the same names; what they work on is in `engine/run.py`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from autotelic.charter import Charter
from autotelic.dashboard.publish import publish
from autotelic.engine import stages
from autotelic.engine.run import Run, Watch, begin, take_up
from autotelic.errors import RunError
from autotelic.record import RunFolder

Summary = dict[str, Any]


def run(
    charter: Charter,
    folder: Path,
    *,
    watch: Watch | None = None,
    start_from: Path | None = None,
    source: str | None = None,
) -> Summary:
    """Run a charter in a new folder until its budget is spent; returns what `summary.json` says.

    `watch` is called with every event as it happens, and with heartbeats of the stages. Ctrl-C ends the run
    at the last checkpoint, from which `resume` goes on.
    """
    engine = begin(charter, folder, watch, source, start_from)
    with engine, engine.folder.lock():
        stages.examine(engine, when="before")
        engine.save()
        return _until_spent(engine)


def resume(folder: Path, *, watch: Watch | None = None, extend_seconds: float | None = None) -> Summary:
    """Go on with a run that was stopped, as if it never had been.

    Raises RunError for a run that is finished, unless `extend_seconds` gives it more time.
    """
    place = RunFolder.open(folder)
    with place.lock():
        if stages.finished(place) and not extend_seconds:
            raise RunError(
                f"{folder} is finished: its budget is spent",
                f"give it more (`autotelic resume {folder} --seconds 600`) or start a run from it (`--from`)",
            )
        engine = take_up(folder, watch, extend_seconds)
        if engine is None:
            raise RunError(
                f"{folder} was stopped before its first checkpoint, so there is nothing to go on from",
                "start it again (`autotelic run --again`)",
            )
        with engine:
            return _until_spent(engine)


def _until_spent(engine: Run) -> Summary:
    """Generation after generation; then the last exam, and the results."""
    reason = "budget"
    try:
        while engine.progress < 1.0:
            engine.counters.generation += 1
            generation(engine)
        stages.settle(engine)
        stages.examine(engine, when="after")
    except KeyboardInterrupt:
        reason = "interrupted"
        stages.abandon(engine)
    engine.tell("run.stop", reason=reason)
    engine.record.commit()
    stages.crown(engine)
    return publish(engine.folder)


def generation(engine: Run) -> None:
    """One trip around the loop."""
    with engine.stage("propose"):
        proposed = stages.propose(engine)
    with engine.stage("admit"):
        fresh = stages.admit(engine, proposed)
    with engine.stage("attempt"):
        tried = stages.attempt(engine, stages.probes(engine, fresh))
    with engine.stage("judge"):
        judged = stages.judge(engine, tried)
    with engine.stage("attempt"):
        repairs = stages.repair(engine, judged)
    with engine.stage("critic"):
        opinions = stages.criticise(engine, judged + repairs)
    with engine.stage("learn"):
        learned = stages.learn(engine, fresh, judged + repairs, proposed)
    with engine.stage("critic"):
        calibration = stages.instruct(engine, judged + repairs)
    with engine.stage("examine"):
        stages.review(engine)
    with engine.stage("record"):
        stages.report(engine, proposed, fresh, judged + repairs, opinions, learned, calibration)
        engine.save()
