"""How well a champion plays: against engines' players, and how much a best response wins from it.

    python -m bench.games runs/tic-tac-toe tic-tac-toe                          # 200 games a player, both seats
    python -m bench.games runs/kuhn kuhn --out kuhn.json                        # also the exploitability
    python -m bench.games runs/a connect-four --against random mcts:10 --games 400
    python -m bench.games runs/a tic-tac-toe --rival runs/b                     # against the champion of another run

Games begin at their beginning, half of them in either seat. Moves are greedy in games without hidden cards or dice,
and sampled at temperature 1 in the others, where a strategy has to mix. An illegal move loses. Exploitability takes
the probabilities that the model gives to the legal moves, brought to a sum of 1.
"""

from __future__ import annotations

import argparse
import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from autotelic.attempt.rollout import Rollout
from autotelic.domains.games import GamesDomain
from autotelic.domains.games.table import CHAMPION, GAMES
from autotelic.models.context import context_of
from autotelic.models.decode import Decoder
from autotelic.models.tokens import Tokens
from autotelic.statistics.intervals import wilson
from autotelic.streams import stream
from autotelic.types import Cell, Task
from autotelic.weights.load import load

HIDDEN = ("kuhn", "leduc", "liars-dice")
"""Games in which a strategy has to mix."""


class Player:
    """A champion, or another model folder, in the domain that it plays in."""

    def __init__(self, folder: Path, mode: str, rival: Path | None = None) -> None:
        torch.set_num_threads(1)
        self.domain = GamesDomain(levels=(1, 2, 3, 4), modes=(mode,))
        self.mode = mode
        loaded = load(_model_in(folder))
        self.model, self.tokens = loaded.model, Tokens(loaded.tokenizer)
        other = None if rival is None else Decoder(load(_model_in(rival)).model, end_id=self.tokens.end_id)
        self.rollout = Rollout(
            Decoder(self.model, end_id=self.tokens.end_id),
            self.tokens,
            self.domain,
            max_tokens=8,
            context=context_of(self.model),
            champion=other,
        )

    def against(self, opponent: str, games: int, seed: int = 0) -> dict[str, Any]:
        """Results of so many games against a player of the engine, or `champion` for the rival."""
        tasks = self._tasks(opponent, games, seed)
        greedy = self.mode not in HIDDEN
        groups = self.rollout.attempt(tasks, siblings=1, temperature=0.0 if greedy else 1.0, seed=seed)
        verdicts = self.domain.judge([(group.task, group.episodes[0]) for group in groups])
        counts = Counter(verdict.reason for verdict in verdicts)
        low, high = wilson(counts["won"], len(verdicts))
        return {
            "games": len(verdicts),
            **{word: counts[word] for word in ("won", "drawn", "lost", "illegal", "unfinished")},
            "mean": sum(verdict.reward for verdict in verdicts) / len(verdicts),
            "won, 95 %": [low, high],
        }

    def _tasks(self, opponent: str, games: int, seed: int) -> list[Task]:
        """Games from the beginning, either seat in turn."""
        cell = Cell(mode=self.mode, level=2)
        drawn: list[Task] = []
        rng = stream(seed, "bench games", opponent)
        engine = GAMES[self.mode].engine
        asked = [
            {"name": engine, "moves": [], "plies": 0, "seat": at % 2, "seed": int(rng.integers(2**31))}
            for at in range(games)
        ]
        theirs = "random" if opponent == CHAMPION else opponent
        begun = self.domain.engine.begin(asked)
        played = self.domain.engine.advance(
            [row | {"moves": p["moves"], "opponent": theirs} for row, p in zip(asked, begun, strict=True)]
        )
        for row, position in zip(asked, played, strict=True):
            if position["player"] >= 0:
                task = self.domain._task(cell, row | {"opponent": opponent}, position)
                drawn.append(replace(task, id=""))
        return drawn

    def exploitability(self) -> tuple[float, dict[str, dict[str, float]]]:
        """What a best response wins, and the strategy: for each information state the odds of each move."""
        table = self.domain.engine.tables(self.mode)
        strategy = {key: self.odds(row["shown"], list(row["legal"])) for key, row in table.items()}
        policy = {
            key: [(move, strategy[key][word]) for word, move in row["legal"].items()]
            for key, row in table.items()
        }
        return self.domain.engine.exploitability(self.mode, policy), strategy

    @torch.no_grad()
    def odds(self, shown: str, words: Sequence[str]) -> dict[str, float]:
        """The probabilities of these answers, with their end, among one another."""
        (prompt,) = self.tokens.prompts([shown])
        found = []
        for completion in self.tokens.completions(words):
            ids = torch.tensor([[*prompt, *completion]])
            logprob_BTV = self.model(ids).logits.float().log_softmax(-1)
            places = range(len(prompt) - 1, ids.shape[1] - 1)
            found.append(sum(float(logprob_BTV[0, at, ids[0, at + 1]]) for at in places))
        top = max(found)
        weights = [math.exp(value - top) for value in found]
        return {word: weight / sum(weights) for word, weight in zip(words, weights, strict=True)}


def _model_in(folder: Path) -> Path:
    return folder / "champion" if (folder / "champion").is_dir() else folder


def main() -> None:
    """Print a table and write the raw numbers."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("mode", choices=list(GAMES))
    parser.add_argument("--against", nargs="*", default=[])
    parser.add_argument("--rival", type=Path)
    parser.add_argument("--games", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    player = Player(asked.run, asked.mode, asked.rival)
    opponents = asked.against or ["random", *dict.fromkeys(GAMES[asked.mode].strong)]
    found: dict[str, Any] = {}
    for opponent in [*opponents, *([CHAMPION] if asked.rival else [])]:
        found[opponent] = row = player.against(opponent, asked.games, asked.seed)
        counts = ", ".join(
            f"{word} {row[word]}" for word in ("won", "drawn", "lost", "illegal", "unfinished")
        )
        print(f"{asked.mode} against {opponent:<10} {counts}; mean {row['mean']:+.3f}")
    if asked.mode in ("kuhn", "leduc"):
        value, strategy = player.exploitability()
        found["exploitability"] = value
        print(f"{asked.mode}: exploitability {value:.4f}")
        if asked.mode == "kuhn":
            found["strategy"] = strategy
    if asked.out:
        asked.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
