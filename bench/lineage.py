"""The lineage of random attempts, against a walk over the tables that shares no code with it.

    python -m bench.lineage RUN [--attempts 1000] [--seed 0] [--json FILE]

The walk reads the journal as plain rows of SQLite. For each attempt it follows the tables: to its task, its verdicts,
the proposal that the task was, who wrote it and what they were shown (two levels), the weights that sampled it, every
update down to the weights that the run began from, every sequence of the newest of these updates with its own task,
author and verdicts, the updates that learned from the attempt, and the exams and decisions about the weights on the
way. Each step must be an edge of the lineage, and the lineage must call itself whole.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sqlite3
import statistics
import time
from collections import Counter, defaultdict
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from autotelic.record import Journal, RunFolder
from autotelic.streams import stream
from autotelic.trace.lineage import lineage_of_attempt

NAMES = ("demonstration", "practice", "own", "attempt", "proposal", "form")
"""Kinds of sequences by their number in `entries.kinds`; larger numbers are parts of the entry before them."""
OF_TASKS = ("demonstration", "practice", "form")
DEPTH = 2
"""How far references are followed."""


class Tables:
    """The journal as plain rows."""

    def __init__(self, run: Path) -> None:
        self.db = sqlite3.connect(f"file:{run / 'journal.sqlite'}?mode=ro", uri=True)
        self.updates: dict[str, tuple[int, dict[str, Any]]] = {}
        """Message and fields of the update that made each set of weights."""
        self.learned: dict[int, set[int]] = defaultdict(set)
        """Messages of the updates that learned from each attempt."""
        for id_, data in self.rows("SELECT id, data FROM messages WHERE kind = 'updated' ORDER BY id"):
            one = json.loads(data)
            if one["after"] != one["before"]:
                self.updates[one["after"]] = (id_, one)
            for name, node in self.entries(id_):
                if name in ("own", "attempt"):
                    self.learned[int(node.partition(":")[2])].add(id_)
        self.proposed: dict[str, set[int]] = defaultdict(set)
        """Proposals that became each task."""
        for (data,) in self.rows("SELECT data FROM messages WHERE kind = 'admitted'"):
            for outcome in json.loads(data)["outcomes"]:
                if outcome["task"]:
                    self.proposed[outcome["task"]].add(int(outcome["proposal"]))
        self.exams = [
            (id_, json.loads(data)["report"])
            for id_, data in self.rows("SELECT id, data FROM messages WHERE kind = 'evaluated' ORDER BY id")
        ]
        self.decided = [
            (id_, json.loads(data)["weights"])
            for id_, data in self.rows("SELECT id, data FROM messages WHERE kind = 'decided' ORDER BY id")
        ]

    def rows(self, query: str, values: tuple[Any, ...] = ()) -> list[Any]:
        return self.db.execute(query, values).fetchall()

    def weights_of(self, attempt: int) -> str:
        ((steps,),) = self.rows("SELECT steps FROM episodes WHERE row = ?", (attempt,))
        return str(json.loads(steps)[0][4])

    def entries(self, message: int) -> list[tuple[str, str]]:
        """Kind and node of each sequence of an update."""
        ((kinds, refs),) = self.rows("SELECT kinds, refs FROM entries WHERE message = ?", (message,))
        found: list[tuple[str, str]] = []
        for number, ref in zip(kinds, np.frombuffer(refs, "<u4").tolist(), strict=True):
            if number >= len(NAMES):
                continue
            name = NAMES[number]
            if name in OF_TASKS:
                ((id_,),) = self.rows("SELECT id FROM tasks WHERE row = ?", (ref,))
                found.append((name, f"task:{id_}"))
            else:
                found.append((name, f"{'proposal' if name == 'proposal' else 'attempt'}:{ref}"))
        return found

    def task_of(self, attempt: int) -> str:
        ((task,),) = self.rows("SELECT task FROM episodes WHERE row = ?", (attempt,))
        return str(task)


class Walk:
    """One walk: `problems` has a line for each step that the lineage lacks, `steps` how many were looked at."""

    def __init__(self, tables: Tables, found: dict[str, Any], attempt: int) -> None:
        self.tables = tables
        self.nodes = found["nodes"]
        self.edges = {tuple(edge) for edge in found["edges"]}
        self.targets: dict[tuple[str, str], list[str]] = defaultdict(list)
        for source, relation, target in found["edges"]:
            self.targets[source, relation].append(target)
        self.messages = {facts["message"]: node for node, facts in self.nodes.items() if "message" in facts}
        self.problems: list[str] = []
        self.steps = 0
        self.updates = 0
        if not found["complete"]:
            self.problems.append(f"it calls itself incomplete: {found['missing'][:2]}")
        self._attempt(attempt)
        self._history(self.tables.weights_of(attempt))
        for id_ in self.tables.learned[attempt]:
            self._edge(f"attempt:{attempt}", "was learned in", self._update(id_))

    def _see(self, there: bool, what: str) -> None:
        self.steps += 1
        if not there:
            self.problems.append(what)

    def _edge(self, source: str, relation: str, target: str) -> None:
        ends = source in self.nodes and target in self.nodes
        self._see(ends and (source, relation, target) in self.edges, f"no edge {source} {relation} {target}")

    def _update(self, message: int) -> str:
        return str(self.messages.get(message, f"(no update of message {message})"))

    def _attempt(self, number: int) -> None:
        node, task = f"attempt:{number}", self.tables.task_of(number)
        self._edge(node, "answers", f"task:{task}")
        self._edge(node, "sampled from", f"weights:{self.tables.weights_of(number)}")
        said = self.tables.rows("SELECT reason FROM verdicts WHERE episode = ? ORDER BY row", (number,))
        mine = [verdict["reason"] for verdict in self.nodes.get(node, {}).get("verdicts", ())]
        self._see(mine == [reason for (reason,) in said], f"{node} has the verdicts {mine}")
        self._task(task, DEPTH)

    def _task(self, id_: str, depth: int) -> None:
        query = "SELECT author, shown, is_repair FROM tasks WHERE id = ?"
        ((author, shown, repair),) = self.tables.rows(query, (id_,))
        node = f"task:{id_}"
        self._edge(node, "written by", "rules" if author == "rules" else f"weights:{author}")
        if author != "rules" and not repair:
            for proposal in self.tables.proposed[id_]:
                self._edge(node, "was proposed as", f"proposal:{proposal}")
                self._proposal(proposal)
        for other in json.loads(shown) if depth else ():
            self._edge(node, "repairs an answer to" if repair else "its writer was shown", f"task:{other}")
            self._task(other, depth - 1)

    def _proposal(self, number: int) -> None:
        ((author,),) = self.tables.rows("SELECT author FROM proposals WHERE row = ?", (number,))
        self._edge(f"proposal:{number}", "sampled from", f"weights:{author}")

    def _history(self, digest: str) -> None:
        """Every update down to the weights that the run began from; the newest with its sequences."""
        digests = [digest]
        while digest in self.tables.updates:
            id_, data = self.tables.updates[digest]
            update = self._update(id_)
            self._edge(f"weights:{digest}", "made by", update)
            self._edge(update, "learned on top of", f"weights:{data['before']}")
            if not self.updates:
                self._sequences(update, id_)
            self.updates += 1
            digest = data["before"]
            digests.append(digest)
        self._edge(f"weights:{digest}", "begun by", "run")
        self._examined(digests)

    def _sequences(self, update: str, message: int) -> None:
        expected = self.tables.entries(message)
        mine = [
            (self.nodes[one]["learned_as"], "".join(self.targets[one, "is"]))
            for one in self.targets[update, "consisted of"]
        ]
        self._see(Counter(mine) == Counter(expected), f"{update} has other sequences than its message")
        for _, node in dict.fromkeys(expected):
            kind, name = node.split(":")
            self._see(node in self.nodes, f"{node} is not there")
            if kind == "attempt":
                self._attempt(int(name))
            elif kind == "proposal":
                self._proposal(int(name))
            else:
                self._task(name, DEPTH)

    def _examined(self, digests: list[str]) -> None:
        """The newest weights of the chain that sat each exam, and the decisions about all of them."""
        place = {digest: at for at, digest in enumerate(digests)}
        nearest: dict[str, int] = {}
        for _, report in self.tables.exams:
            if report["weights"] in place:
                at = place[report["weights"]]
                nearest[report["exam"]] = min(at, nearest.get(report["exam"], at))
        for name, at in nearest.items():
            seen = self.targets[f"weights:{digests[at]}", "examined in"]
            self._see(any(self.nodes[one]["exam"] == name for one in seen), f"the exam {name} is not there")
        refs = {self.nodes[f"weights:{d}"]["ref"]: d for d in digests if f"weights:{d}" in self.nodes}
        for id_, ref in self.tables.decided:
            if ref in refs:
                self._edge(f"weights:{refs[ref]}", "judged in", f"message:{id_}")


def measure(run: Path, attempts: int, seed: int, limit: float) -> dict[str, Any]:
    """Lineages and walks of random attempts: how many are whole, and the seconds of a lineage.

    It ends after `limit` seconds of the processor, or when it is told to (SIGINT, SIGTERM): the attempts are in a
    random order, so those before are as random.
    """
    tables, place = Tables(run), RunFolder.open(run)
    seconds: list[float] = []
    cpu: list[float] = []
    problems: list[str] = []
    whole = steps = updates = 0
    with Journal.open(run) as journal, suppress(KeyboardInterrupt):
        n = journal.counts()["episodes"]
        drawn = stream(seed, "lineage", "attempts").choice(n, size=min(n, attempts), replace=False)
        for row in drawn:
            if time.process_time() > limit:
                break
            began, worked = time.perf_counter(), time.process_time()
            lineage = lineage_of_attempt(place, journal, int(row) + 1)
            took, used = time.perf_counter() - began, time.process_time() - worked
            walk = Walk(tables, lineage.as_json(), int(row) + 1)
            seconds.append(took)
            cpu.append(used)
            whole += not walk.problems
            problems += [f"attempt {int(row) + 1}: {line}" for line in walk.problems]
            steps += walk.steps
            updates += walk.updates
    return {
        "run": run.name,
        "attempts_of_the_run": n,
        "drawn": len(seconds),
        "seed": seed,
        "whole": whole,
        "steps_of_the_walks": steps,
        "updates_walked": updates,
        "problems": problems[:20],
        "seconds_of_a_lineage": _spread(seconds),
        "of_the_processor": _spread(cpu),
        "load": os.getloadavg(),
    }


def _spread(seconds: list[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(seconds), 3),
        "p95": round(statistics.quantiles(seconds, n=20)[-1], 3),
        "max": round(max(seconds), 3),
    }


def main() -> None:
    """Print what was found; exit 1 where a lineage is not whole."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("--attempts", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=3600.0, help="of the processor")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    report = measure(given.run, given.attempts, given.seed, given.seconds)
    text = json.dumps(report, indent=1)
    print(text)
    if given.json:
        given.json.write_text(text + "\n")
    raise SystemExit(report["whole"] < report["drawn"])


if __name__ == "__main__":
    main()
