"""Games: what is legal, who sees what, who plays the other seat, and that no engine and no reply breaks them."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from autotelic.domains.games import GamesDomain
from autotelic.domains.games.domain import INSTALL, WORKER
from autotelic.domains.games.matches import FORFEIT
from autotelic.domains.games.table import CHAMPION, GAMES, SELF
from autotelic.domains.processes import Process
from autotelic.errors import DomainError
from autotelic.streams import stream
from autotelic.types import Cell, Episode, Observation, Step, Task, Turn

pytest.importorskip("pyspiel")
TURN = Turn(prompt_ids=(0,), completion_ids=(0,), logprobs=(0.0,), weights="test", stop="eos")


@pytest.fixture(scope="module")
def games() -> Iterator[GamesDomain]:
    domain = GamesDomain(levels=(1, 2, 3, 4))
    yield domain
    domain.engine.close()


class Scripted:
    """An actor that says what it is told to, and remembers what it was asked."""

    def __init__(self, *replies: str) -> None:
        self.replies = list(replies)
        self.asked: list[tuple[str, Observation, bool]] = []

    def reply(
        self, modes: Sequence[str], shown: Sequence[Observation], seeds: Sequence[int], *, champion: bool
    ) -> list[str]:
        self.asked += [(mode, seen, champion) for mode, seen in zip(modes, shown, strict=True)]
        return [self.replies.pop(0) for _ in shown]


def board(moves: list[int], opponent: str = SELF, mode: str = "tic-tac-toe", seed: int = 0) -> Task:
    """A game after these moves, the learner to move."""
    secret = {"moves": moves, "seat": len(moves) % 2, "opponent": opponent, "seed": seed}
    return Task(domain="games", mode=mode, level=1, prompt="", secret=secret)


def test_openings_are_legal_positions_of_the_learner_and_the_same_from_the_same_stream(
    games: GamesDomain,
) -> None:
    cells = [Cell(mode=mode, level=level) for mode in ("tic-tac-toe", "nim", "kuhn") for level in (1, 2)] * 4
    tasks = games.tasks(stream(0, "games"), cells)
    assert [task.id for task in games.tasks(stream(0, "games"), cells)] == [task.id for task in tasks]
    for task, move in zip(tasks, games.answers(tasks, stream(1, "games")), strict=True):
        assert move is not None
        (seen,) = games.open([task], [0]).step([move])
        assert seen is not None
        assert seen[1] > FORFEIT  # a legal move, since it is no forfeit
    openings = {len(task.secret["moves"]) for task in tasks if task.cell == Cell(mode="tic-tac-toe", level=1)}
    assert len(openings) > 1
    assert all(len(t.secret["moves"]) <= 1 for t in tasks if t.cell == Cell(mode="tic-tac-toe", level=2))


def test_the_champion_is_met_in_games_in_which_nothing_is_hidden(games: GamesDomain) -> None:
    for mode, game in GAMES.items():
        tasks = games.tasks(stream(12, "league"), [Cell(mode=mode, level=1)] * 32)
        assert {task.secret["opponent"] for task in tasks} == {SELF} | (set() if game.hidden else {CHAMPION})


def test_openings_of_two_moves_are_met_where_most_games_end_before(games: GamesDomain) -> None:
    """Kuhn poker: after two moves only a pass and a bet leave something to decide."""
    tasks = games.tasks(stream(13, "plies"), [Cell(mode="kuhn", level=1)] * 200)
    moves = [len(task.secret["moves"]) - 2 for task in tasks]  # two are the deal
    assert all(40 <= moves.count(n) <= 100 for n in range(3))


def test_a_board_is_shown_from_the_side_of_who_moves(games: GamesDomain) -> None:
    shown = games.engine.advance(
        [
            {"name": "tic_tac_toe", "moves": moves, "seat": 0, "seed": 0, "opponent": ""}
            for moves in ([4], [4, 0])
        ]
    )
    assert [row["shown"] for row in shown] == ["T000020000\n", "T200010000\n"]


def test_a_private_card_is_shown_to_nobody_else(games: GamesDomain) -> None:
    """Kuhn poker: two games that differ in the other's card alone read alike."""
    deals = [[0, 2], [1, 2], [2, 0], [2, 1]]
    shown = games.engine.advance(
        [{"name": "kuhn_poker", "moves": [*deal, 1], "seat": 1, "seed": 0, "opponent": ""} for deal in deals]
    )
    assert [row["player"] for row in shown] == [1] * 4
    assert [row["shown"] for row in shown] == ["K21\n", "K21\n", "K01\n", "K11\n"]


