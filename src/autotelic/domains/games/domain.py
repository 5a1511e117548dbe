"""The class: openings as tasks, games as episodes, results as verdicts."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from autotelic.domains.cells import check_cell, check_spec
from autotelic.domains.games.matches import FORFEIT, Matches, Position
from autotelic.domains.games.table import CHAMPION, GAMES, LEVELS, SELF, opponent_of
from autotelic.domains.processes import Process, ProcessError
from autotelic.errors import DomainError
from autotelic.models.tokenizer import END
from autotelic.types import Cell, Episode, Range, Spec, Task, Verdict

WORKER = Path(__file__).with_name("worker.py")
INSTALL = "pip install -e '.[games]'"
PATIENCE = 60.0
"""Seconds that the engine may take over a batch: hundreds of games with a move of MCTS each."""
OPENED = 0.75
"""Share of games against oneself that begin with random moves; the others begin at the beginning."""
TOLD = 0.5
"""Share of openings that are shown with the seat's own turns before, as a game goes on."""
LEAGUE = 0.25
"""Share of games against oneself in which the other seat is the champion's, so that it is not forgotten how to beat
it. None where something is hidden: what beats one opponent is then no equilibrium.
"""


class Engine:
    """OpenSpiel in a process of its own, which starts with the first request. An illegal move would abort it."""

    def __init__(self, style: str) -> None:
        self.style = style
        self._process = Process(
            [sys.executable, "-P", str(WORKER)], name="open_spiel", fix=INSTALL, seconds=PATIENCE
        )

    def advance(self, games: Sequence[Mapping[str, Any]]) -> list[Position]:
        """Each game played on by chance and its opponent until somebody else is to move, or to its end."""
        return self._batch("advance", games)

    def begin(self, games: Sequence[Mapping[str, Any]]) -> list[Position]:
        """Positions after so many random moves; earlier ones where the game would have ended."""
        return self._batch("begin", games)

    def deal(self, games: Sequence[Mapping[str, Any]]) -> list[Position]:
        """Openings with other cards that the seat does not see: `moves`, and what the other seat was `asked`."""
        return self._batch("deal", games)

    def tables(self, mode: str) -> Mapping[str, Mapping[str, Any]]:
        """Every information state of a game, with what is shown there and what is legal. For small games."""
        found: Mapping[str, Mapping[str, Any]] = self._process.ask(
            {"op": "tables", "name": GAMES[mode].engine, "style": self.style}
        )
        return found

    def exploitability(self, mode: str, policy: Mapping[str, Sequence[tuple[int, float]]]) -> float:
        """How much a best response wins against a strategy, on average over the seats, in the game's own units.

        `policy` has for each information state pairs of a move and its probability.
        """
        asked = {"op": "exploitability", "name": GAMES[mode].engine, "policy": policy}
        return float(self._process.ask(asked))

    def _batch(self, op: str, games: Sequence[Mapping[str, Any]]) -> list[Position]:
        if not games:
            return []
        request = {"op": op, "style": self.style, "games": list(games)}
        try:
            found: list[Position] = self._process.ask(request)
        except ProcessError:  # it keeps nothing, so a new process goes on where it died
            found = self._once_more(request)
        return found

    def _once_more(self, request: Mapping[str, Any]) -> list[Position]:
        try:
            found: list[Position] = self._process.ask(request)
        except ProcessError as error:
            raise DomainError(
                f"open_spiel failed twice: {error}", "resume the run; where it fails again, report it"
            ) from None
        return found

    def close(self) -> None:
        """End the process."""
        self._process.close()


