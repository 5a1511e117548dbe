"""The page on a long journal: seconds to the first screen, and the memory of its server. What `--dash` costs a run.

    python bench/page_scale.py size RUN --times 100
    python bench/page_scale.py cost

`size` copies a run, multiplies the rows of its journal, serves it by `autotelic dash` and asks for the first screen,
then for the other views. `cost` runs the default charter for two generations, three pairs in turn without and with
`--dash` and a reader that has the page open, and compares the seconds worked: seven minutes on two idle cores. A line
of JSON each.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

TABLES = ("tasks", "proposals", "episodes", "verdicts", "credits", "entries")
REFRESH = 1.0
"""Seconds that an open page waits between two looks, as `page.js` does."""
_PATIENCE = 1_200.0
"""Seconds to wait until the server has read all of a journal."""
_PAGE = re.compile(r"page: (\S+) \(process (\d+)\)")
"""What a run says of its page."""
VIEWS = {
    "first screen": "",
    "tasks": "/tasks",
    "search": "/tasks?q=return",
    "attempts": "/attempts",
    "proposals": "/proposals",
    "exam": "/exam/sealed",
    "then and now": "/then-and-now",
    "generations": "/generations",
    "learning": "/learning",
    "critic": "/critic",
    "oversight": "/oversight",
    "report": "/report",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    what = parser.add_subparsers(dest="what", required=True)
    size = what.add_parser("size")
    size.add_argument("run", type=Path)
    size.add_argument("--times", type=int, default=100)
    cost = what.add_parser("cost")
    cost.add_argument(
        "--charter", type=Path, help="without one, the default charter with a budget of generations"
    )
    cost.add_argument("--generations", type=int, default=2)
    cost.add_argument("--pairs", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        if given.what == "size":
            measure_size(given.run, given.times, Path(place))
        else:
            measure_cost(given.charter, given.generations, given.pairs, Path(place))


def measure_size(run: Path, times: int, place: Path) -> None:
    """Serve a journal of so many times the rows."""
    copy = place / "run"
    shutil.copytree(run, copy, ignore=shutil.ignore_patterns("weights", "checkpoints", "champion", "start"))
    if times > 1:
        multiply(copy / "journal.sqlite", times)
    with sqlite3.connect(copy / "journal.sqlite") as journal:
        rows = {
            table: journal.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("messages", *TABLES)
        }
    about = {"megabytes": round((copy / "journal.sqlite").stat().st_size / 1e6), "rows": rows}
    print(json.dumps(about), flush=True)
    process, url = served(copy)
    url += "r/run"
    try:
        for name, end in VIEWS.items():
            asked(url + end, name, process.pid)
        began, spent = time.monotonic(), cpu(process.pid)
        while b"Reading the journal" in asked(url, "", process.pid) and time.monotonic() - began < _PATIENCE:
            time.sleep(2)  # a thread of the server reads the rest of the journal
        line = {"all_read_after_s": round(time.monotonic() - began), "cpu_s": round(cpu(process.pid) - spent)}
        print(json.dumps(line), flush=True)
        for name, end in VIEWS.items():
            asked(url + end, f"{name}, all read", process.pid)
    finally:
        process.kill()
        process.wait()


def asked(url: str, name: str, server: int) -> bytes:
    """The bytes of a view; with a name also a line of what it took."""
    began, spent = time.monotonic(), cpu(server)
    answer = bytes(urllib.request.urlopen(url, timeout=300).read())
    line = {
        "view": name,
        "seconds": round(time.monotonic() - began, 2),
        "server_cpu_s": round(cpu(server) - spent, 2),
        "bytes": len(answer),
        "server_mb": memory(server),
        "server_peak_mb": memory(server, "VmHWM"),
        "load": round(os.getloadavg()[0], 1),
    }
    if name:
        print(json.dumps(line), flush=True)
    return answer


def multiply(path: Path, times: int) -> None:
    """Every row so many times. Generations go on counting, as in a run that is so many times as long."""
    with sqlite3.connect(path) as journal:
        journal.execute("PRAGMA journal_mode = OFF")
        journal.execute("PRAGMA synchronous = OFF")
        journal.execute("PRAGMA cache_size = -400000")
        # Made again at the end: sorted once is minutes faster than kept in order.
        indices = journal.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql NOT NULL")
        statements = dict(indices.fetchall())
        for name in statements:
            journal.execute(f"DROP INDEX {name}")
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
            for more in range(1, times):
                journal.execute(
                    f"INSERT INTO {table} (generation, {names}) "
                    f"SELECT generation + ?, {names} FROM {table} WHERE {key} < ?"
                    + (" AND kind NOT IN ('run.started', 'exam.set')" if table == "messages" else ""),
                    (more * last, most),
                )
        # That the run ended is the last message, here too.
        columns_of = "time, generation, kind, span, data"
        journal.execute(
            f"INSERT INTO messages ({columns_of}) SELECT {columns_of} FROM messages WHERE kind = 'run.stopped'"
        )
        for statement in statements.values():
            journal.execute(statement)
        journal.commit()
        journal.execute("PRAGMA journal_mode = WAL")


def served(folder: Path) -> tuple[subprocess.Popen[str], str]:
    """A page of a folder in a process of its own, and its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "autotelic.cli", "dash", "--port", "0", "--", str(folder)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, process.stdout.readline().split()[-1]


