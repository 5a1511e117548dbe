"""Games in progress, side by side: the learner's seat, and who moves in the other one.

    reply ──► legal? ──► engine ──► chance, opponent ──► what the learner sees next
                                        │
                     an engine's player, or the actor itself, asked with the position alone

Each episode is one seat of one game. The other seat is played by the same actor, who sees what that seat may see and
nothing else, so a private card stays private.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from autotelic.domains.games.table import CHAMPION, GAMES, RANDOM, SELF
from autotelic.protocols import Actor
from autotelic.streams import seed_of, stream
from autotelic.types import Observation, Task

FORFEIT = -1.25
"""The reward of an illegal move, which ends the game; a lost game has -1."""
Position = Mapping[str, Any]


class Table(Protocol):
    """Where games are played on."""

    def advance(self, games: Sequence[Mapping[str, Any]]) -> list[Position]:
        """Each game played on by chance and its opponent until somebody else is to move, or to its end."""


class Matches:
    """A game for each task. All that happens but the actor's moves is in the task: opening, seat and seed."""

    def __init__(self, table: Table, tasks: Sequence[Task]) -> None:
        self._table = table
        self._tasks = tuple(tasks)
        self._actor: Actor | None = None
        self._positions: dict[int, Position] = dict(
            enumerate(self._played({at: task.secret["moves"] for at, task in enumerate(tasks)}).values())
        )

    def seat(self, actor: Actor) -> None:
        """Who plays the other seat of games against oneself. Without, their moves are random."""
        self._actor = actor

    def step(self, replies: Sequence[str | None]) -> list[tuple[Observation, float] | None]:
        """What each learner sees next; the reward is 0 until the game is over."""
        found: list[tuple[Observation, float] | None] = [None] * len(replies)
        moves: dict[int, list[int]] = {}
        for at, reply in enumerate(replies):
            if reply is None:
                continue
            legal = self._positions[at]["legal"]
            if (move := legal.get(reply.strip())) is None:
                found[at] = ("", FORFEIT)
            else:
                moves[at] = [*self._positions[at]["moves"], move]
        waiting = self._played(moves)
        while waiting:
            self._positions.update(waiting)
            theirs = []
            for at, position in waiting.items():
                if position["returns"] is not None:
                    found[at] = ("", float(position["returns"][self._tasks[at].secret["seat"]]))
                elif position["player"] == self._tasks[at].secret["seat"]:
                    found[at] = (position["shown"], 0.0)
                else:
                    theirs.append(at)
            waiting = self._played(self._replied(theirs)) if theirs else {}
        return found

    def _played(self, moves: Mapping[int, Sequence[int]]) -> dict[int, Position]:
        asked = []
        for at, made in moves.items():
            secret = self._tasks[at].secret
            opponent = secret["opponent"]
            asked.append(
                {
                    "name": GAMES[self._tasks[at].mode].engine,
                    "moves": list(made),
                    "seat": secret["seat"],
                    "seed": secret["seed"],
                    "opponent": self._engine(opponent),
                }
            )
        return dict(zip(moves, self._table.advance(asked), strict=True)) if asked else {}

    def _engine(self, opponent: str) -> str:
        """The engine's player; empty where the actor moves."""
        return opponent if opponent not in (SELF, CHAMPION) else ""

    def _replied(self, places: Sequence[int]) -> dict[int, list[int]]:
        """The moves with those of the other seat. An illegal reply becomes a random move: to win by it teaches
        nothing.
        """
        said: dict[int, str] = {}
        for opponent in (SELF, CHAMPION):
            some = [at for at in places if self._tasks[at].secret["opponent"] == opponent]
            if some and self._actor is not None:
                modes = [self._tasks[at].mode for at in some]
                shown = [self._positions[at]["shown"] for at in some]
                seeds = [self._seed(at) for at in some]
                replies = self._actor.reply(modes, shown, seeds, champion=opponent == CHAMPION)
                said.update(zip(some, replies, strict=True))
        moves = {}
        for at in places:
            position = self._positions[at]
            move = position["legal"].get(said.get(at, "").strip())
            if move is None:
                legal = list(position["legal"].values())
                move = legal[int(stream(self._seed(at), RANDOM).integers(len(legal)))]
            moves[at] = [*position["moves"], move]
        return moves

    def _seed(self, at: int) -> int:
        """Of a reply: named by the game and all moves so far, so that siblings that play alike are answered alike."""
        return seed_of(self._tasks[at].secret["seed"], "seat", *self._positions[at]["moves"])
