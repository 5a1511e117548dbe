"""The page on a long journal: seconds to the first screen, and the memory of its server. What `--dash` costs a run.

    python bench/page_scale.py size RUN --times 100
    python bench/page_scale.py cost CHARTER --pairs 3

`size` copies a run, multiplies the rows of its journal, serves it by `autotelic dash` and asks for the first screen,
then for a page of tasks and a search. `cost` runs a charter twice a pair, in turn, without and with a page that a
reader has open, with one seed and a budget of generations, and compares the seconds worked. A line of JSON each.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

TABLES = ("tasks", "proposals", "episodes", "verdicts", "credits", "entries")
VIEWS = {
    "first screen": "",
    "tasks": "/tasks",
    "search": "/tasks?q=return",
    "attempts": "/attempts",
    "learning": "/learning",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    what = parser.add_subparsers(dest="what", required=True)
    size = what.add_parser("size")
    size.add_argument("run", type=Path)
    size.add_argument("--times", type=int, default=100)
    cost = what.add_parser("cost")
    cost.add_argument("charter", type=Path)
    cost.add_argument("--pairs", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        if given.what == "size":
            measure_size(given.run, given.times, Path(place))
        else:
            measure_cost(given.charter, given.pairs, Path(place))


def measure_size(run: Path, times: int, place: Path) -> None:
    """Serve a journal of so many times the rows."""
    copy = place / "run"
    shutil.copytree(run, copy, ignore=shutil.ignore_patterns("weights", "checkpoints", "champion", "start"))
    multiply(copy / "journal.sqlite", times)
    with sqlite3.connect(copy / "journal.sqlite") as journal:
        rows = {
            table: journal.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("messages", *TABLES)
        }
    about = {"megabytes": round((copy / "journal.sqlite").stat().st_size / 1e6), "rows": rows}
    print(json.dumps(about), flush=True)
    process, url = served(copy)
    try:
        for name, end in VIEWS.items():
            began = time.monotonic()
            answer = urllib.request.urlopen(f"{url}r/run{end}", timeout=120).read()
            line = {"view": name, "seconds": round(time.monotonic() - began, 2), "bytes": len(answer)}
            print(
                json.dumps({**line, "server_mb": memory(process.pid), "load": os.getloadavg()[0]}), flush=True
            )
        time.sleep(30)  # a thread reads the rest of the journal
        began = time.monotonic()
        urllib.request.urlopen(f"{url}r/run", timeout=120).read()
        print(
            json.dumps(
                {
                    "view": "first screen, all read",
                    "seconds": round(time.monotonic() - began, 2),
                    "server_mb": memory(process.pid),
                }
            )
        )
    finally:
        process.kill()
        process.wait()


def multiply(path: Path, times: int) -> None:
    """Every row so many times. Generations go on counting, as in a run that is so many times as long."""
    with sqlite3.connect(path) as journal:
        journal.execute("PRAGMA synchronous = OFF")
        last = journal.execute("SELECT max(generation) FROM messages").fetchone()[0]
        for table in ("messages", *TABLES):
            key = "id" if table == "messages" else "row"
            columns = [
                row[1]
                for row in journal.execute(f"PRAGMA table_info({table})")
                if row[1] not in (key, "generation")
            ]
            names = ", ".join(columns)
            most = journal.execute(f"SELECT max({key}) FROM {table}").fetchone()[0]
            # The last message says that the run ended, and stays the last.
            for more in range(1, times):
                journal.execute(
                    f"INSERT INTO {table} (generation, {names}) "
                    f"SELECT generation + ?, {names} FROM {table} WHERE {key} < ?"
                    + (" AND kind NOT IN ('run.started', 'exam.set')" if table == "messages" else ""),
                    (more * last, most),
                )


def served(folder: Path) -> tuple[subprocess.Popen[str], str]:
    """A page of a folder in a process of its own, and its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "autotelic.cli", "dash", "--port", "0", "--", str(folder)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, process.stdout.readline().split()[-1]


def memory(process: int) -> int:
    """Megabytes that a process has in memory."""
    with open(f"/proc/{process}/status", encoding="ascii") as status:
        kilobytes = next(line for line in status if line.startswith("VmRSS")).split()[1]
    return int(kilobytes) // 1024


def measure_cost(charter: Path, pairs: int, place: Path) -> None:
    """Wall seconds without and with a page, in turn; the median of their ratios."""
    ratios = []
    for pair in range(pairs):
        took = {}
        for dash in (False, True) if pair % 2 == 0 else (True, False):
            folder = place / f"{pair}-{dash}"
            took[dash] = timed(charter, folder, dash)
        ratios.append(took[True] / took[False])
        print(
            json.dumps(
                {
                    "without_s": round(took[False], 2),
                    "with_s": round(took[True], 2),
                    "load": os.getloadavg()[0],
                }
            ),
            flush=True,
        )
    print(json.dumps({"pairs": pairs, "median_ratio": round(statistics.median(ratios), 4)}))


def timed(charter: Path, folder: Path, dash: bool) -> float:
    """One run, by the seconds that it says it worked. With a page, a reader follows its stream and its first
    screen.
    """
    stop = threading.Event()
    process = None
    if dash:
        process = subprocess.Popen(
            [sys.executable, "-m", "autotelic.cli", "dash", "--wait", "--port", "0", "--", str(folder)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        threading.Thread(target=reader, args=(f"{url}r/{folder.name}", stop), daemon=True).start()
    try:
        subprocess.run(
            [
                sys.executable,
                "-m",
                "autotelic.cli",
                "run",
                str(charter),
                "--out",
                str(folder),
                "--threads",
                "1",
            ],
            check=True,
            capture_output=True,
        )
    finally:
        stop.set()
        if process is not None:
            process.kill()
            process.wait()
    return float(json.loads((folder / "summary.json").read_text())["seconds"])


def reader(url: str, stop: threading.Event) -> None:
    """Ask for the first screen every second, as an open page does while messages come."""
    while not stop.is_set():
        with suppress(OSError):  # there is no run yet
            urllib.request.urlopen(url, timeout=30).read()
        stop.wait(1.0)


if __name__ == "__main__":
    main()
