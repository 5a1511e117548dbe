"""The process with the games of OpenSpiel: a JSON request a line in, a JSON answer a line out.

It is run by path and imports nothing of autotelic. It keeps no game: a request has all moves of a game since its
beginning, so a process that died is replaced without loss. Every move is compared with the legal ones before the
engine sees it, since an illegal one may abort the process.
"""

from __future__ import annotations

import json
import os
import random
import re
import sys
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

try:
    import pyspiel
except ImportError:
    pyspiel = None

UCT = 2.0
"""The constant of exploration of MCTS: OpenSpiel's own default in its examples."""
SWEEPS = {"kuhn_poker": 500, "leduc_poker": 60, "liars_dice": 60}
"""Iterations of CFR+ (Tammelin 2014, arXiv:1407.5042) of the player `cfr`: exploitability .001 and .02 or less."""
EARLIER = 3
"""Earlier turns of its own that a seat is shown before an opening, at most."""
DEALS = 400
"""Deals drawn for one in which a seat sees what it saw: of Leduc poker's one in thirty is."""
AGAIN = 8
"""Random openings drawn for one that does not end the game: of Kuhn poker's with two moves one in four does not."""


@lru_cache(maxsize=64)
def game_of(name: str) -> Any:
    """A game by OpenSpiel's name for it, with its parameters."""
    return pyspiel.load_game(name)


def state_of(name: str, moves: Sequence[int]) -> Any:
    """The state after these moves, chance's among them. Raises ValueError for one that is not legal."""
    state = game_of(name).new_initial_state()
    for move in moves:
        if state.is_terminal() or move not in state.legal_actions():
            raise ValueError(f"{move} is no legal move of {name} after {state.history()}")
        state.apply_action(move)
    return state


# ── how positions and moves are written ──────────────────────────────────────────────────────────────────────


