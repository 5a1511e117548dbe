"""An exam that a champion never trained on: arithmetic and lists of reasoning-gym.

    python -m bench.transfer runs/a              # twelve data sets, 32 questions each
    python -m bench.transfer runs/a --only chain_sum --questions 100 --style natural
    python -m bench.transfer runs/a --start      # the same questions to the weights that the run began with

Questions are of level 1, the easiest of each data set, as they stand; answers are greedy. The start is the control:
what it scores is had without learning. Needs `pip install -e '.[reasoning-gym]'`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import torch

from autotelic.attempt.rollout import Rollout
from autotelic.domains.adapters.reasoning_gym import ReasoningGymDomain
from autotelic.models.context import context_of
from autotelic.models.decode import Decoder
from autotelic.models.tokens import Tokens
from autotelic.statistics.intervals import wilson
from autotelic.streams import stream
from autotelic.types import Cell
from autotelic.weights.load import load

ARITHMETIC = ("basic_arithmetic", "chain_sum", "gcd", "lcm", "leg_counting", "products")
LISTS = (
    "count_primes",
    "largest_island",
    "letter_counting",
    "number_filtering",
    "number_sorting",
    "spell_backward",
)
FAMILIES = {"arithmetic": ARITHMETIC, "lists": LISTS}


def exam(
    folder: Path, names: list[str], questions: int, style: str, longest: int
) -> dict[str, dict[str, Any]]:
    """Right answers by data set, and those whose question does not fit the model."""
    torch.set_num_threads(1)
    loaded = load(folder)
    tokens = Tokens(loaded.tokenizer, chat=style == "natural")
    decoder = Decoder(loaded.model, end_id=tokens.end_id)
    found: dict[str, dict[str, Any]] = {}
    for name in names:
        domain = ReasoningGymDomain(name, levels=(1,), style=style)
        tasks = domain.tasks(stream(0, "transfer", name), [Cell(mode=name, level=1)] * questions)
        policy = Rollout(decoder, tokens, domain, max_tokens=longest, context=context_of(loaded.model))
        groups = policy.attempt(tasks, siblings=1, temperature=0.0, seed=0)
        verdicts = domain.judge([(group.task, group.episodes[0]) for group in groups])
        right = sum(bool(verdict.passed) for verdict in verdicts)
        low, high = wilson(right, len(verdicts))
        found[name] = {
            "questions": len(verdicts),
            "right": right,
            "95 %": [round(low, 4), round(high, 4)],
            "mean reward": sum(verdict.reward for verdict in verdicts) / len(verdicts),
            "too long": sum(not group.episodes[0].steps for group in groups),
        }
    return found


def main() -> None:
    """Print a table and write the raw numbers."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--questions", type=int, default=32)
    parser.add_argument("--style", choices=["compact", "natural"], default="compact")
    parser.add_argument("--longest", type=int, default=24, help="tokens of an answer")
    parser.add_argument("--start", action="store_true")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    names = asked.only or [name for family in FAMILIES.values() for name in family]
    inside = asked.run / ("start" if asked.start else "champion")
    folder = inside if inside.is_dir() else asked.run
    found = exam(folder, names, asked.questions, asked.style, asked.longest)
    for name, row in found.items():
        low, high = row["95 %"]
        span = f"{low:.1%} to {high:.1%}"
        print(
            f"{name:<20} {row['right']:>4} of {row['questions']} right ({span}), {row['too long']} too long"
        )
    if asked.out:
        asked.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