class Honest:
    """An actor of Kuhn poker that bets and calls with the king alone."""

    def reply(
        self, modes: Sequence[str], shown: Sequence[Observation], seeds: Sequence[int], *, champion: bool
    ) -> list[str]:
        return ["1" if str(seen).startswith("K2") else "0" for seen in shown]


@pytest.mark.parametrize("opponent", [SELF, CHAMPION])
def test_a_bet_of_an_opening_says_of_the_hidden_card_what_a_bet_of_the_actor_does(
    games: GamesDomain, opponent: str
) -> None:
    """A random bet would say nothing, and to call it would be right."""
    facing = [board([1, card, 1], opponent, "kuhn", seed) for card in (0, 2) for seed in range(8)]
    tasks = [replace(task, secret=task.secret | {"seat": 0, "moves": [1, card, 0, 1]}, id="")
             for task, card in zip(facing, (0, 2) * 8, strict=True)]  # fmt: skip
    sessions = games.open(tasks, [0] * len(tasks))
    sessions.seat(Honest())
    assert [position["moves"] for position in sessions._positions.values()] == [[1, 2, 0, 1]] * 16
    assert [seen for seen in sessions.step(["1"] * 16) if seen] == [("", -1.0)] * 16


def test_a_passed_opening_is_met_with_either_other_card(games: GamesDomain) -> None:
    tasks = [board([2, 1, 0], SELF, "kuhn", seed) for seed in range(24)]
    tasks = [replace(task, secret=task.secret | {"seat": 1}, id="") for task in tasks]
    sessions = games.open(tasks, [0] * 24)
    sessions.seat(Honest())
    # The king never passes, so that a pass shows the jack.
    assert {tuple(position["moves"]) for position in sessions._positions.values()} == {(0, 1, 0)}
    assert {position["shown"] for position in sessions._positions.values()} == {"K10\n"}


def test_siblings_have_one_deal_and_what_no_actor_does_is_played_all_the_same(games: GamesDomain) -> None:
    task = replace(board([1, 0, 1], SELF, "kuhn", 3), secret={"moves": [0, 1, 1], "seat": 1, "seed": 3,
                   "opponent": SELF}, id="")  # fmt: skip
    sessions = games.open([task] * 4, [0] * 4)
    sessions.seat(Scripted(*["0"] * 64))
    assert len({tuple(position["moves"]) for position in sessions._positions.values()}) == 1
    assert all(seen is not None for seen in sessions.step(["1"] * 4))


@pytest.mark.parametrize("mode", [mode for mode, game in GAMES.items() if game.hidden])
def test_other_deals_look_alike_to_the_seat(games: GamesDomain, mode: str) -> None:
    tasks = games.tasks(stream(11, "deals"), [Cell(mode=mode, level=1)] * 32)
    secrets = [task.secret for task in tasks]
    asked = [{"name": GAMES[mode].engine, "round": 0, **secret} for secret in secrets]
    deals = games.engine.deal(asked)
    rows = [{"name": GAMES[mode].engine, "opponent": "", **secret} for secret in secrets]
    before = games.engine.advance(rows)
    after = games.engine.advance([row | {"moves": d["moves"]} for row, d in zip(rows, deals, strict=True)])
    assert [p["shown"] for p in after] == [p["shown"] for p in before]
    assert [p["player"] for p in after] == [secret["seat"] for secret in secrets]
    assert any(d["moves"] != secret["moves"] for d, secret in zip(deals, secrets, strict=True))