def shown(name: str, state: Any) -> str:
    """A position in few tokens, as the player to move sees it: what is private to others is not in it."""
    short = name.partition("(")[0]
    if short in ("tic_tac_toe", "connect_four"):
        marks = {".": "0", "x": "12"[state.current_player() == 1], "o": "12"[state.current_player() == 0]}
        board = "".join(marks[c] for c in state.observation_string() if c in marks)
        return ("T" if short == "tic_tac_toe" else "C") + board + "\n"
    if short == "nim":
        return "N" + "".join(re.findall(r"\d+", str(state).partition(":")[2])) + "\n"
    said = str(state.information_state_string())
    if short == "kuhn_poker":
        return "K" + said.replace("p", "0").replace("b", "1") + "\n"
    if short == "leduc_poker":
        fields = dict(re.findall(r"\[(\w+): ?([^\]]*)\]", said))
        rank = int(fields["Private"]) // 2
        public = str(int(fields["Public"]) // 2) if fields.get("Public", "") not in ("", "-10000") else "9"
        bets = [fields[key].replace(" ", "") for key in ("Round1", "Round2")]
        return f"L{rank}{public}{bets[0]}.{bets[1]}\n"
    dice, *bids = said.split()
    return "D" + dice + "".join(bid.replace("-", "") for bid in bids) + "\n"


def spelled(name: str, state: Any, move: int) -> str:
    """A move in few tokens."""
    short = name.partition("(")[0]
    if short == "nim":
        pile, take = re.findall(r"\d+", state.action_to_string(state.current_player(), move))
        return f"{pile}{take}"
    if short == "liars_dice":
        said = state.action_to_string(state.current_player(), move)
        return "0" if said.lower() == "liar" else said.replace("-", "")
    return str(move)


def told(name: str, state: Any) -> str:
    """A position in words, as the player to move sees it."""
    kind = game_of(name).get_type()
    imperfect = kind.information == kind.information.IMPERFECT_INFORMATION
    board = state.information_state_string() if imperfect else str(state)
    player = state.current_player()
    legal = ", ".join(state.action_to_string(player, move) for move in state.legal_actions())
    asked = f"Legal moves: {legal}\nAnswer with one of them.\n"
    return f"{kind.long_name}. You are player {player}.\n{board.rstrip()}\n{asked}"


def position(name: str, state: Any, moves: Sequence[int], style: str) -> dict[str, Any]:
    """A position as the answer has it: who is to move, what is shown, what is legal, or how it ended."""
    if state.is_terminal():
        top = game_of(name).max_utility()
        returns = [value / top for value in state.returns()]
        return {"moves": list(moves), "player": -1, "shown": "", "legal": {}, "returns": returns}
    natural = style == "natural"
    player = state.current_player()
    legal = {
        (state.action_to_string(player, move) if natural else spelled(name, state, move)): move
        for move in state.legal_actions()
    }
    text = told(name, state) if natural else shown(name, state)
    return {"moves": list(moves), "player": player, "shown": text, "legal": legal, "returns": None}


# ── players ──────────────────────────────────────────────────────────────────────────────────────────────────


def dealt(state: Any, rng: random.Random) -> int:
    """A move of chance."""
    moves, weights = zip(*state.chance_outcomes(), strict=True)
    return int(rng.choices(moves, weights)[0])


def chosen(name: str, state: Any, player: str, rng: random.Random) -> int:
    """The move of a player: `random`, `mcts:SIMULATIONS` or `cfr`."""
    if player == "random":
        return int(rng.choice(state.legal_actions()))
    if player == "cfr":
        odds = equilibrium(name).action_probabilities(state)
        return int(rng.choices(list(odds), list(odds.values()))[0])
    count = int(player.partition(":")[2])
    game, seed = game_of(name), rng.randrange(2**31)
    evaluator = pyspiel.RandomRolloutEvaluator(1, seed)
    return int(pyspiel.MCTSBot(game, evaluator, UCT, count, 100, True, seed, False).step(state))


@lru_cache(maxsize=8)
def equilibrium(name: str) -> Any:
    """A strategy close to an equilibrium, by CFR+."""
    solver = pyspiel.CFRPlusSolver(game_of(name))
    for _ in range(SWEEPS[name.partition("(")[0]]):
        solver.evaluate_and_update_policy()
    return solver.tabular_average_policy()


# ── requests ─────────────────────────────────────────────────────────────────────────────────────────────────


def advance(request: dict[str, Any]) -> list[dict[str, Any]]:
    """Each game played on by chance and its opponent until somebody else is to move, or to its end."""
    return [_advanced(game, request["style"]) for game in request["games"]]


def _advanced(game: dict[str, Any], style: str) -> dict[str, Any]:
    name, moves, opponent = game["name"], list(game["moves"]), game["opponent"]
    state = state_of(name, moves)
    while not state.is_terminal():
        rng = random.Random(f"{game['seed']}/{len(moves)}")
        if state.is_chance_node():
            moves.append(dealt(state, rng))
        elif opponent and state.current_player() != game["seat"]:
            moves.append(chosen(name, state, opponent, rng))
        else:
            break
        state.apply_action(moves[-1])
    return position(name, state, moves, style)


def begin(request: dict[str, Any]) -> list[dict[str, Any]]:
    """Positions after so many random moves of players; earlier ones where the game would have ended."""
    return [_begun(game, request["style"]) for game in request["games"]]


def _begun(game: dict[str, Any], style: str) -> dict[str, Any]:
    name, rng = game["name"], random.Random(f"{game['seed']}/begin")
    for _ in range(AGAIN):
        kept, seen, over = _opened(game, rng)
        if not over:
            break
    found = position(name, state_of(name, kept), kept, style)
    # The game may have gone on to its end after what is kept: as many of the seat's moves as it had made by then.
    before = [text for player, text in seen[: _made(name, kept)] if player == found["player"]]
    return found | {"shown": "".join(before[-EARLIER:]) + found["shown"]}


def _opened(game: dict[str, Any], rng: random.Random) -> tuple[list[int], list[tuple[int, str]], bool]:
    """Moves up to the last position before game or opening ended; each seat's turns; whether it was the game."""
    name = game["name"]
    state = game_of(name).new_initial_state()
    moves: list[int] = []
    kept: list[int] = []
    seen: list[tuple[int, str]] = []
    plies = 0
    while not state.is_terminal():
        if state.is_chance_node():
            move = dealt(state, rng)
        else:
            kept = list(moves)
            if plies == game["plies"]:
                return kept, seen, False
            move, plies = int(rng.choice(state.legal_actions())), plies + 1
            if game.get("end"):
                here = shown(name, state) + spelled(name, state, move) + game["end"]
                seen.append((state.current_player(), here))
        moves.append(move)
        state.apply_action(move)
    return kept, seen, True


def deal(request: dict[str, Any]) -> list[dict[str, Any]]:
    """Each opening with other cards that the seat does not see; the opening itself where no other was found."""
    return [_dealt_again(game, request["style"]) for game in request["games"]]


def _dealt_again(game: dict[str, Any], style: str) -> dict[str, Any]:
    """The moves, with what the other seat was shown before each of its own and what it did: `asked`.

    Chance moves at random, players as they did. A deal is kept where the seat sees what it saw.
    """
    name, moves, seat = game["name"], list(game["moves"]), game["seat"]
    seen = state_of(name, moves).information_state_string(seat)
    rng = random.Random(f"{game['seed']}/deal/{game['round']}")
    found = None
    for _ in range(DEALS):
        found = _replayed(name, moves, style, seat, rng)
        if found is not None and state_of(name, found["moves"]).information_state_string(seat) == seen:
            return found
    same = _replayed(name, moves, style, seat, None)
    assert same is not None  # its moves were legal
    return same


def _replayed(
    name: str, moves: Sequence[int], style: str, seat: int, rng: random.Random | None
) -> dict[str, Any] | None:
    """A game with the players' moves of another, and chance's by `rng`, or the same; None where one is illegal."""
    state, other = game_of(name).new_initial_state(), game_of(name).new_initial_state()
    kept: list[int] = []
    asked: list[dict[str, str]] = []
    for move in moves:
        if chance := other.is_chance_node():
            made = dealt(state, rng) if rng is not None and state.is_chance_node() else move
        else:
            made = move
        other.apply_action(move)
        if state.is_terminal() or chance != state.is_chance_node() or made not in state.legal_actions():
            return None
        if not chance and state.current_player() != seat:
            here = position(name, state, kept, style)
            (word,) = [word for word, legal in here["legal"].items() if legal == made]
            asked.append({"shown": here["shown"], "said": word})
        state.apply_action(made)
        kept.append(made)
    return {"moves": kept, "asked": asked}


def _made(name: str, moves: Sequence[int]) -> int:
    """How many of these moves are players'."""
    state, count = game_of(name).new_initial_state(), 0
    for move in moves:
        count += not state.is_chance_node()
        state.apply_action(move)
    return count


def tables(request: dict[str, Any]) -> dict[str, Any]:
    """Every information state of a game: what is shown there, and what is legal."""
    name, found = request["name"], {}
    stack = [game_of(name).new_initial_state()]
    while stack:
        state = stack.pop()
        if state.is_terminal():
            continue
        if not state.is_chance_node():
            here = position(name, state, state.history(), request["style"])
            found[state.information_state_string()] = {key: here[key] for key in ("shown", "legal", "player")}
        stack += [state.child(move) for move in state.legal_actions()]
    return found


def exploitability(request: dict[str, Any]) -> float:
    """How much a best response wins against a strategy, on average over the seats, in the game's own units.

    `policy` has for each information state pairs of a move and its probability.
    """
    policy = {key: [(int(move), float(p)) for move, p in row] for key, row in request["policy"].items()}
    return float(pyspiel.exploitability(game_of(request["name"]), policy))


OPERATIONS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "advance": advance,
    "begin": begin,
    "deal": deal,
    "tables": tables,
    "exploitability": exploitability,
}


def main() -> None:
    """Answer requests until input ends."""
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what the engine prints must not be taken for a reply
    if pyspiel is None:
        print(json.dumps({"error": "open_spiel is not installed"}), file=replies)
        return
    print(json.dumps({"ok": "ready"}), file=replies)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"ok": OPERATIONS[request["op"]](request)}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}".partition("\n")[0]}
        print(json.dumps(answer), file=replies)


if __name__ == "__main__":
    main()
