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
from autotelic.engine import attempting, examining, learning, proposing, reporting
from autotelic.engine.run import Run, Watch
from autotelic.engine.starting import begin, take_up
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
        examining.examine(engine, when="before")
        engine.save()
        return _until_spent(engine)


def resume(folder: Path, *, watch: Watch | None = None, extend_seconds: float | None = None) -> Summary:
    """Go on with a run that was stopped, as if it never had been.

    Raises RunError for a run that is finished, unless `extend_seconds` gives it more time.
    """
    place = RunFolder.open(folder)
    with place.lock():
        if reporting.finished(place) and not extend_seconds:
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
        examining.settle(engine)
        examining.examine(engine, when="after")
    except KeyboardInterrupt:
        reason = "interrupted"
        reporting.abandon(engine)
    engine.tell("run.stop", reason=reason)
    engine.record.commit()
    reporting.crown(engine)
    return publish(engine.folder)


def generation(engine: Run) -> None:
    """One trip around the loop."""
    with engine.stage("propose"):
        proposed = proposing.propose(engine)
    with engine.stage("admit"):
        fresh = proposing.admit(engine, proposed)
    with engine.stage("attempt"):
        tried = attempting.attempt(engine, attempting.probes(engine, fresh))
    with engine.stage("judge"):
        judged = attempting.judge(engine, tried)
    with engine.stage("attempt"):
        repairs = attempting.repair(engine, judged)
        broken = attempting.mend(engine, fresh, judged)
    with engine.stage("critic"):
        opinions = attempting.criticise(engine, judged + repairs)
    with engine.stage("learn"):
        learned = learning.learn(engine, fresh, judged + repairs, broken, proposed)
    with engine.stage("critic"):
        calibration = attempting.instruct(engine, judged + repairs)
    with engine.stage("examine"):
        examining.review(engine)
    with engine.stage("record"):
        reporting.report(engine, proposed, fresh, judged + repairs, opinions, learned, calibration)
        engine.save()
