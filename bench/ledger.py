"""Whether tampering with a ledger is found, whether honest use ever is, and what the ledger costs.

    python -m bench.ledger                         # everything: an hour on two busy cores
    python -m bench.ledger --only speed            # minutes
    python -m bench.ledger --only attacks --trials 100
    python -m bench.ledger --out docs/results/ledger

attacks   mutations of each class (`ledger_attacks.py`), on ledgers made anew every 25 trials; all must be found.
          Each ledger is first verified unchanged: that is the control arm. Bit flips are also tried without the seal.
kills     `kill -9` at every call that changes a file (`ledger_kills.py`)
honest    appends in batches of 1 to 400 leaves, each commit cosigned by a witness; nothing may be refused or found
speed     appends a second, verify time against size, size of proofs
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autotelic.errors import LedgerError
from autotelic.oversee.ledger import (
    Ledger,
    TreeHead,
    Witness,
    cosign_head,
    export_ledger,
    merkle,
    seal,
    verify_export,
    verify_ledger,
    verify_proof,
)
from bench.ledger_attacks import ATTACKS, NAME, Victim, copy, is_refused_by_the_witness, leaf, rows
from bench.ledger_kills import LOG_KEY, ORIGIN, WITNESS_KEY, start

TRIALS_A_VICTIM = 25
MEMORY = Path("/dev/shm")
"""Where attacks are tried: a disk in memory, because they wait for nothing."""
Found = dict[str, Any]


def attacks(options: argparse.Namespace) -> Found:
    """Mutations of each class, and how many were found. Classes of an earlier run stay in the file."""
    parent = MEMORY if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) else None
    found: Found = {}
    for name in options.classes:
        found[name] = attack(name, options.trials, parent)
        print(f"{name}: {found[name]['found']} of {options.trials} found", file=sys.stderr, flush=True)
    path = options.out / "attacks.json" if options.out else None
    return {**(json.loads(path.read_text()) if path and path.exists() else {}), **found}


def attack(name: str, trials: int, parent: Path | None) -> Found:
    """One class: how many were found with what the verifier knows, by what, and how many without the witness."""
    rng = random.Random(f"ledger {name}")
    found, alone, asked = 0, 0, 0
    reasons: Counter[str] = Counter()
    missed: list[str] = []
    alarms = refused = refusals = unsealed = same_rows = 0
    begun = time.perf_counter()
    victim: Victim | None = None
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        for trial in range(trials):
            if trial % TRIALS_A_VICTIM == 0:
                if victim is not None:
                    victim.witness.close()
                    shutil.rmtree(victim.folder)
                victim = Victim.make(Path(folder) / f"victim-{trial}", rng)
                alarms += not victim.verify(victim.folder).ok
            assert victim is not None
            place = Path(folder) / "tampered"
            copy(victim.folder, place)
            ATTACKS[name](victim, place, rng)
            report = victim.verify(place)
            found += not report.ok
            reasons[kind_of(report.problem)] += 1
            if report.ok:
                missed.append(f"trial {trial}")
            if trial % 10 == 0:
                asked += 1
                alone += not victim.verify(place, witnessed=False).ok
                if name in ("fork", "database restore", "stolen log key"):
                    refused += 1
                    refusals += witness_refuses(victim, place)
            if name == "bit flip" and seal.path_of(place / NAME).exists():
                seal.remove(place / NAME)
                unsealed += 1
                if victim.verify(place).ok:
                    same_rows += 1
                    if rows(place / NAME) != rows(victim.folder / NAME):
                        missed.append(f"trial {trial} without the seal")
            shutil.rmtree(place)
        if victim is not None:
            victim.witness.close()
    result: Found = {
        "trials": trials,
        "found": found,
        "missed": missed[:20],
        "false alarms on the unchanged ledger": f"{alarms} of {-(-trials // TRIALS_A_VICTIM)}",
        "found without the witness": f"{alone} of {asked}",
        "reasons": dict(reasons.most_common()),
        "seconds": round(time.perf_counter() - begun, 1),
    }
    if refused:
        result["refused by the witness when it was asked to cosign"] = f"{refusals} of {refused}"
    if unsealed:
        result["without the seal"] = f"{unsealed - same_rows} of {unsealed} found; the others changed no row"
    return result


def witness_refuses(victim: Victim, place: Path) -> bool:
    """Whether a tampered ledger gets no cosignature. One that its key cannot even open does not get one either."""
    try:
        return is_refused_by_the_witness(victim, place)
    except LedgerError:
        return True


def kind_of(problem: str | None) -> str:
    """A report's line without its numbers and names."""
    if problem is None:
        return "NOT FOUND"
    for words in (
        "seal", "was cut short or restored", "a second history", "its hash is another", "their node is another",
        "the root is another", "is replaced by one of", "follow the last checkpoint", "are missing",
        "is missing, and", "is the one known", "not of", "a cosignature", "is not valid", "damaged",
        "has not the tables", "is not an SQLite database", "more interior nodes", "its key is of", "key id",
        "does not name", "does not verify", "the note", "not base64", "not a signature line", "verifier key",
    ):  # fmt: skip
        if words in problem:
            return words
    return "other lines"


