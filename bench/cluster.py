"""A run on a cluster of two nodes whose workers and node are killed at random, and whose link is cut.

    python -m bench.cluster [--kills 50] [--partition 60] [--generations 12] [--out cluster.json]

Needs root and `ip` (iproute2): each node is a network namespace of this machine, joined by a veth pair. The loop and
the head of the cluster are in one namespace, the other node in the other. What is compared is the champion's file and
the digests of the last checkpoint with those of an undisturbed run in one process. Nothing of it is timed.

A kill is of one worker (a sampler, a judge or the learner, on either node) or of every process of the second node,
which is started again. The partition takes the link down, and up again after so many seconds.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

HEAD, OTHER = "autotelic-a", "autotelic-b"
ADDRESSES = {HEAD: "10.77.0.1", OTHER: "10.77.0.2"}
PORT = 6379
WORKERS = ("SamplerWorker", "JudgeWorker", "LearnerWorker")
WANTED = 5
"""Workers that the run asks for: two samplers, two judges, a learner."""
NODE_SHARE = 0.1
"""Share of kills that take the whole second node."""
CHARTER = """
purpose = "A run on nodes that die."
[domain]
levels = [1, 1]
[model.tiny]
width = 32
depth = 2
heads = 2
[roles]
max_tokens = 24
[curriculum]
bootstrap_generations = 1
tasks_per_generation = 48
probe_tasks = 8
group_size = 4
[learn]
batch_tokens = 1024
[exam]
items_per_cell = 2
levels = [1, 1]
every = 4
own_items = 4
[gate]
items = 8
answers = 2
planned = 2
[budget]
seconds = 0.0
generations = {generations}
"""


def sh(*words: str, check: bool = True, **settings: Any) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False, **settings)
    if check and done.returncode:
        raise SystemExit(f"{' '.join(words)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


class Nodes:
    """Two namespaces and what runs in them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = os.environ | {
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": secrets.token_hex(32),
            "RAY_DASHBOARD_STARTUP_TIMEOUT_S": "300",
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        }

    def __enter__(self) -> Nodes:
        self.remove()
        for name in (HEAD, OTHER):
            sh("ip", "netns", "add", name)
        sh(
            "ip",
            "link",
            "add",
            "atl-a",
            "netns",
            HEAD,
            "type",
            "veth",
            "peer",
            "name",
            "atl-b",
            "netns",
            OTHER,
        )
        for name, link in ((HEAD, "atl-a"), (OTHER, "atl-b")):
            sh("ip", "-n", name, "addr", "add", f"{ADDRESSES[name]}/24", "dev", link)
            sh("ip", "-n", name, "link", "set", link, "up")
            sh("ip", "-n", name, "link", "set", "lo", "up")
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def remove(self) -> None:
        for name in (HEAD, OTHER):
            self.kill_node(name)
            sh("ip", "netns", "del", name, check=False)

    def pids(self, name: str) -> list[int]:
        return [int(pid) for pid in sh("ip", "netns", "pids", name, check=False).split()]

    def kill_node(self, name: str) -> None:
        for pid in self.pids(name):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def start(self, name: str, tries: int = 6) -> None:
        """Start Ray in a namespace; a busy machine may need several tries."""
        ray = str(Path(sys.executable).with_name("ray"))
        place = [
            "--head",
            f"--port={PORT}",
            f"--temp-dir={self.folder / 'ray-a'}",
            "--include-dashboard=false",
        ]
        if name != HEAD:
            place = [f"--address={ADDRESSES[HEAD]}:{PORT}"]
        for left in reversed(range(tries)):
            done = subprocess.run(
                ["ip", "netns", "exec", name, ray, "start", *place, f"--node-ip-address={ADDRESSES[name]}",
                 "--num-cpus=8", "--object-store-memory=200000000", "--disable-usage-stats"],
                env=self.environment, capture_output=True, text=True, check=False,
            )  # fmt: skip
            if not done.returncode:
                return
            self.kill_node(name)
            if not left:
                raise SystemExit(f"Ray does not start in {name}: {done.stderr[-400:]}")

    def link(self, state: str) -> None:
        sh("ip", "-n", OTHER, "link", "set", "atl-b", state)

    def run(self, *words: str) -> subprocess.Popen[bytes]:
        environment = self.environment | {"AUTOTELIC_NODE_IP": ADDRESSES[HEAD]}
        with (self.folder / "run.log").open("wb") as log:
            return subprocess.Popen(
                ["ip", "netns", "exec", HEAD, sys.executable, "-m", "autotelic.cli", *words],
                env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            )  # fmt: skip

    def has_raylet(self, name: str) -> bool:
        """Whether Ray runs in a namespace."""
        for pid in self.pids(name):
            with contextlib.suppress(OSError):
                if b"raylet/raylet" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    return True
        return False

    def workers(self) -> list[tuple[int, str, str]]:
        """(pid, kind, namespace) of every worker that runs."""
        found = []
        for name in (HEAD, OTHER):
            for pid in self.pids(name):
                with contextlib.suppress(OSError):
                    title = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
                    found += [(pid, kind, name) for kind in WORKERS if title.startswith(f"ray::{kind}")]
        return found


