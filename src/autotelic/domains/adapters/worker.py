"""The process with somebody else's environments: a JSON request a line in, a JSON answer a line out.

    python worker.py gymnasium FrozenLake-v1 [natural]

It is run by path and imports nothing of autotelic, so any Python that has the package can run it. A request names an
episode by its seed and all replies so far; where the environment of that episode is at hand it takes one step, and
otherwise it is made again and given the same replies.
"""

from __future__ import annotations

import difflib
import importlib
import json
import math
import os
import re
import sys
from collections import OrderedDict
from typing import Any

KEPT = 1024
"""Episodes in progress whose environments are kept; one that was dropped is played again when it is asked."""
PROBED = 12
"""Turns that are played twice from the same seed, to see whether they go the same way."""
NUMBERS = 64
"""Numbers of an observation that are written out at most."""
ANOTHER = "choose another environment"
LISTED = "list the ids with `gymnasium.pprint_registry()`"
ANSI = re.compile(r"\x1b\[[0-9;]*m")


class UnfitError(Exception):
    """An environment that cannot be used: the cause, and what to do where that is not to install something."""

    def __init__(self, cause: str, fix: str = "") -> None:
        super().__init__(cause)
        self.fix = fix


# ── gymnasium ────────────────────────────────────────────────────────────────────────────────────────────────


class Gymnasium:
    """Environments of one id, with discrete actions, and what they show as text."""

    def __init__(self, name: str, natural: bool) -> None:
        try:
            import gymnasium
        except ImportError:
            raise UnfitError("gymnasium is not installed") from None
        self.make = gymnasium.make
        self.name = name
        self.natural = natural
        module, colon, _ = name.partition(":")
        if colon:  # Gymnasium's way to name an environment of another package: importing it registers it
            sys.path.append(os.getcwd())
            try:
                importlib.import_module(module)
            except ImportError as error:
                fix = "start autotelic in the folder from which it can be imported"
                raise UnfitError(f"there is no module {module!r}: {one_line(error)}", fix) from None
        if name.rpartition(":")[2] not in gymnasium.registry:
            near = difflib.get_close_matches(name.rpartition(":")[2], list(gymnasium.registry), n=1)
            fix = f"did you mean {module + colon if colon else ''}{near[0]}?" if near else LISTED
            raise UnfitError(f"there is no environment {name!r}", fix)
        env = self.made()
        self.options = options_of(env.action_space)
        text_of(env.observation_space.sample())
        self.words = natural and "ansi" in env.metadata.get("render_modes", ())
        env.close()

    def made(self) -> Any:
        try:
            env = self.make(self.name)
            if self.natural and "ansi" in env.metadata.get("render_modes", ()):
                env.close()
                env = self.make(self.name, render_mode="ansi")
        except Exception as error:
            raise UnfitError(f"gymnasium does not make it: {one_line(error)}", ANOTHER) from None
        return env

    def reset(self, env: Any, seed: int) -> str:
        seen, _ = env.reset(seed=seed)
        return self.text(env, seen)

    def step(self, env: Any, reply: str) -> tuple[str, float, bool, bool]:
        action = self.options.get(reply)
        if action is None:
            return "", 0.0, True, True
        seen, reward, terminated, truncated, _ = env.step(action)
        return self.text(env, seen), float(reward), bool(terminated or truncated), False

    def text(self, env: Any, seen: Any) -> str:
        if self.words:
            return ANSI.sub("", str(env.render())).strip("\n") + f"\nActions: {', '.join(self.options)}"
        return text_of(seen)


def options_of(space: Any) -> dict[str, Any]:
    """The actions by the text that answers with them. Raises UnfitError for a space that is not discrete."""
    kind = type(space).__name__
    if kind == "Discrete":
        return {str(int(space.start) + at): int(space.start) + at for at in range(int(space.n))}
    if kind == "MultiDiscrete" and math.prod(int(n) for n in space.nvec) <= 4096:
        from itertools import product

        choices = product(*(range(int(n)) for n in space.nvec))
        return {" ".join(map(str, choice)): list(choice) for choice in choices}
    raise UnfitError(f"its actions are {space}, and only discrete ones can be answered with", ANOTHER)


