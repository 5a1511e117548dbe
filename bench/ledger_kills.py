"""`kill -9` at every write of a ledger and its witness, for `bench/ledger.py` and the tests.

    python -m bench.ledger --only kills

A small C library, put before the system's one (LD_PRELOAD), counts the calls that change files: write, pwrite, fsync,
fdatasync, ftruncate, rename, unlink. At the one that is asked for the process kills itself: before the call, or in
the middle of a write, of which half is done. Then the ledger and the witness are opened again, and nothing that
was acknowledged may be missing, nothing may be torn, and the witness must cosign what comes next.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from autotelic.errors import LedgerError
from autotelic.oversee.ledger import (
    Ledger,
    Witness,
    cosign_head,
    export_ledger,
    read_latest,
    verify_export,
    verify_ledger,
)

SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static long left = -1, calls = 0;
static int halves = 0;

void shim_arm(long at, int half) { left = at; halves = half; calls = 0; }
long shim_calls(void) { return calls; }

static int due(void) { calls++; return left >= 0 && left-- == 0; }
static void die(void) { kill(getpid(), SIGKILL); for (;;) pause(); }
static int regular(int fd) { struct stat s; return fstat(fd, &s) == 0 && S_ISREG(s.st_mode); }
#define REAL(name) static __typeof__(&name) real; if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *data, size_t n) {
    REAL(write);
    if (regular(fd) && due()) { if (halves && n > 1) real(fd, data, n / 2); die(); }
    return real(fd, data, n);
}
ssize_t pwrite(int fd, const void *data, size_t n, off_t at) {
    REAL(pwrite);
    if (due()) { if (halves && n > 1) real(fd, data, n / 2, at); die(); }
    return real(fd, data, n, at);
}
ssize_t pwrite64(int fd, const void *data, size_t n, off64_t at) {
    REAL(pwrite64);
    if (due()) { if (halves && n > 1) real(fd, data, n / 2, at); die(); }
    return real(fd, data, n, at);
}
int fsync(int fd) { REAL(fsync); if (due()) die(); return real(fd); }
int fdatasync(int fd) { REAL(fdatasync); if (due()) die(); return real(fd); }
int ftruncate(int fd, off_t n) { REAL(ftruncate); if (due()) die(); return real(fd, n); }
int ftruncate64(int fd, off64_t n) { REAL(ftruncate64); if (due()) die(); return real(fd, n); }
int rename(const char *a, const char *b) { REAL(rename); if (due()) die(); return real(a, b); }
int unlink(const char *a) { REAL(unlink); if (due()) die(); return real(a); }
"""
LOG_KEY = Ed25519PrivateKey.from_private_bytes(b"l" * 32)
WITNESS_KEY = Ed25519PrivateKey.from_private_bytes(b"w" * 32)
ORIGIN = "example.com/killed"
BATCHES = (1, 4, 2)


def build_shim(folder: Path) -> Path | None:
    """The library, compiled; None where there is no C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return None
    source, library = folder / "shim.c", folder / "shim.so"
    source.write_text(SHIM)
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True, timeout=120
    )
    return library


def scenario(folder: Path, acknowledge: int) -> None:
    """A ledger and a witness from their beginning to a second opening; says what is done on a descriptor."""

    def say(**what: Any) -> None:
        os.write(acknowledge, (json.dumps(what) + "\n").encode())

    witness = Witness.create(folder / "witness.sqlite", WITNESS_KEY, "example.com/witness")
    ledger = Ledger.create(folder / "ledger.sqlite", LOG_KEY, ORIGIN)
    witness.add_log(ledger.verifier)
    say(size=0)
    for turn in range(2):
        for count in BATCHES:
            start = ledger.head().size
            head = ledger.append([{"n": start + n, "turn": turn} for n in range(count)])
            say(size=head.size)
            cosign_head(ledger, witness)
            say(cosigned=head.size)
        export_ledger(ledger, folder / "export.jsonl")
        ledger.close()
        witness.close()
        say(closed=turn)
        if turn == 0:
            witness = Witness.open(folder / "witness.sqlite", WITNESS_KEY)
            ledger = Ledger.open(folder / "ledger.sqlite", LOG_KEY)


def run_killed(
    shim: ctypes.CDLL, folder: Path, at: int, half: bool
) -> tuple[bool, list[dict[str, Any]], int]:
    """Whether the process was killed, what it had acknowledged, and how many calls it made where it was not."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(read)
            shim.shim_arm(at, int(half))
            scenario(folder, write)
            calls = shim.shim_calls()
            shim.shim_arm(-1, 0)
            os.write(write, (json.dumps({"calls": calls}) + "\n").encode())
            code = 0
        finally:
            os._exit(code)
    os.close(write)
    with os.fdopen(read) as said:
        acknowledged = [json.loads(line) for line in said]
    _, status = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    if not killed and os.waitstatus_to_exitcode(status) != 0:
        raise RuntimeError(f"the process failed before call {at}, and was not killed")
    return killed, acknowledged, 0 if killed else acknowledged.pop()["calls"]


