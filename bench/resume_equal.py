"""Is a run that was stopped and killed what an undisturbed one is? At the sizes of the default charter, bit for bit.

    python -m bench.resume_equal FOLDER [--generations 6] [--seed 0] [--set KEY=VALUE ...] [--out FILE]

FOLDER/whole is a run of the built-in charter, with generations in place of seconds. FOLDER/disturbed is the same with
Ctrl-C (SIGINT) at one random moment and `kill -9` at another, and `autotelic resume` after each. Both go through the
command line, with as many threads. A run that is in the folder already is taken as it is.

Compared are the newest checkpoint (weights, optimiser, critic, state) and every message that is not superseded, with
all rows of the journal that it brought. Left out is what differs by nature, and it is named (`DIFFERS`): times,
leases, and what auditors said, who draw their items with a key of the run's own. Ids of messages, proposals
and episodes only ever grow, so that a disturbed run has higher ones: they are compared by their place among those
that are not superseded.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import torch

from autotelic.charter import Charter
from autotelic.errors import RecordError
from autotelic.messages import Message
from autotelic.models.digest import digest_of
from autotelic.record import Journal, checkpoint
from autotelic.types import Entry, Episode, Proposal, Task
from autotelic.weights.store import Store

DIFFERS: Mapping[str, str] = {
    "*.seconds": "a time",
    "*.time": "a time",
    "evaluated.took": "a time",
    "generation.ended.train_seconds": "a time",
    "generation.ended.decode_seconds": "a time",
    "generation.ended.total_seconds": "a time",
    "leased": "a resumed run asks for a lease before it goes on, so that it has more of them",
    "decided.decision": "what auditors said; their items come from a key that each run makes for itself",
    "state.counters.seconds": "a time",
    "state.counters.train_seconds": "a time",
    "run.*": "that a run was stopped and resumed is part of its history",
}
"""Fields that differ by nature, and why."""
_TIMES = {"seconds", "time", "took", "train_seconds", "decode_seconds", "total_seconds"}


# ── two runs ─────────────────────────────────────────────────────────────────────────────────────────────


def begin(folder: Path, charter: Path) -> subprocess.Popen[bytes]:
    return _started("run", str(charter), "--out", str(folder), "--threads", "1")


def go_on(folder: Path) -> subprocess.Popen[bytes]:
    return _started("resume", str(folder))


def _started(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "autotelic.cli", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def finished(process: subprocess.Popen[bytes]) -> None:
    """Wait for a run that must end well."""
    _, error = process.communicate()
    if process.returncode:
        sys.exit(f"a run ended with {process.returncode}: {error.decode()[-2000:]}")


def disturb(
    process: subprocess.Popen[bytes], folder: Path, generation: int, how: int, rng: random.Random
) -> str:
    """Send a signal after a random message of a generation and a random wait; where that was."""
    messages = rng.randint(1, 40)
    wait = rng.uniform(0.0, 2.0)
    while process.poll() is None:
        last = _last_of(folder, generation, messages)
        if last:
            time.sleep(wait)
            break
        time.sleep(0.05)
    if process.poll() is not None:
        sys.exit(f"the run ended before it was disturbed: {process.communicate()[1].decode()[-2000:]}")
    span = _last_of(folder, generation, 1)
    process.send_signal(how)
    process.communicate()
    name = signal.Signals(how).name
    return f"{name} in generation {generation}, {wait:.2f} s after its message {messages}, in {span}"


def _last_of(folder: Path, generation: int, messages: int) -> str:
    """The span of the newest message of a generation, once it has so many messages."""
    try:
        journal = Journal.open(folder)
    except RecordError:
        return ""  # it is not begun yet
    with journal:
        rows = journal.select(
            "SELECT count(*), max(id) FROM messages WHERE generation = ? AND kind != 'run.resumed'",
            [generation],
        )
        if rows[0][0] < messages:
            return ""
        found = journal.select("SELECT span, kind FROM messages WHERE id = ?", [rows[0][1]])
    return " ".join(found[0])


# ── what is compared ─────────────────────────────────────────────────────────────────────────────────────


class Ranks:
    """The place of an id among those that are not superseded."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], int] = {}
        self._counts: Counter[str] = Counter()

    def of(self, kind: str, id_: int) -> int:
        if (kind, id_) not in self._known:
            self._counts[kind] += 1
            self._known[kind, id_] = self._counts[kind]
        return self._known[kind, id_]


def plain(value: Any, ranks: Ranks) -> Any:
    """A value as JSON, without what differs by nature, with places for ids."""
    match value:
        case Task():
            return f"task {value.id}"  # the hash of all that it is
        case Entry():
            ref: Any = value.ref
            if value.kind in ("own", "attempt", "proposal"):
                ref = ranks.of("proposal" if value.kind == "proposal" else "episode", int(value.ref))
            return [value.kind, ref, value.weight, list(value.shown), list(value.tokens)]
        case Mapping():
            return {str(key): plain(item, ranks) for key, item in value.items()}
        case str() | int() | float() | None:
            return value
        case Sequence():
            return [plain(item, ranks) for item in value]
    if not is_dataclass(value):
        raise TypeError(type(value).__name__)
    found: dict[str, Any] = {}
    kind = getattr(value, "kind", "") if isinstance(value, Message) else ""
    for field in fields(value):
        name, item = field.name, getattr(value, field.name)
        if name in _TIMES or f"{kind}.{name}" in DIFFERS or (name == "id" and isinstance(value, Message)):
            continue
        if name == "id" and isinstance(value, Proposal | Episode):
            found[name] = ranks.of("proposal" if isinstance(value, Proposal) else "episode", item)
        elif type(value).__name__ == "Outcome" and name == "proposal":
            found[name] = ranks.of("proposal", item)
        elif type(value).__name__ == "Earned" and name == "id":
            found[name] = ranks.of("episode" if value.role == "solver" else "proposal", item)
        else:
            found[name] = plain(item, ranks)
    return found


