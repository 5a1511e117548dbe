"""Games in progress, side by side: the learner's seat, and who moves in the other one.

    reply ──► legal? ──► engine ──► chance, opponent ──► what the learner sees next
                                        │
                     an engine's player, or the actor itself, asked with the position alone

Each episode is one seat of one game. The other seat is played by the same actor, who sees what that seat may see and
nothing else, so a private card stays private.

Where something is hidden, a random opening says nothing about it, and a player's own moves do: who bets has a good
card or bluffs. So the cards that the learner does not see are dealt anew until the actor makes the opening's moves
with them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from autotelic.domains.games.table import CHAMPION, GAMES, RANDOM, SELF
from autotelic.protocols import Actor
from autotelic.streams import seed_of, stream
from autotelic.types import Observation, Task

DEALS = 16
"""Deals at most until the actor makes the opening's moves. A move that it makes once in ten times is met in four
games of five; where it hardly ever makes one, any deal will do.
"""
FORFEIT = -1.25
"""The reward of an illegal move, which ends the game; a lost game has -1."""
Position = Mapping[str, Any]


class Table(Protocol):
    """Where games are played on."""

    def advance(self, games: Sequence[Mapping[str, Any]]) -> list[Position]:
        """Each game played on by chance and its opponent until somebody else is to move, or to its end."""

    def deal(self, games: Sequence[Mapping[str, Any]]) -> list[Position]:
        """Each opening with other cards that the seat does not see, and what the other seat was asked."""


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
        self._positions.update(self._played(self._dealt(actor)))

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

    def _dealt(self, actor: Actor) -> dict[int, list[int]]:
        """The openings of games with something hidden, with cards with which the actor makes the other seat's moves.

        Siblings have one deal: it is named by the game.
        """
        siblings: dict[str, list[int]] = {}
        for at, task in enumerate(self._tasks):
            if GAMES[task.mode].hidden and task.secret["opponent"] in (SELF, CHAMPION):
                siblings.setdefault(task.id, []).append(at)
        left = [row[0] for row in siblings.values()]
        found: dict[int, list[int]] = {}
        for turn in range(DEALS):
            deals = self._table.deal([self._opening(at, turn) for at in left]) if left else []
            asked = [(at, row) for at, deal in zip(left, deals, strict=True) for row in deal["asked"]]
            replies = self._asked(
                actor,
                [at for at, _ in asked],
                [row["shown"] for _, row in asked],
                [seed_of(self._tasks[at].secret["seed"], "deal", turn, row["shown"]) for at, row in asked],
            )
            refused = {
                at for (at, row), said in zip(asked, replies, strict=True) if said.strip() != row["said"]
            }
            found |= {at: deal["moves"] for at, deal in zip(left, deals, strict=True) if at not in refused}
            left = [at for at in left if at in refused]
        return {at: found[row[0]] for row in siblings.values() if row[0] in found for at in row}

    def _opening(self, at: int, turn: int) -> dict[str, Any]:
        task = self._tasks[at]
        secret = {key: task.secret[key] for key in ("moves", "seat", "seed")}
        return {"name": GAMES[task.mode].engine, "round": turn, **secret}

    def _asked(
        self, actor: Actor, places: Sequence[int], shown: Sequence[Observation], seeds: Sequence[int]
    ) -> list[str]:
        """What the other seat of each of these games answers to what it is shown."""
        said: dict[int, str] = {}
        for opponent in (SELF, CHAMPION):
            some = [n for n, at in enumerate(places) if self._tasks[at].secret["opponent"] == opponent]
            if some:
                replies = actor.reply(
                    [self._tasks[places[n]].mode for n in some],
                    [shown[n] for n in some],
                    [seeds[n] for n in some],
                    champion=opponent == CHAMPION,
                )
                said.update(zip(some, replies, strict=True))
        return [said.get(n, "") for n in range(len(places))]

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
        said = [""] * len(places)
        if self._actor is not None:
            shown = [self._positions[at]["shown"] for at in places]
            said = self._asked(self._actor, places, shown, [self._seed(at) for at in places])
        moves = {}
        for at, reply in zip(places, said, strict=True):
            position = self._positions[at]
            move = position["legal"].get(reply.strip())
            if move is None:
                legal = list(position["legal"].values())
                move = legal[int(stream(self._seed(at), RANDOM).integers(len(legal)))]
            moves[at] = [*position["moves"], move]
        return moves

    def _seed(self, at: int) -> int:
        """Of a reply: named by the game and all moves so far, so that siblings that play alike are answered alike."""
        return seed_of(self._tasks[at].secret["seed"], "seat", *self._positions[at]["moves"])