def kills(options: argparse.Namespace) -> Found:
    """`kill -9` at every write."""
    return start(1) or {"problems": ["not run: there is no C compiler"]}


def honest(options: argparse.Namespace) -> Found:
    """Honest appends with a witness; whatever is refused or found is a false alarm."""
    rng, appends = random.Random(1), options.appends
    alarms: list[str] = []
    commits = proofs = 0
    verified: list[Found] = []
    milestones = [10**power for power in range(2, 10) if 10**power < appends]
    begun, busy = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        witness = Witness.create(folder / "witness.sqlite", WITNESS_KEY, "example.com/witness")
        ledger = Ledger.create(folder / NAME, LOG_KEY, ORIGIN)
        witness.add_log(ledger.verifier)
        cosign_head(ledger, witness)
        size = 0
        while size < appends:
            head = ledger.append(
                [leaf(rng, commits) for _ in range(min(rng.randint(1, 400), appends - size))]
            )
            size = head.size
            commits += 1
            try:
                cosign_head(ledger, witness)
                proofs += check_a_proof(ledger, rng)
            except LedgerError as error:
                alarms.append(f"{size} leaves: {error}")
            if commits % 500 == 0:
                ledger.close()
                ledger = Ledger.open(folder / NAME, LOG_KEY)
            if milestones and size >= milestones[0]:
                milestones.pop(0)
                verified.append(timed_verify(folder, witness, alarms))
        seconds, cpu = time.perf_counter() - begun, time.process_time() - busy
        ledger.close()
        verified.append(timed_verify(folder, witness, alarms, sealed=True))
        with Ledger.open(folder / NAME) as reader:
            export_ledger(reader, folder / "export.jsonl", proofs=False)
        exported = verify_export(folder / "export.jsonl", key=ledger.verifier, witnesses=[witness.verifier])
        if exported.problem:
            alarms.append(f"export: {exported.problem}")
        witness.close()
    return {
        "appends": size,
        "commits, each cosigned": commits,
        "proofs made and checked": proofs,
        "false alarms": alarms,
        "seconds, verifying at milestones included": round(seconds, 1),
        "cpu seconds": round(cpu, 1),
        "verified": verified,
    }


def check_a_proof(ledger: Ledger, rng: random.Random) -> int:
    """One random leaf is proved in the head, and a random older checkpoint to be its prefix."""
    head, sizes = ledger.head(), ledger.checkpoints()
    index, old = rng.randrange(head.size), rng.choice(sizes[1:])
    verify_proof(ledger.proof(index), ledger.leaf_data(index), ORIGIN, ledger.verifier)
    root = TreeHead.parse(ledger.checkpoint(old).partition("\n\n")[0] + "\n").root
    if not merkle.verify_consistency(old, head.size, ledger.prove_consistency(old), root, head.root):
        raise LedgerError(f"the consistency of {old} and {head.size} leaves does not verify")
    return 2


def timed_verify(folder: Path, witness: Witness, alarms: list[str], *, sealed: bool = False) -> Found:
    path = folder / NAME
    wall, cpu = time.perf_counter(), time.process_time()
    report = verify_ledger(
        path, cosigned={"w": witness.latest(ORIGIN)}, witnesses=[witness.verifier], sealed=sealed
    )
    if report.problem:
        alarms.append(f"verify: {report.problem}")
    return {
        "leaves": report.size,
        "checkpoints": report.checkpoints,
        "seconds": round(time.perf_counter() - wall, 3),
        "cpu seconds": round(time.process_time() - cpu, 3),
        "file bytes": path.stat().st_size,
    }


