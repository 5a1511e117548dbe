"""A made-up run, as messages of the engine's own classes in the engine's order. No number in it was measured.

    messages = synthetic_messages(12)         in memory, with ids as a journal gives them
    folder = synthetic_run(tmp_path / "x")    in a run folder

It keeps what the engine keeps: an evaluation's `seconds` and `tokens` are what the run had spent by then, a
generation ends after its review, the gate is asked once a review, exams are sat by the champion, and the pool
is not tried again once the own exam is set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from autotelic import messages as m
from autotelic.charter import Charter
from autotelic.record import Journal, RunFolder
from autotelic.types import (
    RULES,
    Calibration,
    Cell,
    CriticReport,
    Decision,
    Entry,
    Episode,
    ExamReport,
    Group,
    LearnReport,
    Lineage,
    Proposal,
    Score,
    Scores,
    Step,
    Task,
    Turn,
    Verdict,
)

MODES = ("deduction", "abduction", "induction")
LEVELS = (1, 2, 3)
CELLS = tuple(Cell(mode=mode, level=level) for mode in MODES for level in LEVELS)
EASE = dict(zip(CELLS, (0.97, 0.86, 0.62, 0.8, 0.55, 0.4, 0.92, 0.7, 0.44), strict=True))
WEIGHTS = "sha256:" + "ab" * 32
STAGES = {
    "propose": 0.9,
    "admit": 0.4,
    "attempt": 4.1,
    "judge": 0.5,
    "repair": 0.1,
    "draft": 0.3,
    "appraise": 0.4,
    "credit": 0.1,
    "learn": 4.6,
    "instruct": 0.6,
    "review": 0.7,
}
"""Seconds of a generation by stage, in the order of the loop."""
BOOTSTRAP = 4
CHARTER = Charter.of(
    {
        "purpose": "A <synthetic> charter: get better at small programs, without data made by people.",
        "seed": 7,
        "domain": {"levels": [1, 3]},
        "budget": {"seconds": 600.0},
        "exam": {"every": 4},
    }
)
Record = Callable[[Any], Any]


def score(value: float, n: int = 200) -> Score:
    """A score with about its 95 % interval."""
    half = 1.96 * float(np.sqrt(max(value * (1 - value), 0.002) / n))
    return Score(value=value, low=max(value - half, 0.0), high=min(value + half, 1.0), n=n)


class Memory:
    """Gives ids and times as a journal does, and keeps the messages."""

    def __init__(self) -> None:
        self.messages: list[m.Message] = []
        self._proposals = self._episodes = 0

    def __call__(self, message: Any) -> Any:
        number = len(self.messages) + 1
        message = replace(message, id=number, time=1.7e9 + number)
        if isinstance(message, m.Proposed):
            message = replace(message, proposals=tuple(self._numbered(p) for p in message.proposals))
        elif isinstance(message, m.Attempted | m.Evaluated):
            message = replace(message, groups=tuple(self._grouped(g) for g in message.groups))
        self.messages.append(message)
        return message

    def _numbered(self, proposal: Proposal) -> Proposal:
        self._proposals += 1
        return replace(proposal, id=self._proposals)

    def _grouped(self, group: Group) -> Group:
        first = self._episodes + 1
        self._episodes += len(group.episodes)
        return replace(
            group, episodes=tuple(replace(e, id=first + at) for at, e in enumerate(group.episodes))
        )


def synthetic_messages(
    generations: int = 40, seed: int = 0, speed: float = 1.0, graded: bool = False
) -> list[m.Message]:
    """A run of so many generations that begins at chance and learns at `speed`, then stops. Where it is
    `graded` the domain knows no success, and rewards are from -10 to 0.
    """
    memory = Memory()
    Made(memory, seed, speed, graded).run(generations)
    return memory.messages


def synthetic_run(
    folder: Path, generations: int = 8, seed: int = 0, speed: float = 4.0, graded: bool = False
) -> RunFolder:
    """A run folder as the loop leaves one, with a made-up journal and champion."""
    run = RunFolder.create(folder, CHARTER)
    with Journal.open(folder, "a") as journal:
        journal.decode = lambda ids: "".join(map(chr, ids))
        Made(journal.append, seed, speed, graded).run(generations)
        journal.mark(generations)
    run.champion.mkdir()
    (run.champion / "config.json").write_text("{}")
    (run.champion / "model.safetensors").write_bytes(b"made up")
    return run


def started(**changes: Any) -> m.RunStarted:
    """The first message of a run."""
    values: dict[str, Any] = {
        "run": "5eed" * 8,
        "version": "0.1.0",
        "commit": "c0ffee" * 6,
        "start": "sha256:" + "57" * 32,
        "charter": CHARTER.canonical(),
        "digest": CHARTER.digest,
        "seed": 7,
        "model": "tiny",
        "parameters": 1_000_000,
        "learned": 1_000_000,
        "chat": False,
        "capabilities": ("proposable", "demonstrating"),
        "scale": (0.0, 1.0),
        "machine": {"threads": 2, "workers": 2, "server": "", "checkpointing": False},
        "versions": {"python": "3.11.7", "torch": "2.13.0"},
        "platform": "x86_64 linux",
        "sandbox": "L3",
        "context": 512,
    }
    return m.RunStarted(**(values | changes))


class Made:
    """The run while it is made up: what it has spent, and how good it is."""

    def __init__(self, record: Record, seed: int, speed: float, graded: bool) -> None:
        self.record = record
        self.rng = np.random.default_rng(seed)
        self.speed = speed
        self.graded = graded
        self.generation = 0
        self.step = 0
        self.tokens = 0
        self.seconds = 0.0
        self.progress = 0.0
        self.champion = WEIGHTS
        self.promoted = 0
        self.frozen = False
        self.items = {exam: tuple(self._task(cell, RULES) for cell in CELLS) for exam in ("sealed", "own")}

    def run(self, generations: int) -> None:
        """From the first message to the last."""
        scale = (-10.0, 0.0) if self.graded else (0.0, 1.0)
        self._put(started(scale=scale))
        self._put(m.Probed(gap=1e-6, allowed=1e-3, tokens=96, weights="ab" * 8))
        self._exam_set("sealed", {"free": 31})
        self._stage("examine", lambda: self._evaluate("sealed", "before"), 1.0)
        self._save()
        for _ in range(generations):
            self.one_generation()
        self._stage("settle", self._settle, 0.2)
        self._stage("examine", self._examine_after, 3.0)
        saved = m.ChampionSaved(weights=self.champion, folder="sha256:" + "cd" * 32)
        self._stage("save_champion", lambda: self._put(saved), 0.1)
        self._put(m.RunStopped(reason="budget"))

    # ── the loop ─────────────────────────────────────────────────────────────────────────────────────────

    def one_generation(self) -> None:
        """One trip around the loop."""
        self.generation += 1
        began, bootstrap = self.seconds, self.generation <= BOOTSTRAP
        self.progress = 1 - float(np.exp(-2.6 * self.speed * self.generation / 40))
        self._put(m.GenerationBegan())
        acts: dict[str, Callable[[], None]] = {
            "propose": lambda: self._propose(bootstrap),
            "admit": self._admit,
            "attempt": self._attempt,
            "judge": self._judge,
            "repair": lambda: self._put(m.Repairing(drafted=False)),
            "appraise": self._appraise,
            "credit": self._credit,
            "learn": lambda: self._learn(bootstrap),
            "instruct": self._instruct,
            "review": self._review,
        }
        for stage, seconds in STAGES.items():
            act = acts.get(stage, lambda: None)
            self._stage(stage, act, seconds * float(self.rng.uniform(0.9, 1.1)))
        shares = self.rng.dirichlet(np.ones(len(CELLS)))
        self._put(
            m.GenerationEnded(
                seconds=self.seconds - began,
                trained=120_000,
                decoded=180_000,
                flops=6e6 * 120_000,
                train_seconds=4.6,
                decode_seconds=4.1,
                total_seconds=self.seconds,
                total_tokens=self.tokens,
                total_flops=6e6 * self.tokens,
                cells={
                    str(cell): m.CellState(p=self.progress, gain=0.1 * share, share=float(share))
                    for cell, share in zip(CELLS, shares, strict=True)
                },
            )
        )
        self._save()

    def _propose(self, bootstrap: bool) -> None:
        author = "ab" * 8
        lineage = Lineage(author=author, generation=self.generation, references=(self.items["own"][0].id,))
        cells = () if bootstrap else (*CELLS, *CELLS)
        turn = _turn("write", "f")
        self.proposed = self._put(
            m.Proposed(
                bootstrap=bootstrap,
                wanted={str(cell): 2 for cell in cells},
                proposals=tuple(
                    Proposal(text=f"f of {cell}", cell=cell, lineage=lineage, turn=turn) for cell in cells
                ),
                tasks=tuple(self._task(cell, RULES) for cell in CELLS),
            )
        )

    def _admit(self) -> None:
        """Of twelve proposals of the actor's, two are no tasks and one is known."""
        reasons = ("syntax", "constant", "known")
        written: list[Task] = []
        outcomes: list[m.Outcome] = []
        for at, proposal in enumerate(self.proposed.proposals):
            if at < len(reasons):
                outcomes.append(m.Outcome(proposal=proposal.id, reason=reasons[at]))
            else:
                task = self._task(proposal.cell, proposal.lineage.author, str(at))
                written.append(task)
                outcomes.append(m.Outcome(proposal=proposal.id, task=task.id))
        tasks = (*written, *self.proposed.tasks)
        self.admitted = self._put(m.Admitted(outcomes=tuple(outcomes), tasks=tasks))

    def _attempt(self) -> None:
        groups = [self._group(task) for task in self.admitted.tasks[:9]]
        self.attempted = self._put(m.Attempted(purpose="attempt", groups=tuple(groups)))

    def _judge(self) -> None:
        groups = tuple(self._judged(group) for group in self.attempted.groups)
        self.judged = self._put(m.Judged(purpose="attempt", groups=groups))

    def _appraise(self) -> None:
        self._put(
            m.Appraised(
                calibration=self._calibration(),
                agreement={"critic": 0.8, "consensus": 0.6 + 0.3 * self.progress, "certainty": float("nan")},
                ranking={"critic": 0.7},
                withheld=0,
                audited=0,
                audit=float("nan"),
            )
        )

    def _credit(self) -> None:
        earned = [
            m.Earned(role="solver", id=episode.id, reward=verdict.reward, advantage=verdict.reward - 0.5)
            for group in self.judged.groups
            for episode, verdict in zip(group.episodes, group.verdicts, strict=True)
        ]
        earned += [
            m.Earned(role="proposer", id=p.id, reward=0.25, advantage=None) for p in self.proposed.proposals
        ]
        self.credited = self._put(m.Credited(kept=90, flat=38, earned=tuple(earned)))

    def _learn(self, bootstrap: bool) -> None:
        by_actor = 0 if bootstrap else 58_000
        self._put(
            m.Lesson(
                shares={"imitation": 0.85, "own": 0.05, "policy": 0.1},
                sequences={"demonstration": 9, "attempt": 9},
                tokens={"demonstration": 90_000, "attempt": 30_000},
                tokens_by_author={RULES: 100_000 - by_actor, "ab" * 8: by_actor},
                cost={str(cell): 40.0 for cell in CELLS},
                replayed=3,
            )
        )
        demonstrated = [Entry(kind="demonstration", ref=t.id, weight=1.0) for t in self.admitted.tasks[:9]]
        moved = [
            Entry(kind="attempt", ref=str(e.id), weight=e.advantage)
            for e in self.credited.earned
            if e.advantage and e.role == "solver"
        ]
        for batch, tokens in ((demonstrated, 90_000), (moved, 30_000)):
            self._put(
                m.Updated(
                    step=self.step,
                    before="sha256:" + f"{self.step:02}" * 32,
                    after="sha256:" + f"{self.step + 1:02}" * 32,
                    rate=1.0,
                    threads=2,
                    report=self._report(tokens),
                    batch=tuple(batch),
                )
            )
            self.step, self.tokens = self.step + 1, self.tokens + tokens

    def _instruct(self) -> None:
        report = CriticReport(loss=0.6, n=18, replayed=9, updates=2, tokens=900, seconds=0.5)
        self._put(m.CriticUpdated(report=report, calibration=self._calibration()))

    def _review(self) -> None:
        if self.generation % CHARTER.exam.every == 0:
            self._decide()
            self._set_own()
            self._evaluate("sealed", "during")

    def _set_own(self) -> None:
        if self.frozen:
            return
        self._evaluate("pool", "during")
        self.frozen = self.generation >= 2 * CHARTER.exam.every
        if self.frozen:
            self._exam_set("own", {"known": 9, "too easy": 20})

    def _settle(self) -> None:
        if self.generation % CHARTER.exam.every:
            self._decide()

    def _examine_after(self) -> None:
        self._evaluate("sealed", "after")
        if self.frozen:
            self._evaluate("own", "after")

    def _decide(self) -> None:
        """At every third decision the weights train on."""
        rejects = self.generation % 12 == 0
        reason = "the gain is +1.0 points" if rejects else "the gain is +19.0 points"
        decision = Decision(
            verdict="train on" if rejects else "promote",
            reasons=(reason,),
            certificate=-1 if rejects else self.generation,
        )
        weights = f"sha256:{self.generation:064x}"
        self._put(m.Decided(weights=weights, champion=self.champion, decision=decision))
        if not rejects:
            self.champion, self.promoted = weights, self.generation

    # ── its parts ────────────────────────────────────────────────────────────────────────────────────────

    def _put(self, message: Any) -> Any:
        stage = getattr(self, "stage", "")
        span = f"{self.generation}/{stage}" if stage else ""
        return self.record(replace(message, generation=self.generation, span=span))

    def _stage(self, stage: str, act: Callable[[], Any], seconds: float) -> None:
        self.stage = stage
        self._put(m.StageBegan(stage=stage))
        self.seconds += seconds
        act()
        self._put(m.StageEnded(stage=stage, seconds=seconds))
        self.stage = ""

    def _save(self) -> None:
        self.stage = "save"
        working = f"sha256:{self.generation:064x}" if self.generation else WEIGHTS
        # One that holds a promotion is kept, and so is the first.
        self._put(m.Checkpointed(weights=working, pinned=self.promoted == self.generation))
        self.stage = ""

    def _exam_set(self, exam: str, refused: dict[str, int]) -> None:
        digest = "sha256:" + {"sealed": "5e", "own": "0f"}[exam] * 32
        items = self.items[exam]
        self._put(m.ExamSet(exam=exam, digest=digest, refused=refused, missing={}, items=items))

    def _evaluate(self, exam: str, when: m.When) -> None:
        cells = {str(cell): Scores(pass_at_1=score(value, 64)) for cell, value in self._values()}
        mean = float(np.mean([scores.pass_at_1.value for scores in cells.values()]))
        sampled = when != "during"
        overall = Scores(
            pass_at_1=score(mean, 64 * len(CELLS)),
            sampled_at_1=score(0.92 * mean) if sampled else None,
            pass_at_8=score(min(1.0, 1.25 * mean + 0.02)) if sampled else None,
            best_of_8=score(min(1.0, 1.08 * mean)) if sampled else None,
        )
        items = self.items["sealed" if exam == "sealed" else "own"]
        outcomes = {item.id: 0.5 if self.graded else 1.0 for item in items}
        digest = "sha256:" + {"sealed": "5e"}.get(exam, "0f") * 32
        self._put(
            m.Evaluated(
                when=when,
                tokens=self.tokens,
                seconds=self.seconds,
                took=0.0 if exam == "pool" else 0.7,
                report=ExamReport(
                    exam=exam,
                    digest=digest,
                    weights=self.champion,
                    overall=overall,
                    cells=cells,
                    outcomes=outcomes,
                ),
                groups=tuple(self._judged(self._group(item)) for item in items[:1]),
            )
        )

    def _values(self) -> Iterator[tuple[Cell, float]]:
        for cell in CELLS:
            value = EASE[cell] * self.progress ** (1 + 0.5 * cell.level) + self.rng.normal(0, 0.015)
            yield cell, round(float(np.clip(value, 0, 1)), 3)

    def _report(self, tokens: int) -> LearnReport:
        return LearnReport(
            loss=2.0 - self.progress,
            nll=1.8 - self.progress,
            policy=0.01,
            kl=0.02,
            clipped=0.05,
            entropy=1.2 - 0.6 * self.progress,
            grad_norm=0.8,
            tokens=tokens,
            seconds=2.3,
        )

    def _calibration(self) -> Calibration:
        return Calibration(
            n=512,
            ece=0.12 - 0.08 * self.progress,
            auroc=0.55 + 0.3 * self.progress,
            siblings=0.6,
            brier=0.2,
            trusted=False,
        )

    def _task(self, cell: Cell, author: str, name: str = "") -> Task:
        """A task that a browser and a terminal must not obey."""
        program = f"x=sorted(x)\nx=x[::-1]\n<script>{name}"
        return Task(
            domain="python",
            mode=cell.mode,
            level=cell.level,
            prompt=f"{program}\nf([3,1,2])==?",
            secret={"program": program, "pairs": [[[3, 1, 2], [3, 2, 1]]]},
            signature=f"signature of {cell} {name}",
            cluster="ints>ints",
            lineage=Lineage(author=author, generation=self.generation if author != RULES else 0),
        )

    def _group(self, task: Task) -> Group:
        texts = ("[3,2,1]", "[1,\x1b[2J2]")
        return Group(
            task=task,
            episodes=tuple(
                Episode(task_id=task.id, steps=(Step(turn=_turn(str(task.prompt), text)),), answer=text)
                for text in texts
            ),
        )

    def _judged(self, group: Group) -> Group:
        known = not self.graded
        good = Verdict(reward=1.0 if known else -2.0, passed=True if known else None, reason="right")
        bad = Verdict(
            reward=0.0 if known else -9.0,
            passed=False if known else None,
            reason="wrong output",
            feedback="f([3,1,2])==[1,2,3]",
        )
        return replace(group, verdicts=(good, bad))


def _turn(prompt: str, text: str) -> Turn:
    ids = tuple(map(ord, text))
    return Turn(
        prompt_ids=tuple(map(ord, prompt)),
        completion_ids=ids,
        logprobs=(-0.5,) * len(ids),
        weights="ab" * 8,
        stop="eos",
    )
