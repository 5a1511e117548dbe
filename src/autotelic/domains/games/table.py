"""The games: what OpenSpiel calls each, how long its openings are, and who plays against the actor at each level."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SELF, CHAMPION = "self", "champion"
"""Opponents with the actor's weights: those of now, and those that were certified last."""
RANDOM = "random"


@dataclass(frozen=True, slots=True)
class Game:
    """A game. `engine` is OpenSpiel's name with parameters, `plies` the longest random opening, in moves.

    `strong` are the opponents of levels 3 and 4; `hidden` is whether cards or dice are.
    """

    engine: str
    plies: int
    strong: tuple[str, str] = ("mcts:10", "mcts:100")
    hidden: bool = False


GAMES: Mapping[str, Game] = {
    "tic-tac-toe": Game("tic_tac_toe", 7),
    "connect-four": Game("connect_four", 24),
    "nim": Game("nim(pile_sizes=1;3;5;7)", 7),
    "kuhn": Game("kuhn_poker", 2, ("cfr", "cfr"), hidden=True),
    "leduc": Game("leduc_poker", 6, ("cfr", "cfr"), hidden=True),
    "liars-dice": Game("liars_dice(dice_sides=4)", 4, ("cfr", "cfr"), hidden=True),
}
"""By mode. Nim is the misère game: who takes the last one loses. Liar's dice has one die of four sides a player."""
LEVELS: Mapping[int, str] = {
    1: "the actor itself, in every seat",
    2: "a player that moves at random",
    3: "MCTS of 10 simulations; an equilibrium strategy in games with hidden cards or dice",
    4: "MCTS of 100 simulations; an equilibrium strategy in games with hidden cards or dice",
}
"""Who sits in the other seat, by level."""


def opponent_of(mode: str, level: int) -> str:
    """The engine's player of a level from 2 on."""
    return RANDOM if level == 2 else GAMES[mode].strong[level - 3]
