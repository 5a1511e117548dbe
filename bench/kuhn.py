"""Kuhn poker by self-play without a model: a strategy as a table, stepped as a run steps its weights.

    python -m bench.kuhn --out docs/results/games/kuhn-tables.json

It shows what settings come to in seconds: whether openings of random moves say nothing of hidden cards (`random`) or
what the strategy's own moves would (`dealt`), the share of random legal moves in the gradient (`form`), and the rate.
A table of 12 logits takes policy-gradient steps of Adam with clipped ratios and the noise of 1,024 games a
generation. Exploitability is exact, of the last strategy and of the mean strategy over the last three quarters. Even
odds have 0.458.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from itertools import permutations, product
from pathlib import Path
from typing import Any

import numpy as np

HISTORIES = ("", "p", "b", "pb")
"""Moves before a decision: p is a pass or a fold, b a bet or a call."""
SEAT = {"": 0, "p": 1, "b": 1, "pb": 0}
DEALS = tuple(permutations(range(3), 2))
VISITS = {"": 0.25 / 3, "p": 0.33 / 3, "b": 0.33 / 3, "pb": 0.15 / 3}
"""How often a game decides in a state, by its history: about as in a run."""
GENERATIONS, GAMES, UPDATES, COOLDOWN = 200, 1024, 8, 0.9
MOST_RATIO, DEVIATION = 1.28, 0.5
"""Where the ratio is clipped, and the deviation of returns that advantages are divided by."""
OPENED = 0.75
"""Share of games that begin with random moves."""
Table = np.ndarray[Any, np.dtype[np.float64]]
"""Of each state, the probability of b, or a number about it. [12]"""


def at(card: int, history: str) -> int:
    """The place of a state in a table."""
    return card * len(HISTORIES) + HISTORIES.index(history)


def value(first: Table, second: Table, deal: tuple[int, ...], history: str = "") -> float:
    """What seat 0 wins on average from here on, in antes."""
    sign = 1.0 if deal[0] > deal[1] else -1.0
    ends = {"pp": sign, "bp": 1.0, "pbp": -1.0, "bb": 2 * sign, "pbb": 2 * sign}
    if history in ends:
        return ends[history]
    seat = SEAT[history]
    odds = (first, second)[seat][at(deal[seat], history)]
    passed, bet = (value(first, second, deal, history + move) for move in "pb")
    return float((1 - odds) * passed + odds * bet)


def exploitability(odds: Table) -> float:
    """What a best response wins a game, on average over the seats."""
    total = 0.0
    for seat in (0, 1):
        own = [at(card, history) for card in range(3) for history in HISTORIES if SEAT[history] == seat]
        best = -np.inf
        for moves in product((0.0, 1.0), repeat=len(own)):
            reply = odds.copy()
            reply[own] = moves
            pair = (reply, odds) if seat == 0 else (odds, reply)
            mean = float(np.mean([value(*pair, deal) for deal in DEALS]))
            best = max(best, mean if seat == 0 else -mean)
        total += best
    return total / 2


def gains(odds: Table, openings: str) -> Table:
    """What b wins above p in each state, in shares of the most that can be won, by what openings say of cards."""
    random = OPENED if openings == "random" else 0.0
    gain, weight = np.zeros(12), np.zeros(12)
    for deal, history in product(DEALS, HISTORIES):
        seat = SEAT[history]
        reach = 1.0
        for turn, move in enumerate(history):
            before = history[:turn]
            if SEAT[before] != seat:
                bet = odds[at(deal[1 - seat], before)]
                reach *= bet if move == "b" else 1 - bet
        if history:
            reach = random / 2 + (1 - random) * reach
        sign = 1 if seat == 0 else -1
        passed, bet = (value(odds, odds, deal, history + move) for move in "pb")
        place = at(deal[seat], history)
        gain[place] += reach * sign * (bet - passed)
        weight[place] += reach
    return gain / np.maximum(weight, 1e-9) / 2


def played(openings: str, form: float, rate: float, seed: int) -> Iterator[Table]:
    """The strategy after each generation."""
    rng = np.random.default_rng(seed)
    logits, mean, square, steps = rng.normal(0, 0.1, 12), np.zeros(12), np.zeros(12), 0
    visits = np.array([VISITS[history] for _ in range(3) for history in HISTORIES])
    for generation in range(GENERATIONS):
        left = min(1.0, (1 - generation / GENERATIONS) / COOLDOWN)
        sampled = 1 / (1 + np.exp(-logits))
        gain = gains(sampled, openings) / DEVIATION
        noise = rng.normal(0, 1, 12) * np.sqrt(visits * sampled * (1 - sampled) / GAMES)
        for _ in range(UPDATES):
            odds = 1 / (1 + np.exp(-logits))
            ascent = visits * odds * (1 - odds) * gain + noise
            ratio = np.where(ascent > 0, odds / sampled, (1 - odds) / (1 - sampled))
            ascent = np.where(ratio > MOST_RATIO, 0.0, ascent) - form * visits * (odds - 0.5)
            steps += 1
            mean, square = 0.8 * mean + 0.2 * ascent, 0.95 * square + 0.05 * ascent**2
            scaled = np.sqrt(square / (1 - 0.95**steps)) + 1e-8
            logits = logits + rate * left / UPDATES * mean / (1 - 0.8**steps) / scaled
        logits = logits.clip(-6, 6)
        yield 1 / (1 + np.exp(-logits))


def main() -> None:
    """Print a line a setting and write the raw numbers."""
    reader = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    reader.add_argument("--seeds", type=int, default=3)
    reader.add_argument("--out", type=Path)
    asked = reader.parse_args()
    rows = []
    for openings, form, rate in product(("random", "dealt"), (0.0, 0.02, 0.05, 0.1), (0.05, 0.15)):
        last, average = [], []
        for seed in range(asked.seeds):
            strategies = list(played(openings, form, rate, seed))
            last.append(round(exploitability(strategies[-1]), 4))
            average.append(round(exploitability(np.mean(strategies[GENERATIONS // 4 :], axis=0)), 4))
        row = {"openings": openings, "form": form, "rate": rate, "last": last, "average": average}
        rows.append(row)
        print(row, flush=True)
        if asked.out:
            asked.out.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
