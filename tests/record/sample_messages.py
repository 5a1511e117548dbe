"""One message of every class, with every kind of noun in it, and what makes two of them the same."""

from __future__ import annotations

import math
from dataclasses import fields, is_dataclass
from typing import Any

from autotelic import messages as m
from autotelic.record import Rows
from autotelic.types import (
    Calibration,
    Cell,
    CriticReport,
    Decision,
    Entry,
    Episode,
    ExamReport,
    Group,
    Ids,
    Image,
    LearnReport,
    Lineage,
    Proposal,
    Score,
    Scores,
    Step,
    Task,
    Text,
    Turn,
    Verdict,
)

TASK = Task(
    domain="d",
    mode="induction",
    level=2,
    prompt="f(1)==2\n",
    secret={"pairs": [[1, "\ud800"]], "value": math.inf},
    cluster="ints>int \ud800",
    form="ints>int",
    lineage=Lineage(author="sha256:aa", generation=3, references=("x", "y")),
)
SEEN = Task(
    domain="d",
    mode="see",
    level=1,
    prompt=(Text(text="what is "), Image(digest="sha256:bb"), Ids(ids=(1, 2))),
    secret={},
    is_repair=True,
)
FORM = Task(domain="d", mode="see", level=1, prompt="f(2)", secret={"form": "of another"})
FIRST = Turn(
    prompt_ids=(1, 2), completion_ids=(3, 4), logprobs=(-0.5, -1.25), weights="sha256:cc", stop="eos"
)
NEXT = Turn(
    prompt_ids=(1, 2, 3, 4, 9), completion_ids=(5,), logprobs=(-0.1,), weights="sha256:cc", stop="length"
)
EPISODES = (
    Episode(task_id=TASK.id, steps=(Step(turn=FIRST),), answer="a\ud800"),
    Episode(
        task_id=TASK.id,
        steps=(Step(turn=FIRST, reply="warmer", reward=0.25), Step(turn=NEXT)),
        answer="\0b",
        ending="failed",
    ),
    Episode(task_id=TASK.id, steps=(), answer="", ending="length"),
)
VERDICTS = (
    Verdict(reward=1.0, passed=True, reason="right", feedback="\ud800"),
    Verdict(reward=-3.5, passed=None, reason="held", source="critic"),
    Verdict(reward=0.0, passed=False, reason="wrong"),
)
PROPOSAL = Proposal(
    text="f(x)", cell=Cell(mode="induction", level=2), lineage=Lineage(author="sha256:aa"), turn=FIRST
)
SCORE = Score(value=0.5, low=0.25, high=0.75, n=8)
REPORT = ExamReport(
    exam="sealed",
    digest="sha256:dd",
    weights="sha256:cc",
    overall=Scores(pass_at_1=SCORE),
    cells={"induction/2": Scores(pass_at_1=SCORE, pass_at_8=SCORE)},
    outcomes={TASK.id: 1.0},
)
CALIBRATION = Calibration(n=0, ece=math.nan, auroc=math.nan, siblings=0.5, brier=0.25, trusted=False)
LEARNED = LearnReport(
    loss=1.5,
    nll=1.0,
    policy=-0.5,
    kl=math.inf,
    clipped=0.0,
    entropy=2.0,
    grad_norm=1.0,
    tokens=10,
    seconds=0.1,
    skipped="",
)
ENTRIES = (
    Entry(kind="demonstration", ref=TASK.id, weight=1.0),
    Entry(kind="practice", ref=TASK.id, weight=1.0, shown=(SEEN.id, TASK.id)),
    Entry(kind="own", ref="1", weight=0.5),
    Entry(kind="attempt", ref="2", weight=-1.25),
    Entry(kind="proposal", ref="1", weight=0.75),
    Entry(kind="form", ref=FORM.id, weight=0.25),
)


def judged(episodes: tuple[Episode, ...] = EPISODES) -> tuple[Group, ...]:
    return (Group(task=TASK, episodes=episodes, verdicts=VERDICTS),)