class GamesDomain:
    """Games for two players against oneself, learned from their results alone.

    Modes are the games, levels the opponents (`table.LEVELS`). A task is an opening and a seat; its reward is
    the game's result from -1 to 1, and -1.25 for an illegal move.

    Raises DomainError for a level or a mode that does not exist.
    """

    special: tuple[str, ...] = ()

    def __init__(
        self,
        levels: tuple[int, ...] = (1, 2, 3),
        modes: tuple[str, ...] = tuple(GAMES),
        style: str = "compact",
    ) -> None:
        self.engine = Engine(style)
        self.spec = check_spec(
            Spec(name="games", modes=tuple(modes), levels=tuple(levels), scale=Range(low=FORFEIT, high=1.0)),
            modes=tuple(GAMES),
            levels=tuple(LEVELS),
        )

    # ── tasks ────────────────────────────────────────────────────────────────────────────────────────────────

    def tasks(self, rng: np.random.Generator, cells: Sequence[Cell]) -> list[Task]:
        """An opening for each cell, the learner to move. At level 1 most are random moves; from level 2 on games
        begin at their beginning, and the learner has either seat.
        """
        asked: list[dict[str, Any]] = []
        for cell in cells:
            check_cell(self.spec, cell)
            game, seed, seat = GAMES[cell.mode], int(rng.integers(2**31)), int(rng.integers(2))
            opened = rng.random() < OPENED
            plies = int(rng.integers(1, game.plies + 1)) if opened and cell.level == 1 else 0
            earlier = bool(rng.random() < TOLD) and self.engine.style != "natural"
            rival = CHAMPION if rng.random() < LEAGUE and not game.hidden else SELF
            opponent = rival if cell.level == 1 else opponent_of(cell.mode, cell.level)
            asked.append(
                {
                    "name": game.engine,
                    "seed": seed,
                    "plies": plies,
                    "seat": seat,
                    "opponent": opponent,
                    "end": END if earlier else "",
                }
            )
        begun = self.engine.begin(asked)
        # From level 2 on the opponent makes the first move of games in which the learner has the second seat.
        second = [at for at, cell in enumerate(cells) if cell.level > 1]
        played = self.engine.advance([asked[at] | {"moves": begun[at]["moves"]} for at in second])
        position_of = dict(enumerate(begun)) | dict(zip(second, played, strict=True))
        return [
            self._task(cell, asked[at], position_of[at])
            for at, cell in enumerate(cells)
            if position_of[at]["player"] >= 0
        ]

    def _task(self, cell: Cell, asked: Mapping[str, Any], position: Position) -> Task:
        return Task(
            domain=self.spec.name,
            mode=cell.mode,
            level=cell.level,
            prompt=position["shown"],
            secret={
                "moves": position["moves"],
                "seat": position["player"],
                "opponent": asked["opponent"],
                "seed": asked["seed"],
            },
            cluster=f"{cell.mode} {position['player']}",
            form=cell.mode,
        )

    # ── games ────────────────────────────────────────────────────────────────────────────────────────────────

    def open(self, tasks: Sequence[Task], seeds: Sequence[int]) -> Matches:
        """A game for each task. All that chance and engines do is in the task, so the seeds are not needed."""
        return Matches(self.engine, tasks)

    def judge(self, episodes: Sequence[tuple[Task, Episode]]) -> list[Verdict]:
        """The result of each game; one that was not played to its end counts as an illegal move."""
        return [_verdict(episode) for _, episode in episodes]

    # ── texts ────────────────────────────────────────────────────────────────────────────────────────────────

    def answers(self, tasks: Sequence[Task], rng: np.random.Generator) -> list[str | None]:
        """A legal move at random, whatever it is worth."""
        positions = self.engine.advance(
            [
                {
                    "name": GAMES[task.mode].engine,
                    "moves": task.secret["moves"],
                    "seat": task.secret["seat"],
                    "seed": task.secret["seed"],
                    "opponent": "",
                }
                for task in tasks
            ]
        )
        drawn: list[str | None] = []
        for position in positions:
            legal = list(position["legal"])
            drawn.append(legal[int(rng.integers(len(legal)))])
        return drawn

    def answer(self, mode: str, completion: str) -> str:
        """The last line."""
        return completion.strip().rpartition("\n")[2].strip()

    def corpus(self, rng: np.random.Generator, count: int) -> list[str]:
        """Positions with random legal moves."""
        cells = self.spec.cells
        tasks = self.tasks(rng, [cells[at % len(cells)] for at in range(count)])
        return [f"{task.prompt}{move}" for task, move in zip(tasks, self.answers(tasks, rng), strict=True)]


def _verdict(episode: Episode) -> Verdict:
    last = episode.steps[-1] if episode.steps else None
    if last is None or last.reply != "" or episode.ending != "done":
        return Verdict(reward=FORFEIT, passed=None, reason="unfinished")
    reward = min(1.0, max(FORFEIT, last.reward))
    word = "illegal" if reward <= FORFEIT else "won" if reward > 0 else "lost" if reward < 0 else "drawn"
    return Verdict(reward=reward, passed=None, reason=word)
