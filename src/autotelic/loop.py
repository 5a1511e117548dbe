"""One generation, top to bottom.

    propose ──► admit ──► attempt ──► judge ──► appraise ──► credit ──► learn ──► instruct ──► review
       ▲                     │          │                                            │
    curriculum               └─ repair ◄┘                      champion ◄────────────┘

Every arrow is a message. A stage is a function of services, state and messages; `run.do` records what it
returns, and lets the state take it in. `run` starts from a charter, `resume` from a checkpoint; both go round
until the budget is spent. Each stage lives in the folder of its name.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from autotelic.attempt.resample import resample
from autotelic.attempt.stage import attempt, draft, repair, seek
from autotelic.charter import Charter
from autotelic.credit.stage import credit
from autotelic.dashboard.publish import publish
from autotelic.engine.run import Run, Watch
from autotelic.engine.services import Controls
from autotelic.engine.start import begin, take_up
from autotelic.exam.stage import decide, examine, review, settle
from autotelic.judge.audit import audit
from autotelic.judge.stage import appraise, instruct, judge
from autotelic.learn.stage import form, learn
from autotelic.machine import Machine
from autotelic.messages import BudgetExtended, SourceCut
from autotelic.propose.stage import admit, propose

REPAIR_TURNS = 2
"""Times that a failure is read and written again, one after another: more rounds repaired hardly anything."""
Summary = dict[str, Any]


def run(
    charter: Charter,
    folder: Path,
    *,
    machine: Machine | None = None,
    watch: Watch | None = None,
    start_from: Path | None = None,
    source: str | None = None,
    controls: Controls | None = None,
    again: Callable[[Path], None] | None = None,
) -> Summary:
    """Run a charter in a new folder until its budget is spent; returns what `summary.json` says.

    `watch` is called with every message as it is recorded. Ctrl-C ends the run at the last checkpoint, from
    which `resume` goes on. `source` is the charter's TOML as it was given, `start_from` a run or model folder
    to go on from. With `again` a run that is in the folder is moved aside, and `again` is called with where
    it lies then.
    """
    engine = begin(
        charter,
        folder,
        machine=machine or Machine(),
        watch=watch,
        start_from=start_from,
        source=source,
        controls=controls or Controls(),
        again=again,
    )
    with engine:
        return _until_spent(engine)


def resume(
    folder: Path,
    *,
    machine: Machine | None = None,
    watch: Watch | None = None,
    extend: BudgetExtended | None = None,
) -> Summary:
    """Go on with a run that was stopped, as if it never had been.

    Raises RunError for a run that is finished, unless `extend` gives it more: of whatever, since a limit that was
    reached and of which no more is given binds no longer.
    """
    with take_up(folder, machine=machine, watch=watch, extend=extend) as engine:
        return _until_spent(engine)


def _until_spent(engine: Run) -> Summary:
    """Generation after generation; then the last exam, the champion, and the results."""
    with engine.until_stopped():
        if not engine.examined:
            engine.do(partial(examine, when="before"))
        while engine.progress < 1.0:
            engine.begin_generation()
            generation(engine)
        engine.do(settle)
        engine.do(partial(examine, when="after"))
    engine.end()
    return publish(engine.folder)


def generation(engine: Run) -> None:
    """One trip around the loop."""
    proposed = engine.do(propose)
    admitted = engine.do(admit, proposed)
    if isinstance(engine.do(audit), SourceCut):
        engine.do(decide)  # what was learned since the champion may have been the collapse
    judged = [engine.do(judge, engine.do(attempt, admitted))]
    sampled = judged[:]
    for _ in range(engine.services.charter.learn.parts.rounds):
        resampling = engine.do(resample, admitted, sampled)
        if not resampling.tasks:
            break
        sampled.append(engine.do(judge, engine.do(attempt, resampling)))
    for _ in range(REPAIR_TURNS):
        repairing = engine.do(repair, judged[-1])
        if not repairing.tasks:
            break
        judged.append(engine.do(judge, engine.do(attempt, repairing)))
    drafts = engine.do(judge, engine.do(draft, admitted, judged[0]))
    drafted = engine.do(repair, drafts)
    searched = engine.do(judge, engine.do(seek, judged[0]))
    judged += sampled[1:]
    engine.do(appraise, judged)
    credited = engine.do(credit, proposed, admitted, judged)
    engine.do(learn, proposed, admitted, [*judged, searched], drafted, credited, engine.do(form))
    engine.do(instruct, judged)
    engine.do(review)
    engine.end_generation()
    engine.save()