def test_results_are_of_the_learners_seat(games: GamesDomain) -> None:
    win = board([0, 3, 1, 4])
    assert games.open([win], [0]).step(["2"]) == [("", 1.0)]
    second = board([0, 3, 1, 4, 8])
    assert games.open([second], [0]).step(["5"]) == [("", 1.0)]
    blunder = games.open([board([0, 3, 1, 4])], [0])
    blunder.seat(Scripted("5"))
    assert blunder.step(["8"]) == [("", -1.0)]
    drawn = games.open([board([0, 1, 2, 4, 3, 5, 7, 6])], [0])
    assert drawn.step(["8"]) == [("", 0.0)]


@pytest.mark.parametrize("reply", ["", "0", "9", "2 ", "x", "22", "2\n2", "-1", "9" * 5000, "\ud800"])
def test_a_reply_that_is_no_legal_move_loses_and_the_engine_does_not_see_it(
    games: GamesDomain, reply: str
) -> None:
    seen = games.open([board([0, 3, 1, 4])], [0]).step([reply])
    assert seen == ([("", 1.0)] if reply.strip() == "2" else [("", FORFEIT)])


def test_an_illegal_move_is_refused_before_the_engine_which_goes_on(games: GamesDomain) -> None:
    row = {"name": "tic_tac_toe", "moves": [0, 0], "seat": 0, "seed": 0, "opponent": ""}
    with pytest.raises(DomainError, match="0 is no legal move of tic_tac_toe"):
        games.engine.advance([row])
    assert games.engine.advance([row | {"moves": [0]}])[0]["player"] == 1


def test_the_actor_plays_the_other_seat_and_sees_its_side_alone(games: GamesDomain) -> None:
    sessions = games.open([board([]), board([], CHAMPION)], [0, 0])
    actor = Scripted("4", "not a move")
    sessions.seat(actor)
    first, second = sessions.step(["0", "0"])
    assert actor.asked == [
        ("tic-tac-toe", "T200000000\n", False),
        ("tic-tac-toe", "T200000000\n", True),
    ]
    assert first == ("T100020000\n", 0.0)
    assert second is not None
    assert str(second[0]).count("2") == 1  # an illegal reply became a legal move at random


def test_engines_answer_alike_in_any_company_and_after_their_process_died(games: GamesDomain) -> None:
    tasks = games.tasks(
        stream(3, "engines"), [Cell(mode="tic-tac-toe", level=level) for level in (2, 3, 4, 4)]
    )
    moves = [move or "" for move in games.answers(tasks, stream(4, "engines"))]
    together = games.open(tasks, [0] * 4).step(moves)
    alone = games.open(tasks[2:3], [0])
    process = games.engine._process._process
    assert process is not None
    process.kill()
    process.wait()
    assert alone.step(moves[2:3]) == together[2:3]


def test_search_beats_chance(games: GamesDomain) -> None:
    """MCTS of 100 simulations as an opponent: random moves hardly ever win."""
    tasks = games.tasks(stream(5, "search"), [Cell(mode="tic-tac-toe", level=4)] * 24)
    sessions, rng, results = games.open(tasks, [0] * 24), stream(6, "search"), {}
    live = dict(enumerate(tasks))
    while live:
        legal = {at: list(sessions._positions[at]["legal"]) for at in live}
        said = [legal[at][int(rng.integers(len(legal[at])))] if at in live else None for at in range(24)]
        for at, seen in enumerate(sessions.step(said)):
            if at in live and seen is not None and not seen[0]:
                results[at] = seen[1]
                del live[at]
    assert len(results) == 24
    assert sum(results.values()) < -12


