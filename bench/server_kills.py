"""A run of a pretrained model whose completions come from a server that is killed twice, beside one that is not.

    python -m bench.server_kills FOLDER [--generations 2] [--kills 2] [--json FILE]
    python -m bench.server_kills FOLDER --serve "vllm serve {folder} --port {port} --dtype float32 --enable-lora ..."

FOLDER is a model that `autotelic models pull` made (~/.cache/autotelic/models/smollm2-135m). Without `--serve` the
server is our own decode loop behind vLLM's protocol, in a process of its own: what the tests have. Each kill comes a
moment after a generation has begun to attempt its tasks, and a new process takes the place of the old one.

It prints whether both runs learned the same: to the bit with our decode loop; a server whose sums depend on what else
it runs gives other tokens, and then only the counts are compared.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shlex
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autotelic.charter import Charter
from autotelic.loop import run
from autotelic.machine import Machine
from autotelic.messages import Attempted, Dropped, Message, Probed, StageBegan, Updated
from autotelic.record import Journal

STAND_IN = Path(__file__).parents[1] / "tests" / "models"
"""Where the server of the tests lies."""
START_SECONDS = 300.0
"""How long a server may take until it listens."""
LATEST_S = 4.0
"""A kill comes at most so long after the attempts began."""


def charter_of(folder: Path, generations: int) -> Charter:
    """A short run of mathematics with an adapter."""
    return Charter.of(
        {
            "domain": {"name": "math", "style": "natural", "modes": ["solve"], "levels": [1, 1]},
            "model": {"name": str(folder.resolve()), "lora_rank": 4},
            "roles": {"max_tokens": 40},
            "curriculum": {
                "bootstrap_generations": 1,
                "tasks_per_generation": 12,
                "probe_tasks": 2,
                "group_size": 4,
            },
            "learn": {"optimiser": "adamw", "batch_tokens": 512},
            "exam": {"items_per_cell": 4, "samples": 1, "levels": [1, 1], "every": 10, "own_items": 0},
            "gate": {"items": 8, "answers": 2, "planned": 1},
            "budget": {"seconds": 0.0, "generations": generations},
        }
    )


class MortalServer:
    """A server in a process of its own, on one port, however often it is killed."""

    def __init__(self, folder: Path, command: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.words = shlex.split(command.format(folder=folder, port=self.port)) or [
            sys.executable,
            "-c",
            f"import completions_server as c; c.serve_folder({str(folder)!r}, {self.port})",
        ]
        self.kills = 0
        self.begin()

    @property
    def url(self) -> str:
        """What a machine names it by."""
        return f"http://127.0.0.1:{self.port}/v1"

    def begin(self) -> None:
        paths = os.pathsep.join([str(STAND_IN), *filter(None, sys.path)])
        self.process = subprocess.Popen(
            self.words,
            env=os.environ | {"PYTHONPATH": paths, "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "True"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def wait(self) -> None:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.2)
        raise SystemExit("the server did not begin")

    def kill(self) -> None:
        """End it at once, and begin another in its place."""
        self.end()
        self.kills += 1
        self.begin()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


def killer(server: MortalServer, kills: int, rng: random.Random) -> Callable[[Message], None]:
    """Watches a run, and kills its server once a generation, a moment after the attempts began."""

    def watch(message: Message) -> None:
        begins = isinstance(message, StageBegan) and message.stage == "attempt"
        if begins and server.kills < min(kills, message.generation):
            threading.Timer(rng.uniform(0.0, LATEST_S), server.kill).start()

    return watch


def figures(place: Path) -> dict[str, Any]:
    """What a run did: weights after each update, attempts by task, what was lost."""
    with Journal.open(place) as journal:
        messages = list(journal.read())
    tasks = [group.task.id for m in messages if isinstance(m, Attempted) for group in m.groups]
    return {
        "weights": [m.after for m in messages if isinstance(m, Updated)],
        "steps": [m.step for m in messages if isinstance(m, Updated)],
        "attempted": len(tasks),
        "attempted_twice": sum(n > 1 for n in Counter(tasks).values()),
        "servers_lost": sum(m.n for m in messages if isinstance(m, Dropped) and m.what == "server"),
        "largest_gap": max(m.gap for m in messages if isinstance(m, Probed)),
    }


def main() -> None:
    """Print both runs, and whether they are the same."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--serve", default="", help="the server's command line, with {folder} and {port}")
    parser.add_argument("--generations", type=int, default=2)
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    charter = charter_of(given.folder, given.generations)
    server = MortalServer(given.folder, given.serve)
    found: dict[str, dict[str, Any]] = {}
    try:
        with tempfile.TemporaryDirectory(prefix="autotelic-kills-") as name:
            for case, kills in (("whole", 0), ("killed", given.kills)):
                server.wait()
                began, place = time.perf_counter(), Path(name) / case
                machine = Machine(threads=1, workers=1, server=server.url)
                run(charter, place, machine=machine, watch=killer(server, kills, random.Random(given.seed)))
                found[case] = figures(place) | {"seconds": round(time.perf_counter() - began, 1)}
    finally:
        server.end()
    report = {
        "model": given.folder.name,
        "server": given.serve or "our decode loop behind vLLM's protocol",
        "kills": server.kills,
        "same_weights_after_every_update": found["whole"]["weights"] == found["killed"]["weights"],
        **{case: {k: v for k, v in one.items() if k != "weights"} for case, one in found.items()},
        "updates": len(found["killed"]["weights"]),
    }
    text = json.dumps(report, indent=1)
    print(text)
    if given.json:
        given.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