def text_of(seen: Any) -> str:
    """An observation as text: numbers, one after another. Raises UnfitError for a picture."""
    if isinstance(seen, str):
        return seen
    if isinstance(seen, dict):
        return " ".join(f"{key} {text_of(value)}" for key, value in seen.items())
    if isinstance(seen, tuple | list):
        return " ".join(text_of(item) for item in seen)
    numbers = seen.ravel().tolist() if hasattr(seen, "ravel") else [seen]
    if len(numbers) > NUMBERS:
        raise UnfitError(f"it shows {len(numbers)} numbers at once, and {NUMBERS} is the most", ANOTHER)
    return " ".join(number_of(number) for number in numbers)


def number_of(number: Any) -> str:
    if isinstance(number, bool):
        return str(int(number))
    if isinstance(number, int):
        return str(number)
    if not math.isfinite(number):
        raise ValueError(f"it showed {number}")
    return f"{number:.2f}".removesuffix(".00").replace("-0.00", "0.00")


# ── OpenEnv ──────────────────────────────────────────────────────────────────────────────────────────────────


class OpenEnv:
    """Sessions of a server of OpenEnv, over its WebSocket: `reset` and `step` messages (openenv-core 0.3)."""

    def __init__(self, name: str, natural: bool) -> None:
        try:
            from websockets.sync.client import connect
        except ImportError:
            raise UnfitError("websockets is not installed") from None
        self.connect = connect
        self.url = re.sub("^http", "ws", name.rstrip("/")) + "/ws"
        self.field, self.number = self.action(name.rstrip("/"))
        self.options: dict[str, Any] = {}
        self.made().close()

    def action(self, base: str) -> tuple[str, bool]:
        """The field of an action that holds the reply, and whether it is a whole number."""
        from urllib.request import urlopen

        try:
            with urlopen(base + "/schema", timeout=10) as answer:
                schema = json.load(answer)["action"]
        except (OSError, ValueError, KeyError) as error:
            raise UnfitError(f"no server of OpenEnv answers at {base}: {one_line(error)}") from None
        fields = {key: row for key, row in schema.get("properties", {}).items() if key != "metadata"}
        asked = [key for key in schema.get("required", fields) if key in fields] or list(fields)
        kinds = {key: fields[key].get("type") for key in asked}
        if len(asked) != 1 or kinds[asked[0]] not in ("string", "integer"):
            shown = ", ".join(f"{key} ({kind})" for key, kind in kinds.items())
            raise UnfitError(
                f"an action of {base} has the fields {shown}, and one text or whole number can be answered"
            )
        return asked[0], kinds[asked[0]] == "integer"

    def made(self) -> Any:
        try:
            return self.connect(self.url, open_timeout=10)
        except OSError as error:
            raise UnfitError(f"no server of OpenEnv answers at {self.url}: {one_line(error)}") from None

    def reset(self, env: Any, seed: int) -> str:
        return self.ask(env, "reset", {"seed": seed})[0]

    def step(self, env: Any, reply: str) -> tuple[str, float, bool, bool]:
        value: Any = reply
        if self.number:
            if not re.fullmatch(r"-?\d{1,9}", reply):
                return "", 0.0, True, True
            value = int(reply)
        return *self.ask(env, "step", {self.field: value}), False

    def ask(self, env: Any, kind: str, data: dict[str, Any]) -> tuple[str, float, bool]:
        env.send(json.dumps({"type": kind, "data": data}))
        answer = json.loads(env.recv(timeout=20))
        if answer["type"] != "observation":
            raise ValueError(f"the server said: {str(answer.get('data'))[:200]}")
        said = answer["data"]
        seen = {key: value for key, value in said["observation"].items() if key != "metadata"}
        texts = [value for value in seen.values() if isinstance(value, str)]
        return (
            texts[0] if len(texts) == 1 else json.dumps(seen),
            float(said["reward"] or 0.0),
            bool(said["done"]),
        )


# ── verifiers ────────────────────────────────────────────────────────────────────────────────────────────────