def speed(options: argparse.Namespace) -> Found:
    """Appends a second by size of commit, and of the disk alone; proofs by size of tree."""
    rng = random.Random(2)
    rates: list[Found] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for count in (1, 10, 100, 1000):
            with Ledger.create(folder / f"{count}.sqlite", LOG_KEY, ORIGIN) as ledger:
                batches = [[leaf(rng, 0) for _ in range(count)] for _ in range(20)]
                rates.append({"leaves a commit": count, **timed(lambda b: ledger.append(b), batches, count)})
        with Ledger.create(folder / "cosigned.sqlite", LOG_KEY, ORIGIN) as ledger:
            witness = Witness.create(folder / "witness.sqlite", WITNESS_KEY, "example.com/witness")
            witness.add_log(ledger.verifier)

            def append(batch: list[Any]) -> None:
                ledger.append(batch)
                cosign_head(ledger, witness)

            batches = [[leaf(rng, 0) for _ in range(10)] for _ in range(20)]
            rates.append({"leaves a commit": 10, "cosigned": True, **timed(append, batches, 10)})
            witness.close()
        disk = fsyncs(folder / "plain")
        trees = [proof_sizes(folder, size, rng) for size in (10, 100, 1000, 10_000, 100_000)]
    return {"appends": rates, "a write of 4,096 bytes and its fsync, ms": disk, "proofs": trees}


def timed(act: Callable[[list[Any]], object], batches: list[list[Any]], count: int) -> Found:
    """The median over batches, after the first."""
    walls = []
    busy = time.process_time()
    for batch in batches:
        wall = time.perf_counter()
        act(batch)
        walls.append(time.perf_counter() - wall)
    cpu = (time.process_time() - busy) / len(batches)
    middle = sorted(walls[1:])[len(walls[1:]) // 2]
    return {
        "appends a second": round(count / middle),
        "ms a commit": round(1000 * middle, 2),
        "cpu ms a commit": round(1000 * cpu, 2),
    }


def fsyncs(path: Path) -> float:
    walls = []
    with path.open("wb") as file:
        for _ in range(30):
            wall = time.perf_counter()
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
            walls.append(time.perf_counter() - wall)
    return round(1000 * sorted(walls)[15], 2)


def proof_sizes(folder: Path, size: int, rng: random.Random) -> Found:
    with Ledger.create(folder / f"tree-{size}.sqlite", LOG_KEY, ORIGIN) as ledger:
        ledger.append([leaf(rng, 0) for _ in range(size)])
        places = [rng.randrange(size) for _ in range(50)]
        wall = time.perf_counter()
        proofs = [ledger.proof(index) for index in places]
        made = (time.perf_counter() - wall) / len(places)
        wall = time.perf_counter()
        for index, proof in zip(places, proofs, strict=True):
            verify_proof(proof, ledger.leaf_data(index), ORIGIN, ledger.verifier)
        checked = (time.perf_counter() - wall) / len(places)
        consistency = [len(ledger.prove_consistency(rng.randrange(1, size))) for _ in range(50)]
    return {
        "leaves": size,
        "hashes of an inclusion proof, most": max(len(proof.hashes) for proof in proofs),
        "bytes of a tlog-proof with its checkpoint, most": max(len(proof.text.encode()) for proof in proofs),
        "hashes of a consistency proof, most": max(consistency),
        "ms to make an inclusion proof": round(1000 * made, 3),
        "ms to check it, signature included": round(1000 * checked, 3),
    }


PARTS: dict[str, Callable[[argparse.Namespace], Found]] = {
    "attacks": attacks,
    "kills": kills,
    "honest": honest,
    "speed": speed,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="parts to run")
    parser.add_argument("--trials", type=int, default=10_000, help="mutations of each class (default 10,000)")
    parser.add_argument("--classes", nargs="+", choices=ATTACKS, default=list(ATTACKS), help="of mutations")
    parser.add_argument("--appends", type=int, default=1_000_000, help="honest appends (default 1,000,000)")
    parser.add_argument("--out", type=Path, help="folder for the raw numbers, a JSON file a part")
    options = parser.parse_args()
    for part in options.only:
        found = PARTS[part](options)
        text = json.dumps({**found, "load average": round(os.getloadavg()[0], 1)}, indent=2)
        print(f"{part}\n{text}", flush=True)
        if options.out:
            options.out.mkdir(parents=True, exist_ok=True)
            (options.out / f"{part}.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