def digests(folder: Path) -> dict[str, str]:
    """The champion's file, and what the last checkpoint holds besides times."""
    import hashlib

    import torch

    from autotelic.models.digest import digest_of
    from autotelic.record import checkpoint
    from autotelic.weights.store import Store

    found = checkpoint.load_latest(folder / "checkpoints", Store(folder / "weights"))
    if found is None:
        return {}
    state = dict(found.state["state"])
    state["counters"] = {k: v for k, v in state["counters"].items() if k not in ("seconds", "train_seconds")}
    groups = {n: {k: torch.as_tensor(v) for k, v in g.items()} for n, g in found.tensors.items()}
    champion = (folder / "champion" / "model.safetensors").read_bytes()
    return {name: digest_of(group) for name, group in groups.items()} | {
        "champion": hashlib.sha256(champion).hexdigest(),
        "actor": found.state["actor"],
        "state": hashlib.sha256(json.dumps(state).encode()).hexdigest(),
    }


def counted(folder: Path) -> dict[str, Any]:
    """What the journal says: the work that was done again, and whether a task or an update is there twice."""
    from autotelic.messages import Attempted, Dropped, Updated
    from autotelic.record import Journal

    again: Counter[str] = Counter()
    steps: list[int] = []
    attempts: Counter[tuple[int, str, str]] = Counter()
    with Journal.open(folder) as journal:
        for message in journal.read():
            if isinstance(message, Dropped) and "was done again" in message.why:
                again[f"{message.what}: {message.why}"] += message.n
            if isinstance(message, Updated):
                steps.append(message.step)
            if isinstance(message, Attempted):
                attempts.update(
                    (message.generation, message.purpose, group.task.id) for group in message.groups
                )
    return {
        "done_again": dict(again),
        "updates": len(steps),
        "updates_in_order": steps == list(range(len(steps))),
        "attempted": len(attempts),
        "attempted_twice": sum(n > 1 for n in attempts.values()),
    }


def disturb(
    nodes: Nodes, run: subprocess.Popen[bytes], kills: int, pause: float, until: float, rng: random.Random
) -> Counter[str]:
    """Kill so many workers and nodes while the run goes on, until a time; what was killed.

    The next is killed once all workers but one are there again: a machine on which they take longer to begin than to
    be killed would show nothing. A second node that left by itself, as after a partition, is started again.
    """
    done: Counter[str] = Counter()
    while sum(done.values()) < kills and run.poll() is None and time.monotonic() < until:
        time.sleep(rng.uniform(0.2, 2 * pause))
        if not nodes.has_raylet(OTHER):
            nodes.start(OTHER)
            continue
        workers = nodes.workers()
        if len(workers) < WANTED - 1:
            continue
        if rng.random() < NODE_SHARE:
            nodes.kill_node(OTHER)
            done["node"] += 1
        else:
            pid, kind, where = rng.choice(workers)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                done[f"{kind} on {'head' if where == HEAD else 'other'}"] += 1
        print(f"killed {sum(done.values())}: {dict(done)}", file=sys.stderr, flush=True)
    return done


def main() -> None:
    """Run it and print what came of it as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--pause", type=float, default=3.0, help="mean seconds between kills")
    parser.add_argument(
        "--partition", type=float, default=60.0, help="seconds for which the link is cut; 0 for none"
    )
    parser.add_argument("--generations", type=int, default=12)
    parser.add_argument("--minutes", type=float, default=120.0, help="of killing; then the run is left alone")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    if os.geteuid() or not shutil.which("ip"):
        raise SystemExit("bench.cluster makes network namespaces: it needs root and `ip` (iproute2)")
    rng = random.Random(given.seed)
    with tempfile.TemporaryDirectory(prefix="autotelic-cluster-") as name:
        folder = Path(name)
        charter = folder / "charter.toml"
        charter.write_text(CHARTER.format(generations=given.generations))
        common = ["--threads", "2", "--workers", "1"]
        subprocess.run(
            [sys.executable, "-m", "autotelic.cli", "run", str(charter), *common, "--out", str(folder / "local")],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        with Nodes(folder) as nodes:
            for node in (HEAD, OTHER):
                nodes.start(node)
            began = time.monotonic()
            address = f"{ADDRESSES[HEAD]}:{PORT}"
            run = nodes.run(
                *("run", str(charter), *common, "--engine", "ray", "--address", address),
                *("--samplers", "2", "--judges", "2", "--out", str(folder / "ray")),
            )
            while not nodes.workers() and run.poll() is None:
                time.sleep(1.0)
            healed = None
            if given.partition and run.poll() is None:
                nodes.link("down")
                time.sleep(given.partition)
                nodes.link("up")
                healed = run.poll() is None
                print(f"partition over, run alive: {healed}", file=sys.stderr, flush=True)
            until = time.monotonic() + 60 * given.minutes
            killed = disturb(nodes, run, given.kills, given.pause, until, rng)
            code = run.wait()
            took = time.monotonic() - began
            said = (folder / "run.log").read_text(errors="replace")[-2000:]
        mine, theirs = digests(folder / "local"), digests(folder / "ray") if not code else {}
        report = {
            "kills": sum(killed.values()),
            "killed": dict(killed),
            "partition_s": given.partition,
            "alive_after_partition": healed,
            "exit_code": code,
            "equal": mine == theirs,
            "local": mine,
            "ray": theirs,
            "journal": counted(folder / "ray") if not code else {},
            "wall_s": round(took, 1),
            "generations": given.generations,
            "seed": given.seed,
            **({} if not code else {"said": said}),
        }
    text = json.dumps(report, indent=1)
    print(text)
    if given.out:
        given.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