def memory(process: int, what: str = "VmRSS") -> int:
    """Megabytes that a process has in memory, or had at most (`VmHWM`)."""
    with open(f"/proc/{process}/status", encoding="ascii") as status:
        kilobytes = next(line for line in status if line.startswith(what)).split()[1]
    return int(kilobytes) // 1024


def measure_cost(charter: Path | None, generations: int, pairs: int, place: Path) -> None:
    """Seconds worked without and with a page, in turn; the median of their ratios, and what the page itself took."""
    if charter is None:
        charter = place / "charter.toml"
        charter.write_text(f"[budget]\nseconds = 0.0\ngenerations = {generations}\n", encoding="utf-8")
    ratios = []
    for pair in range(pairs):
        took: dict[bool, Timed] = {}
        for dash in (False, True) if pair % 2 == 0 else (True, False):
            took[dash] = timed(charter, place / f"{pair}-{dash}", dash)
        ratios.append(took[True].worked / took[False].worked)
        line = {
            "without_s": round(took[False].worked, 2),
            "with_s": round(took[True].worked, 2),
            "ratio": round(ratios[-1], 4),
            "page_cpu_s": round(took[True].page_cpu, 2),
            "screens": took[True].screens,
            "command_s": [round(took[False].wall, 1), round(took[True].wall, 1)],
            "load": round(os.getloadavg()[0], 1),
        }
        print(json.dumps(line), flush=True)
    print(json.dumps({"pairs": pairs, "median_ratio": round(statistics.median(ratios), 4)}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """A run: seconds that it says it worked and that its command took, CPU seconds of its page, screens asked for."""

    worked: float
    wall: float
    page_cpu: float
    screens: int


def timed(charter: Path, folder: Path, dash: bool) -> Timed:
    """One run by the command line. With `--dash` a reader follows its stream and asks for the first screen."""
    stop, screens = threading.Event(), [0]
    words = [sys.executable, "-m", "autotelic.cli", "run", str(charter), "--out", str(folder)]
    began, page = time.monotonic(), 0
    # A file, because the page outlives the run: of a pipe it would hold the end open.
    said = folder.with_suffix(".stderr")
    with said.open("w") as file:
        process = subprocess.Popen(
            [*words, *(["--dash"] if dash else [])], stdout=subprocess.DEVNULL, stderr=file
        )
    while process.poll() is None:
        if dash and not page and (found := _PAGE.search(said.read_text())):
            url, page = f"{found[1]}r/{folder.name}", int(found[2])
            threading.Thread(target=reader, args=(url, stop, screens), daemon=True).start()
        time.sleep(0.2)
    if process.returncode or (dash and not page):
        sys.exit(f"the run in {folder} failed, or had no page: {said.read_text()[-1000:]}")
    wall = time.monotonic() - began
    stop.set()
    used = cpu(page) if page else 0.0
    if page:
        os.kill(page, signal.SIGTERM)
    worked = float(json.loads((folder / "summary.json").read_text())["seconds"])
    return Timed(worked=worked, wall=wall, page_cpu=used, screens=screens[0])


def cpu(process: int) -> float:
    """Seconds of processor time that a process has taken."""
    with open(f"/proc/{process}/stat", encoding="ascii") as status:
        fields = status.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def reader(url: str, stop: threading.Event, screens: list[int]) -> None:
    """Listen to the stream and ask for the first screen after each message, once a second at most: an open page."""
    while not stop.is_set():
        with suppress(OSError), urllib.request.urlopen(f"{url}/events", timeout=30) as stream:
            for line in stream:
                if stop.is_set():
                    return
                if line.startswith(b"data:"):
                    urllib.request.urlopen(url, timeout=30).read()
                    screens[0] += 1
                    stop.wait(REFRESH)
        stop.wait(1.0)


if __name__ == "__main__":
    main()