def messages(folder: Path, until: int | None) -> Iterator[tuple[str, str, str]]:
    """Kind, span and digest of every message that is not superseded and not about the run as a whole.

    All, or those up to the checkpoint of a generation.
    """
    ranks = Ranks()
    with Journal.open(folder) as journal:
        for message in journal.each_message():
            if message.kind.startswith("run.") or message.kind in DIFFERS:
                continue
            text = json.dumps(plain(message, ranks), sort_keys=True, default=str)
            yield (
                message.kind,
                message.span,
                hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest(),
            )


def saved(folder: Path, generation: int) -> dict[str, str]:
    """A checkpoint: digests of weights, optimiser, critic and state, each part of the state by name."""
    found = checkpoint.load(checkpoint.path_of(folder / "checkpoints", generation), Store(folder / "weights"))
    state = dict(found.state["state"])
    state["counters"] = {k: v for k, v in state["counters"].items() if k not in _TIMES}
    with Journal.open(folder) as journal:
        answers = {e.id: e.answer for e in journal.episodes_at([one[1] for one in state["right"]])}
    state["right"] = [[task, answers[id_], source] for task, id_, source in state["right"]]
    parts = {
        f"state.{name}": hashlib.sha256(json.dumps(part, sort_keys=True).encode()).hexdigest()
        for name, part in state.items()
    }
    groups = {
        name: digest_of({k: torch.as_tensor(v) for k, v in group.items()})
        for name, group in found.tensors.items()
    }
    critic = hashlib.sha256(json.dumps(found.state["critic"], sort_keys=True).encode()).hexdigest()
    return {"weights": str(found.state["actor"]), **groups, "critic.counts": critic, **parts}


def rows_of(folder: Path) -> dict[str, dict[str, int]]:
    """Rows of each table: all, and those that were superseded."""
    with Journal.open(folder) as journal:
        gone = " OR ".join(f"message BETWEEN {a} AND {b}" for a, b in journal.ranges()) or "0"
        counts = journal.counts()
        lost = {
            table: int(journal.select(f"SELECT count(*) FROM {table} WHERE {gone}")[0][0])
            for table in counts
            if table != "messages"
        }
    return {"all": counts, "superseded": lost}


def compare(whole: Path, disturbed: Path) -> dict[str, Any]:
    """What of two runs is the same, and the first of what is not.

    Of runs that are not both at their end it compares what comes before the newest checkpoint that both have.
    """
    both = set.intersection(*(set(checkpoint.generations(one / "checkpoints")) for one in (whole, disturbed)))
    ended = all((one / "summary.json").is_file() for one in (whole, disturbed))
    newest = max(both)
    until = None if ended else newest
    left, right = list(messages(whole, until)), list(messages(disturbed, until))
    other = [f"{a[0]} in {a[1]}, and {b[0]} in {b[1]}" for a, b in zip(left, right, strict=False) if a != b]
    ours, theirs = saved(whole, newest), saved(disturbed, newest)
    return {
        "compared": "both to their end" if ended else f"up to the checkpoint of generation {newest}",
        "messages": {
            "whole": len(left),
            "disturbed": len(right),
            "different": len(other),
            "first": other[:5],
        },
        "kinds": dict(Counter(kind for kind, _, _ in left)),
        "checkpoint": {name: {"same": ours[name] == theirs[name], "digest": ours[name]} for name in ours},
        "rows": {"whole": rows_of(whole), "disturbed": rows_of(disturbed)},
        "equal": not other and len(left) == len(right) and ours == theirs,
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--generations", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--moments", type=int, default=0, help="the seed of the moments of the signals")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="another setting, for a trial"
    )
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    changes = {key: json.loads(value) for key, value in (text.split("=", 1) for text in given.set)}
    charter = Charter().replace(
        {"budget.seconds": 0.0, "budget.generations": given.generations, "seed": given.seed, **changes}
    )
    given.folder.mkdir(parents=True, exist_ok=True)
    place = given.folder / "charter.toml"
    place.write_text(charter.toml())
    whole, disturbed = given.folder / "whole", given.folder / "disturbed"
    rng = random.Random(given.moments)
    where = []
    if not disturbed.exists():
        first = rng.randint(2, max(2, given.generations // 2))
        second = rng.randint(first, given.generations)
        where.append(disturb(begin(disturbed, place), disturbed, first, signal.SIGINT, rng))
        print(where[-1], flush=True)
        where.append(disturb(go_on(disturbed), disturbed, second, signal.SIGKILL, rng))
        print(where[-1], flush=True)
        finished(go_on(disturbed))
    if not whole.exists():
        finished(begin(whole, place))
    report = {
        "charter": charter.digest,
        "changed": {"budget.generations": given.generations, **changes},
        "disturbed": where,
        "differs by nature": dict(DIFFERS),
        **compare(whole, disturbed),
    }
    text = json.dumps(report, indent=1)
    print(text)
    if given.out:
        given.out.write_text(text + "\n")
    return 0 if report["equal"] else 1


if __name__ == "__main__":
    sys.exit(main())