MESSAGES: tuple[m.Message, ...] = (
    m.RunStarted(
        run="r",
        version="0.2.0",
        commit="abc",
        start="sha256:ee",
        charter={"seed": 1, "model": {"tiny": {"width": 8}}},
        digest="sha256:ff",
        seed=1,
        model="tiny",
        parameters=10,
        learned=10,
        chat=False,
        capabilities=("proposable",),
        scale=(-1.0, 1.0),
        machine={"threads": 2},
        versions={"torch": "2"},
        platform="x86_64 linux",
        sandbox="L3",
        context=512,
        controls={"shuffle": 1.0},
        parent=m.Parent(run="p", weights="sha256:ee", seals=True),
    ),
    m.RunResumed(from_generation=2, first=5, last=4, superseded={"messages": 0}),
    m.BudgetExtended(seconds=60.0),
    m.RunStopped(reason="budget"),
    m.GenerationBegan(generation=3),
    m.StageBegan(stage="learn"),
    m.StageEnded(stage="learn", seconds=1.5),
    m.Dropped(what="task", n=2, why="too long"),
    m.Probed(gap=1e-6, allowed=1e-4, tokens=3, weights="sha256:cc"),
    m.Proposed(bootstrap=False, wanted={"induction/2": 3}, proposals=(PROPOSAL,), tasks=(TASK, SEEN)),
    m.Admitted(
        outcomes=(m.Outcome(proposal=1, task=TASK.id), m.Outcome(proposal=2, reason="known")),
        sealed=("s",),
        tasks=(TASK,),
        set_aside=(SEEN,),
    ),
    m.Attempted(purpose="attempt", groups=(Group(task=TASK, episodes=EPISODES),)),
    m.Judged(purpose="attempt", groups=judged()),
    m.Archived(
        tried=(
            m.Tried(
                family="weibull",
                cell="ns",
                answer="-gap",
                task=TASK.id,
                author="sha256:aa",
                rewards=(0.5, -1.0),
            ),
        )
    ),
    m.Repairing(drafted=True, tasks=(SEEN,)),
    m.Resampling(round=1, tasks=(TASK,)),
    m.Appraised(
        calibration=CALIBRATION,
        agreement={"consensus": math.nan},
        ranking={"consensus": 0.5},
        withheld=0,
        audited=0,
        audit=math.nan,
    ),
    m.Audited(
        step=3,
        siblings=2,
        success=(1.0, 0.0),
        entropy=(0.5, 0.25),
        length=(4, 5),
        distinct=(2,),
        said={"certainty": (0.6, 0.8)},
        groups=judged(),
    ),
    m.SourceCut(source="certainty", step=3, test="success", evidence=90.0, needed=80.0, why="fell"),
    m.Credited(
        kept=1,
        flat=0,
        earned=(
            m.Earned(role="solver", id=1, reward=1.0, advantage=1 / 3),
            m.Earned(role="proposer", id=1, reward=-1.0, advantage=None),
            m.Earned(role="solver", id=2, reward=0.0, advantage=0.2, tokens=(0.1, 0.3)),
        ),
    ),
    m.Formed(tasks=(FORM,), elites=1),
    m.Lesson(
        shares={"own": 1.0},
        sequences={"own": 1},
        tokens={"own": 4},
        tokens_by_author={"rules": 4},
        cost={"a/1": 4.0},
        replayed=0,
    ),
    m.Updated(step=0, before="a", after="b", rate=0.5, threads=1, report=LEARNED, batch=ENTRIES),
    m.CriticUpdated(
        report=CriticReport(loss=math.nan, n=0, replayed=0, updates=0, tokens=0, seconds=0.0),
        calibration=CALIBRATION,
    ),
    m.ExamSet(exam="sealed", digest="sha256:dd", refused={"free": 1}, missing={}, items=(TASK, SEEN)),
    m.Evaluated(when="before", tokens=0, seconds=1.0, took=0.5, report=REPORT, groups=judged()),
    m.Decided(
        weights="sha256:1",
        champion="sha256:2",
        optimiser="sha256:3",
        decision=Decision(verdict="promote", reasons=("won",), certificate=0),
    ),
    m.Leased(epoch=1, parent="sha256:2", blob="sha256:4", certificate=-1, level=0, grade="A"),
    m.Measured(kl=0.5, entropy=1.5, length=0.25, validity=0.75, armed=("kl", "validity")),
    m.Opened(items=("aa/3.0", "bb/3.1"), sources=("critic",), fresh=1),
    m.Looked(said=(0.5, 1.0), truth=(0.0, 1.0)),
    m.Alarmed(trigger="early drift", level=2, reason="early evidence of drift reached 20000"),
    m.ChampionSaved(weights="sha256:1", folder="sha256:4"),
    m.GenerationEnded(
        seconds=1.0,
        trained=1,
        decoded=2,
        flops=3.0,
        train_seconds=0.5,
        decode_seconds=0.25,
        total_seconds=4.0,
        total_tokens=5,
        total_flops=6.0,
        cells={"induction/2": m.CellState(p=0.5, gain=0.25, share=1.0)},
    ),
    m.Checkpointed(weights="sha256:1", pinned=True),
)


def same(one: Any, other: Any) -> bool:
    """Equal, with nan equal to itself, and but for the ids that the journal gives."""
    if isinstance(one, float) and isinstance(other, float):
        return one == other or (math.isnan(one) and math.isnan(other))
    if is_dataclass(one):
        left_out = {"id", "time"} if isinstance(one, m.Message | Episode | Proposal) else set()
        return type(one) is type(other) and all(
            same(getattr(one, f.name), getattr(other, f.name)) for f in fields(one) if f.name not in left_out
        )
    if isinstance(one, dict) or hasattr(one, "items"):
        return set(one) == set(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple | Rows):
        left, right = list(one), list(other)
        return len(left) == len(right) and all(map(same, left, right))
    return bool(one == other)