class Verifiers:
    """Tasks of a taskset of verifiers 0.4 that is answered in one turn and scored without a runtime."""

    def __init__(self, name: str, natural: bool) -> None:
        try:
            import verifiers.v1 as vf
        except ImportError:
            raise UnfitError("verifiers is not installed") from None
        self.options: dict[str, Any] = {}
        try:
            loaded = vf.load_taskset({"id": name})
            self.tasks = list(loaded) if loaded.bounded else list(loaded.take(4096))
        except Exception as error:
            raise UnfitError(f"verifiers does not load the taskset {name!r}: {one_line(error)}") from None
        self.vf = vf

    def made(self) -> dict[str, Any]:
        return {}

    def reset(self, env: dict[str, Any], seed: int) -> str:
        env["task"] = self.tasks[seed % len(self.tasks)]
        prompt = env["task"].data.prompt
        return prompt if isinstance(prompt, str) else str(prompt[-1].content)

    def step(self, env: dict[str, Any], reply: str) -> tuple[str, float, bool, bool]:
        import asyncio

        vf, task = self.vf, env["task"]
        trace = vf.Trace(task=vf.TraceTask(type=type(task).__name__, data=task.data))
        trace.add_message(vf.AssistantMessage(content=reply))
        asyncio.run(task.score(trace, None))
        return "", float(trace.reward), True, False


# ── the process ──────────────────────────────────────────────────────────────────────────────────────────────

MAKERS = {"gymnasium": Gymnasium, "openenv": OpenEnv, "verifiers": Verifiers}


class Episodes:
    """Episodes in progress: an environment, and how many replies it was given."""

    def __init__(self, maker: Any) -> None:
        self.maker = maker
        self.open: OrderedDict[str, list[Any]] = OrderedDict()
        self.free: list[Any] = []

    def play(self, key: str, seed: int, replies: list[str]) -> dict[str, Any]:
        """What is shown after the last of the replies; after none, what is shown first."""
        found = self.open.pop(key, None)
        if found is None or found[1] != len(replies) - 1:
            if found is not None:
                self.free.append(found[0])
            env = self.free.pop() if self.free else self.maker.made()
            seen: tuple[str, float, bool, bool] = (self.maker.reset(env, seed), 0.0, False, False)
            for reply in replies:
                seen = self.maker.step(env, reply)
        else:
            env = found[0]
            seen = self.maker.step(env, replies[-1])
        shown, reward, done, illegal = seen
        if not math.isfinite(reward):
            raise ValueError(f"its reward is {reward}")
        if done:
            self.free.append(env)
        else:
            self.open[key] = [env, len(replies)]
            while len(self.open) > KEPT:
                self.free.append(self.open.popitem(last=False)[1][0])
        return {"shown": shown, "reward": reward, "done": done, "illegal": illegal}

    def probe(self) -> None:
        """Raise UnfitError where the same seed and the same replies show something else the second time."""
        options = list(self.maker.options) or ["0"]
        for seed in (0, 1):
            runs = []
            for time in range(2):
                seen = [self.play(f"probe {time}", seed, [])]
                for turn in range(PROBED):
                    if seen[-1]["done"]:
                        break
                    replies = [options[(seed + at * 7) % len(options)] for at in range(turn + 1)]
                    seen.append(self.play(f"probe {time}", seed, replies))
                # The second time in an environment that was used before, as episodes are played.
                self.free += [env for env, _ in self.open.values()]
                self.open.clear()
                runs.append(seen)
            if runs[0] != runs[1]:
                raise UnfitError(
                    "with the same seed it showed other things the second time",
                    "take an environment that draws all its randomness from its seed",
                )


def one_line(error: BaseException) -> str:
    said = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {said}"[:300]


def answer(episodes: Episodes, request: dict[str, Any]) -> dict[str, Any]:
    """The answer to a request."""
    if request["op"] == "options":
        return {"ok": list(episodes.maker.options)}
    found = []
    for one in request["episodes"]:
        try:
            found.append(episodes.play(one["key"], one["seed"], one["replies"]))
        except Exception as error:
            episodes.open.pop(one["key"], None)
            found.append({"error": one_line(error)})
    return {"ok": found}


def main() -> None:
    """Say whether there is such an environment, then answer requests until input ends."""
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what an environment prints must not be taken for a reply
    kind, name, *style = sys.argv[1:]
    try:
        episodes = Episodes(MAKERS[kind](name, style == ["natural"]))
        if kind != "verifiers":
            episodes.probe()
    except UnfitError as error:
        print(json.dumps({"error": str(error), "fix": error.fix}), file=replies)
        return
    except Exception as error:
        print(json.dumps({"error": one_line(error), "fix": ANOTHER}), file=replies)
        return
    print(json.dumps({"ok": "ready"}), file=replies)
    for line in sys.stdin:
        print(json.dumps(answer(episodes, json.loads(line))), file=replies)


if __name__ == "__main__":
    main()
