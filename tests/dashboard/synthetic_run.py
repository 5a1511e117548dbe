"""A made-up event stream, to develop and test views against. No number in it was ever measured."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from autotelic.charter import Charter
from autotelic.record import Event, Record, RunFolder
from autotelic.types import RULES, Attempt, Group, Lineage, Task, Turn, Verdict

MODES = ("deduction", "abduction", "induction")
LEVELS = (1, 2, 3)
CELLS = tuple(f"{mode}/{level}" for mode in MODES for level in LEVELS)
STAGES = {
    "propose": 0.9,
    "admit": 0.4,
    "attempt": 4.1,
    "judge": 0.5,
    "critic": 0.6,
    "pack": 0.1,
    "learn": 4.6,
    "examine": 0.7,
    "record": 0.2,
}
CHARTER = Charter.of(
    {
        "purpose": "A <synthetic> charter: get better at small programs, without data made by people.",
        "seed": 7,
        "budget": {"seconds": 600.0},
    }
)


def score(value: float, n: int = 200) -> dict[str, float]:
    half = 1.96 * float(np.sqrt(max(value * (1 - value), 0.002) / n))
    return {"value": value, "low": max(value - half, 0.0), "high": min(value + half, 1.0), "n": n}


def synthetic_events(generations: int = 40, seed: int = 0, speed: float = 1.0) -> list[Event]:
    """A run of so many generations that begins at chance and learns at `speed`, then stops."""
    told = _tell(generations, np.random.default_rng(seed), speed)
    return [
        Event(id=seq, time=1.7e9 + seq, kind=kind, generation=generation, data=data)
        for seq, (kind, generation, data) in enumerate(told, start=1)
    ]


def synthetic_run(folder: Path, generations: int = 8, seed: int = 0, speed: float = 4.0) -> RunFolder:
    """A run folder as the loop leaves one, with made-up events, tasks, attempts and champion."""
    run = RunFolder.create(folder, CHARTER)
    with Record.open(folder, "a") as record:
        for event in synthetic_events(generations, seed, speed):
            record.emit(event.kind, generation=event.generation, **event.data)
        for number in (generations - 1, generations):
            groups = [_group(mode, level, number) for mode in MODES for level in LEVELS]
            record.tasks([group.task for group in groups], number)
            record.groups(groups, number, decode=lambda ids: "".join(map(chr, ids)))
        record.commit()
    run.champion.mkdir()
    (run.champion / "config.json").write_text("{}")
    (run.champion / "model.safetensors").write_bytes(b"made up")
    return run


def _group(mode: str, level: int, generation: int) -> Group:
    program = "x=sorted(x)\nx=x[::-1]\n<script>"
    task = Task(
        id=f"{mode[:3]}{level}{generation:02}aa",
        domain="python",
        mode=mode,
        level=level,
        prompt=f"{program}\nf([3,1,2])==?",
        secret={"program": program, "pairs": [[[3, 1, 2], [3, 2, 1]]]},
        signature=f"signature of {mode} {level}",
        cluster="ints>ints",
        lineage=Lineage(
            author=RULES if level == 1 else "ab" * 8, generation=generation, references=("ind101",)
        ),
    )
    passed = Verdict(reward=1.0, passed=True, reason="")
    failed = Verdict(reward=0.0, passed=False, reason="wrong output", feedback="f([3,1,2])==[1,2,3]")
    attempts = tuple(_attempt(task, text) for text in ("[3,2,1]", "[1,\x1b[2J2]"))
    return Group(task=task, attempts=attempts, verdicts=(passed, failed))


def _attempt(task: Task, text: str) -> Attempt:
    ids = tuple(map(ord, text))
    prompt = tuple(map(ord, task.prompt))
    turn = Turn(
        prompt_ids=prompt, completion_ids=ids, logprobs=(-0.5,) * len(ids), weights="ab" * 8, stop="eos"
    )
    return Attempt(task_id=task.id, turns=(turn,), answer=text)


def _tell(
    generations: int, rng: np.random.Generator, speed: float
) -> Iterator[tuple[str, int, dict[str, Any]]]:
    yield (
        "run.start",
        0,
        {
            "charter": CHARTER.canonical(),
            "digest": CHARTER.digest,
            "seed": 7,
            "model": "tiny",
            "versions": {"autotelic": "0.1.0", "torch": "2.13.0"},
            "machine": "x86_64, a made-up processor",
            "threads": 2,
            "sandbox_level": "L3",
        },
    )
    yield "exam.sealed", 0, {"digest": "5ea1ed" * 10, "items": [], "dropped_free": 31}
    yield "exam", 0, _exam("sealed", "before", 0.0, 0, 0.0, rng)
    tokens, seconds = 0, 0.0
    for number in range(1, generations + 1):
        progress = 1 - float(np.exp(-2.6 * speed * number / 40))
        bootstrap = number <= 4
        spent = {stage: s * float(rng.uniform(0.9, 1.1)) for stage, s in STAGES.items()}
        tokens, seconds = tokens + 120_000, seconds + sum(spent.values())
        yield "generation", number, _generation(progress, bootstrap, tokens, spent, rng)
        if number == 6:
            own = {"digest": "0f" * 32, "items": [], "admitted": 48, "refused": {"known": 9, "too easy": 20}}
            yield "exam.own", number, own
        if number % 4 == 0:
            yield "exam", number, _exam("sealed", "during", progress, tokens, seconds, rng)
        verdict = "reject" if number % 7 == 3 else "promote"
        reason = "4 items lost, 19 won: not worse" if verdict == "promote" else "11 items lost, 3 won: worse"
        yield "decision", number, {"verdict": verdict, "reasons": [reason], "inputs": {"lost": 4, "won": 19}}
    yield "dropped", generations, {"what": "attempts", "n": 12, "why": "longer than a row"}
    yield "exam", generations, _exam("sealed", "after", progress, tokens, seconds, rng)
    yield "exam", generations, _exam("own", "after", 0.7 * progress, tokens, seconds, rng)
    yield "run.stop", generations, {"reason": "budget"}


def _exam(
    exam: str, when: str, progress: float, tokens: int, seconds: float, rng: np.random.Generator
) -> dict[str, Any]:
    cells = {}
    for place, cell in enumerate(CELLS):
        ease = (0.97, 0.86, 0.62, 0.8, 0.55, 0.4, 0.92, 0.7, 0.44)[place]
        value = float(np.clip(ease * progress ** (1 + 0.5 * int(cell[-1])) + rng.normal(0, 0.015), 0, 1))
        cells[cell] = {"pass_at_1": score(round(value, 3), 64)}
    mean = float(np.mean([c["pass_at_1"]["value"] for c in cells.values()]))
    whole = len(CELLS) * 64
    return {
        "exam": exam,
        "weights": "ab" * 32,
        "when": when,
        "tokens": tokens,
        "seconds": seconds,
        "pass_at_1": score(mean, whole),
        "sampled_at_1": score(0.92 * mean, whole),
        "pass_at_8": score(min(1.0, 1.25 * mean + 0.02), whole),
        "best_of_8": score(min(1.0, 1.08 * mean), whole),
        "cells": cells,
    }


def _generation(
    progress: float, bootstrap: bool, tokens: int, spent: dict[str, float], rng: np.random.Generator
) -> dict[str, Any]:
    asked = 0 if bootstrap else 256
    valid = int(asked * (0.5 + 0.4 * progress))
    novel = int(valid * (0.8 - 0.2 * progress))
    focus = np.array([np.exp(-(((int(c[-1]) - 1 - 2 * progress) / 0.8) ** 2)) + 0.15 for c in CELLS])
    shares = focus / focus.sum()
    return {
        "bootstrap": bootstrap,
        "seconds": sum(spent.values()),
        "stage_seconds": spent,
        "tokens": {"trained": 120_000, "decoded": 180_000},
        "total_tokens": tokens,
        "total_flops": 6e6 * tokens,
        "tokens_per_second": {"train": 26_000 + rng.normal(0, 500), "decode": 44_000 + rng.normal(0, 900)},
        "proposals": {
            "asked": asked,
            "valid": valid,
            "novel": novel,
            "admitted": int(novel * 0.9),
            "reasons": {
                "syntax": (asked - valid) // 2,
                "constant": (asked - valid) // 3,
                "known": valid - novel,
            },
        },
        "actor_task_share": 0.0 if bootstrap else 0.58,
        "groups": {"kept": 90, "dropped_no_variance": 38},
        "cells": {
            c: {"p": float(progress), "share": float(s), "gain": float(s) * 0.1}
            for c, s in zip(CELLS, shares, strict=True)
        },
        "learn": {
            "loss": 2.0 - progress,
            "nll": 1.8 - progress,
            "policy": 0.01,
            "kl": 0.02,
            "clipped": 0.05,
            "entropy": 1.2 - 0.6 * progress,
            "grad_norm": 0.8,
            "skipped": 0,
        },
        "critic": {"ece": 0.12 - 0.08 * progress, "auroc": 0.55 + 0.3 * progress, "brier": 0.2, "n": 512},
        "consensus_agreement": 0.6 + 0.3 * progress,
        "certainty_agreement": 0.5 + 0.2 * progress,
    }
