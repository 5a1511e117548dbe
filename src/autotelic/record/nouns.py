"""Nouns to rows and back. What a person may look for stands in its own column; the rest is JSON or bytes."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autotelic.messages import Earned
from autotelic.record.blobs import Decode, pack_steps, unpack_steps
from autotelic.record.plain import observation_of, plain, shown, text, to_json, untext
from autotelic.types import Cell, Episode, Lineage, Observation, Proposal, Step, Task, Verdict

Row = Sequence[Any]

TABLES: Mapping[str, tuple[str, ...]] = {
    "tasks": (
        "id TEXT NOT NULL",
        "domain TEXT NOT NULL",
        "mode TEXT NOT NULL",
        "level INTEGER NOT NULL",
        "prompt TEXT NOT NULL",
        "secret TEXT NOT NULL",
        "signature TEXT NOT NULL",
        "cluster TEXT NOT NULL",
        "form TEXT NOT NULL",
        "is_repair INTEGER NOT NULL",
        "author TEXT NOT NULL",
        "born INTEGER NOT NULL",
        "shown TEXT NOT NULL",
    ),
    "proposals": (
        "cell TEXT NOT NULL",
        "text TEXT NOT NULL",
        "author TEXT NOT NULL",
        "born INTEGER NOT NULL",
        "shown TEXT NOT NULL",
        "turn TEXT NOT NULL",
        "numbers BLOB NOT NULL",
    ),
    "episodes": (
        "task TEXT NOT NULL",
        "role TEXT NOT NULL",
        "purpose TEXT NOT NULL",
        "answer TEXT NOT NULL",
        "ending TEXT NOT NULL",
        "steps TEXT NOT NULL",
        "numbers BLOB NOT NULL",
    ),
    "verdicts": (
        "episode INTEGER NOT NULL",
        "reward REAL NOT NULL",
        "passed INTEGER",
        "reason TEXT NOT NULL",
        "source TEXT NOT NULL",
        "feedback TEXT NOT NULL",
    ),
    "credits": (
        "role TEXT NOT NULL",
        "ref INTEGER NOT NULL",
        "reward REAL NOT NULL",
        "advantage REAL",
    ),
    "entries": ("n INTEGER NOT NULL", "kinds BLOB NOT NULL", "refs BLOB NOT NULL", "weights BLOB NOT NULL"),
}
"""The tables of nouns and their columns, after `row`, `message` (which brought it) and `generation`."""


# ── tasks and proposals ──────────────────────────────────────────────────────────────────────────────────


def task_row(task: Task) -> tuple[Any, ...]:
    return (
        task.id,
        task.domain,
        task.mode,
        task.level,
        text(task.prompt) if isinstance(task.prompt, str) else "\0\0" + to_json(shown(task.prompt)),
        json.dumps(dict(task.secret), separators=(",", ":"), default=plain),  # nan stays a number
        text(task.signature),
        text(task.cluster),
        text(task.form),
        int(task.is_repair),
        task.lineage.author,
        task.lineage.generation,
        to_json(task.lineage.references),
    )


def prompt_of(stored: str) -> Observation:
    """What a task shows, from the column `prompt`."""
    return observation_of(json.loads(stored[2:])) if stored.startswith("\0\0") else untext(stored)


def task_of(row: Row) -> Task:
    """The task of a row of `tasks`. Raises ValueError where it is not what its id names."""
    id_, domain, mode, level, prompt, secret, signature, cluster, form, repair, author, born, references = row
    lineage = Lineage(author=author, generation=born, references=tuple(json.loads(references)))
    task = Task(
        domain=domain,
        mode=mode,
        level=level,
        prompt=prompt_of(prompt),
        secret=json.loads(secret),
        signature=untext(signature),
        cluster=untext(cluster),
        form=untext(form),
        is_repair=bool(repair),
        lineage=lineage,
    )
    if task.id != id_:
        raise ValueError(f"task {id_} is not what its id names")
    return task


def proposal_row(proposal: Proposal) -> tuple[Any, ...]:
    turns = () if proposal.turn is None else (Step(turn=proposal.turn),)
    lineage = proposal.lineage
    heads, numbers = pack_steps(turns, None, lineage.author)
    references = to_json(lineage.references)
    return (
        str(proposal.cell),
        text(proposal.text),
        lineage.author,
        lineage.generation,
        references,
        heads,
        numbers,
    )


def proposal_of(id_: int, row: Row) -> Proposal:
    cell, written, author, born, references, heads, numbers = row
    steps = unpack_steps(json.loads(heads), numbers, author)
    lineage = Lineage(author=author, generation=born, references=tuple(json.loads(references)))
    turn = steps[0].turn if steps else None
    return Proposal(id=id_, text=untext(written), cell=Cell.parse(cell), lineage=lineage, turn=turn)


# ── episodes and verdicts ────────────────────────────────────────────────────────────────────────────────


def episode_row(episode: Episode, role: str, purpose: str, decode: Decode | None) -> tuple[Any, ...]:
    heads, numbers = pack_steps(episode.steps, decode)
    return episode.task_id, role, purpose, text(episode.answer), episode.ending, heads, numbers


def episode_of(id_: int, row: Row) -> Episode:
    task, _, _, answer, ending, heads, numbers = row
    return Episode(
        id=id_,
        task_id=task,
        steps=unpack_steps(json.loads(heads), numbers),
        answer=untext(answer),
        ending=ending,
    )


def verdict_row(episode: int, verdict: Verdict) -> tuple[Any, ...]:
    passed = None if verdict.passed is None else int(verdict.passed)
    return (
        episode,
        _real(verdict.reward),
        passed,
        text(verdict.reason),
        verdict.source,
        text(verdict.feedback),
    )


def verdict_of(row: Row) -> Verdict:
    _, reward, passed, reason, source, feedback = row
    return Verdict(
        reward=float(reward),
        passed=None if passed is None else bool(passed),
        reason=untext(reason),
        source=source,
        feedback=untext(feedback),
    )


def credit_row(earned: Earned) -> tuple[Any, ...]:
    """`advantage` is a number, or the bytes of one a token (in 64 bits), or NULL."""
    advantage: Any = None if earned.advantage is None else _real(earned.advantage)
    if earned.tokens:
        advantage = np.array(earned.tokens, "<f8").tobytes()
    return earned.role, earned.id, _real(earned.reward), advantage


def credit_of(row: Row) -> Earned:
    role, ref, reward, advantage = row
    if isinstance(advantage, bytes):
        tokens = tuple(np.frombuffer(advantage, "<f8").tolist())
        return Earned(
            role=role, id=ref, reward=float(reward), advantage=sum(tokens) / len(tokens), tokens=tokens
        )
    return Earned(
        role=role, id=ref, reward=float(reward), advantage=None if advantage is None else float(advantage)
    )


def _real(value: float) -> float | str:
    """A number as SQLite holds it; nan by its name, because SQLite would make it NULL."""
    return "NaN" if math.isnan(value) else float(value)
