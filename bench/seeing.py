"""How soon `tiny-vision` sees, by how pixels become numbers: the same supervised lessons under each scaling.

    python -m bench.seeing --tokens 200000 --out docs/results/scenes/seeing.json

`siglip` has black at -1 and position embeddings of SigLIP's own size, `black` has black at 0, and `placed` is what
`tiny-vision` has: black at 0 and position embeddings eight times as large. The lessons are demonstrations of
`describe`, `answer` and `draw` at levels 1 and 2, without a loop around. Learning rates are those of a run, with its
cooldown. One thread; seconds are of the processor.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from autotelic.attempt.rollout import Rollout
from autotelic.charter import Charter
from autotelic.domains.scenes import ScenesDomain
from autotelic.engine.services import WARMUP
from autotelic.learn.learner import PolicyLearner, predicted_logprobs, predicted_places, warmup_then_cooldown
from autotelic.learn.losses import Clip
from autotelic.learn.pack import Trace, imitate, pack, split
from autotelic.models.decode import Decoder
from autotelic.models.eyes import eyes_of
from autotelic.models.tokens import Tokens
from autotelic.models.vision import PLACED, WIDTH
from autotelic.streams import stream
from autotelic.types import Cell, Task
from autotelic.weights.begin import begin_model

SCALINGS = {"siglip": (0.5, WIDTH**-0.5), "black": (0.0, WIDTH**-0.5), "placed": (0.0, PLACED)}
"""The mean that is taken from pixels, and the deviation of the first position embeddings."""
CELLS = tuple(Cell(mode=mode, level=level) for level in (1, 2) for mode in ("describe", "answer", "draw"))
LESSON = 1024
"""Tasks that are drawn at once."""
ITEMS = 48
"""Of each cell, to be answered and to take the likelihood of."""
CONTEXT = 160


class School:
    """A model from random weights, and what it learns from."""

    def __init__(self, scaling: str, seed: int) -> None:
        mean, placed = SCALINGS[scaling]
        self.domain = ScenesDomain(levels=(1, 2), modes=("describe", "answer", "draw"))
        charter = Charter.of({"model": {"name": "tiny-vision", "tiny": {"context": CONTEXT}}})
        corpus = self.domain.corpus(stream(seed, "corpus"), 2000)
        model, tokenizer = begin_model(charter.model, corpus, self.domain.special, seed)
        eyes = eyes_of(model)
        assert eyes is not None
        eyes.gallery = self.domain.pictures
        eyes.lens = replace(eyes.lens, mean=(mean,) * 3)
        whole: Any = model
        with torch.no_grad():
            whole.model.vision_tower.embeddings.position_embedding.weight.mul_(placed / PLACED)
        self.model, self.tokens = model, Tokens(tokenizer, eyes=eyes)
        learn = charter.learn
        self.learner = PolicyLearner(model, lr_matrix=learn.lr_matrix, lr_other=learn.lr_other, clip=Clip())
        self.rate = warmup_then_cooldown(WARMUP, learn.cooldown)
        self.batch = learn.batch_tokens

    def traces(self, tasks: Sequence[Task]) -> list[Trace]:
        """Each task with its demonstration."""
        shown = self.domain.demonstrate(tasks)
        texts = [each.completion for each in shown if each is not None]
        prompts = self.tokens.prompts([task.prompt for task in tasks])
        return [imitate(*pair) for pair in zip(prompts, self.tokens.completions(texts), strict=True)]

    def teach(self, tokens: int, seed: int) -> tuple[int, float]:
        """Learn so many tokens; updates and processor seconds."""
        began, rng = time.process_time(), stream(seed, "order")
        done = updates = lesson = 0
        while done < tokens:
            cells = [CELLS[at % len(CELLS)] for at in range(LESSON)]
            tasks = self.domain.tasks(stream(seed, "lesson", lesson), cells)
            lesson += 1
            for batch in split(self.traces(tasks), self.batch, rng):
                self.learner.step(pack(batch), self.rate(updates, done / tokens))
                updates, done = updates + 1, done + sum(map(len, batch))
                if done >= tokens:
                    break
        return updates, time.process_time() - began

    @torch.no_grad()
    def examined(self, seed: int) -> dict[str, dict[str, float]]:
        """By cell: the share of new items that is right, and nats a demonstration."""
        policy = Rollout(
            Decoder(self.model, end_id=self.tokens.end_id),
            self.tokens,
            self.domain,
            max_tokens=36,
            context=CONTEXT,
        )
        found = {}
        for cell in CELLS:
            tasks = self.domain.tasks(stream(seed, "examined", str(cell)), [cell] * ITEMS)
            groups = policy.attempt(tasks, siblings=1, temperature=0.0, seed=seed)
            verdicts = self.domain.judge([(group.task, group.episodes[0]) for group in groups])
            batch = pack(self.traces(tasks))
            logprob_S, _ = predicted_logprobs(self.model, batch, predicted_places(batch))
            found[str(cell)] = {
                "right": float(np.mean([bool(verdict.passed) for verdict in verdicts])),
                "nats": -float(logprob_S.sum()) / len(tasks),
            }
        return found


def main() -> None:
    """Print a line a scaling and write the raw numbers."""
    reader = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    reader.add_argument("--tokens", type=int, default=200_000)
    reader.add_argument("--scalings", nargs="*", choices=list(SCALINGS), default=list(SCALINGS))
    reader.add_argument("--seed", type=int, default=0)
    reader.add_argument("--out", type=Path)
    asked = reader.parse_args()
    torch.set_num_threads(1)
    found: dict[str, Any] = {"tokens": asked.tokens, "seed": asked.seed, "items a cell": ITEMS}
    for scaling in asked.scalings:
        school = School(scaling, asked.seed)
        updates, seconds = school.teach(asked.tokens, asked.seed)
        cells = school.examined(asked.seed)
        found[scaling] = {"updates": updates, "processor seconds": round(seconds, 1), "cells": cells}
        shown = ", ".join(
            f"{cell} {100 * row['right']:.0f} % ({row['nats']:.2f})" for cell, row in cells.items()
        )
        print(f"{scaling:<7} {updates} updates, {seconds:.0f} s: {shown}", flush=True)
        if asked.out:
            asked.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