def recovered(folder: Path, acknowledged: list[dict[str, Any]]) -> str | None:
    """What is wrong after a kill, in one line; None if nothing."""
    path, store = folder / "ledger.sqlite", folder / "witness.sqlite"
    kept = max([one["size"] for one in acknowledged if "size" in one], default=None)
    cosigned = max([one["cosigned"] for one in acknowledged if "cosigned" in one], default=0)
    if not path.exists() or not store.exists():
        return None if kept is None else "an acknowledged ledger, or its witness, is not there"
    _, latest = read_latest(store, ORIGIN)
    report = verify_ledger(path, cosigned={"the witness": latest} if latest else {})
    if not report.ok:
        return f"after the kill: {report.problem}"
    if report.size < (kept or 0):
        return f"{kept} leaves were acknowledged, and {report.size} are there"
    if report.size > (kept or 0) + max(BATCHES):
        return f"{report.size} leaves are there, more than were sent"
    if (folder / "export.jsonl").exists() and not (export := verify_export(folder / "export.jsonl")).ok:
        return f"a torn export: {export.problem}"
    with Witness.open(store, WITNESS_KEY) as witness, Ledger.open(path, LOG_KEY) as ledger:
        if [leaf["n"] for leaf in ledger.leaves()] != list(range(report.size)):
            return "the leaves are not those that were sent"
        if ledger.cosigned(witness.verifier) < cosigned:
            return f"the cosignature of {cosigned} leaves was acknowledged, and is not there"
        witness.add_log(ledger.verifier)
        cosign_head(ledger, witness)
        ledger.append([{"n": report.size}])
        cosign_head(ledger, witness)
        latest = witness.latest(ORIGIN)
    after = verify_ledger(path, cosigned={"the witness": latest}, sealed=True)
    return None if after.ok else f"after going on: {after.problem}"


def kill_everywhere(library: Path, every: int = 1) -> dict[str, Any]:
    """Kill at each call, or each `every`-th. Needs a process in which the library was put before the system's one."""
    shim = ctypes.CDLL(str(library))
    shim.shim_calls.restype = ctypes.c_long
    shim.shim_arm.argtypes = [ctypes.c_long, ctypes.c_int]
    kills, problems = 0, []
    with tempfile.TemporaryDirectory() as parent:
        whole = Path(parent) / "whole"
        whole.mkdir()
        _, acknowledged, calls = run_killed(shim, whole, 1 << 40, False)
        if problem := recovered(whole, acknowledged):
            problems.append(f"without a kill: {problem}")
        for at in range(0, calls, every):
            for half in (False, True):
                folder = Path(parent) / f"{at}-{half}"
                folder.mkdir()
                killed, acknowledged, _ = run_killed(shim, folder, at, half)
                kills += killed
                try:
                    problem = recovered(folder, acknowledged) if killed else "it was not killed"
                except LedgerError as error:
                    problem = f"it cannot go on: {error}"
                if problem:
                    problems.append(f"call {at}{', half done' if half else ''}: {problem}")
                shutil.rmtree(folder)
    return {"calls": calls, "kills": kills, "problems": problems}


def start(every: int) -> dict[str, Any] | None:
    """Run `kill_everywhere` in a process of its own; None where there is no C compiler."""
    with tempfile.TemporaryDirectory() as folder:
        library = build_shim(Path(folder))
        if library is None:
            return None
        command = [sys.executable, "-m", "bench.ledger_kills", str(library), "--every", str(every)]
        environment = {**os.environ, "LD_PRELOAD": str(library)}
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, timeout=3000)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Used by bench/ledger.py: run `python -m bench.ledger --only kills`."
    )
    parser.add_argument("library", type=Path)
    parser.add_argument("--every", type=int, default=1)
    options = parser.parse_args()
    print(json.dumps(kill_everywhere(options.library, options.every)))


if __name__ == "__main__":
    main()