def test_kuhn_of_even_odds_is_as_exploitable_as_is_known(games: GamesDomain) -> None:
    """0.458333 of even odds in every state: OpenSpiel's own documentation and Lanctot et al. 2019."""
    table = games.engine.tables("kuhn")
    assert len(table) == 12
    even = {key: [(move, 0.5) for move in row["legal"].values()] for key, row in table.items()}
    assert games.engine.exploitability("kuhn", even) == pytest.approx(11 / 24)


def test_verdicts(games: GamesDomain) -> None:
    def judged(*steps: Step, ending: str = "done") -> tuple[float, str]:
        episode = Episode(task_id="t", steps=steps, answer="", ending=ending)  # type: ignore[arg-type]
        (verdict,) = games.judge([(board([]), episode)])
        return verdict.reward, verdict.reason

    assert judged(Step(turn=TURN, reply="T\n"), Step(turn=TURN, reply="", reward=1.0)) == (1.0, "won")
    assert judged(Step(turn=TURN, reply="", reward=0.0)) == (0.0, "drawn")
    assert judged(Step(turn=TURN, reply="", reward=-1.0)) == (-1.0, "lost")
    assert judged(Step(turn=TURN, reply="", reward=FORFEIT)) == (FORFEIT, "illegal")
    assert judged(Step(turn=TURN, reply="T\n")) == (FORFEIT, "unfinished")
    assert judged(Step(turn=TURN, reply="", reward=1.0), ending="length") == (FORFEIT, "unfinished")
    assert judged() == (FORFEIT, "unfinished")


def test_words_name_the_legal_moves() -> None:
    domain = GamesDomain(style="natural", levels=(2,), modes=("tic-tac-toe",))
    (task,) = domain.tasks(stream(1, "words"), [Cell(mode="tic-tac-toe", level=2)])
    (move,) = domain.answers([task], stream(2, "words"))
    assert move is not None
    assert move in str(task.prompt)
    assert domain.answer("tic-tac-toe", f"I think.\n{move} ") == move
    domain.engine.close()


def test_earlier_turns_are_those_of_the_same_seat(games: GamesDomain) -> None:
    tasks = games.tasks(stream(7, "told"), [Cell(mode="tic-tac-toe", level=1)] * 64)
    told = [str(task.prompt) for task in tasks if "<|end|>" in str(task.prompt)]
    assert told
    for text in told:
        *before, last = text.split("<|end|>")
        for turn in before:
            shown, move = turn.split("\n")
            assert shown[1 + int(move)] == "0"
            assert last[1 + int(move)] == "1"  # the square is this seat's from then on


def test_what_does_not_exist_is_said_in_one_line() -> None:
    with pytest.raises(DomainError, match=r"modes=\['chess'\] of the games domain; give some of tic-tac-toe"):
        GamesDomain(modes=("chess",))
    with pytest.raises(DomainError, match="levels"):
        GamesDomain(levels=(5,))


def test_a_missing_package_is_named_with_its_install_command() -> None:
    process = Process([sys.executable, "-S", "-P", str(WORKER)], name="open_spiel", fix=INSTALL, seconds=5)
    with pytest.raises(DomainError, match=r"open_spiel is not installed; pip install -e '.\[games\]'"):
        process.ask({"op": "begin", "style": "compact", "games": []})


def test_every_game_is_played_to_its_end(games: GamesDomain) -> None:
    tasks = [replace(task) for task in games.tasks(stream(8, "all"), [Cell(mode=m, level=1) for m in GAMES])]
    sessions, rng = games.open(tasks, [0] * len(tasks)), stream(9, "all")
    over: dict[int, float] = {}
    for _ in range(64):
        said = [
            None if at in over else rng.choice(list(sessions._positions[at]["legal"]))
            for at in range(len(tasks))
        ]
        for at, seen in enumerate(sessions.step(said)):
            if seen is not None and not seen[0]:
                over[at] = seen[1]
        if len(over) == len(tasks):
            break
    assert len(over) == len(tasks)
    assert all(-1 <= reward <= 1 for reward in over.values())
