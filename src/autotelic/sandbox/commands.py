"""`autotelic sandbox doctor|run|attack|bench`."""

from __future__ import annotations

import io
import json
import os
import sys
import tokenize
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from autotelic.commands import Json

Level = Literal["L0", "L1", "L2", "L3"]
Attack = Literal["capability", "fake_pass", "availability", "persistence", "stream", "tested"]
"""The classes of the corpus; `tested` is the programs before assert-style tests.

A class that does not exist is refused: it would be a gate that nothing tries.
"""
app = App(
    name="sandbox",
    help="The sandbox that runs what a model wrote.",
    help_epilogue="Example: autotelic sandbox run program.py '[1, 2]' --entry f",
)
REPOSITORY = Path(__file__).resolve().parents[3]


@app.command
def doctor(*, as_json: Json = False) -> int:
    """Say which level this machine gives, what was sealed and how, and what is missing and how to get it.

    Exit code 1 if it is below L2, which is what the engine requires.
    """
    found = examine()
    if as_json:
        print(json.dumps(found, indent=2))
    else:
        print(f"level      {found['level']}")
        print(f"core       {found['core']}")
        for kind in ("facts", "missing"):
            for name, text in found[kind].items():
                print(f"{name:<14} {text}" if kind == "facts" else f"{name:<14} MISSING: {text}")
        for act in found["worked"]:
            print(f"NOT STOPPED    {act}")
        for advice in found["advice"]:
            print(f"advice         {advice}")
    return 0 if found["level"] in ("L3", "L2") else 1


def examine() -> dict[str, Any]:
    """What `doctor` says, as data: level, core, facts, missing, worked (acts not stopped), advice."""
    from autotelic.errors import SandboxError
    from autotelic.sandbox import Limits, Sandbox
    from autotelic.sandbox.level import REMEDY

    try:
        with Sandbox(Limits(), workers=1, require="L0") as box:
            level = box.level
    except SandboxError as error:
        nothing: dict[str, Any] = {"level": "none", "core": "", "facts": {}, "missing": {}, "worked": []}
        return nothing | {"advice": [str(error)]}
    advice = [f"{name}: {REMEDY[name]}" for name in level.missing if name in REMEDY]
    if not level.core:
        advice.append(
            "no C core: install a C compiler and the Python headers, then reinstall; as safe, slower"
        )
    return {
        "level": str(level),
        "core": "C" if level.core else "Python",
        "facts": dict(level.facts),
        "missing": dict(level.missing),
        "worked": list(level.worked),
        "advice": advice,
    }


@app.command
def run(
    program: Annotated[Path, Parameter(allow_leading_hyphen=True)],
    *cases: str,
    entry: str = "f",
    require: Level = "L2",
    wall_s: float = 1.0,
    cpu_s: float = 1.0,
    memory_mb: int = 256,
    output_kb: int = 64,
) -> int:
    """Run one program and print what it did as JSON; exit code 1 unless every case returned.

    Parameters
    ----------
    program
        A Python file; `-` is standard input.
    cases
        One JSON list of arguments a case: `'[1, 2]' '[3, 4]'`. Without any, one call without arguments.
    entry
        The function to call.
    require
        The weakest level to accept.
    """
    from autotelic.errors import SandboxError
    from autotelic.sandbox import Limits, Sandbox

    try:
        source = _text(sys.stdin.buffer.read() if str(program) == "-" else program.read_bytes())
    except (OSError, UnicodeError, LookupError, SyntaxError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise SandboxError(
            f"{program} cannot be read: {why}", "give a text file, or - for standard input"
        ) from None
    try:
        inputs = [json.loads(case) for case in cases or ("[]",)]
    except (ValueError, RecursionError) as error:
        raise SandboxError(
            f"a case is no JSON: {error}", "write each as a list of arguments, like '[1, 2]'"
        ) from None
    limits = Limits(wall_s=wall_s, cpu_s=cpu_s, memory_mb=memory_mb, output_kb=output_kb)
    with Sandbox(limits, workers=1, require=require) as box:
        done = box.run(source, entry=entry, inputs=inputs)
    print(json.dumps(asdict(done), indent=2))
    return 0 if done.ok else 1


def _text(data: bytes) -> str:
    """A program's text, read as Python reads a file: UTF-8, marked or not, or what its first lines declare."""
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    return io.TextIOWrapper(io.BytesIO(data), encoding).read()


@app.command
def attack(*kinds: Attack, level: Level = "L3", core: bool = True, as_json: Json = False) -> int:
    """Run the attack corpus and say what got through; exit code 1 if anything did, 2 if nothing was tried.

    Parameters
    ----------
    kinds
        Classes of attacks; all by default.
    level
        The level to hold them at.
    core
        Whether to use the C core.
    """
    from autotelic.errors import SandboxError
    from autotelic.sandbox import Limits, Sandbox
    from autotelic.sandbox.cage import MODULES

    sys.path.insert(0, str(REPOSITORY / "tests"))
    try:
        from attacks import harness
        from attacks.arena import Arena
    except ImportError:
        raise SandboxError(
            "the attack corpus is not installed", "run this in a checkout of the repository"
        ) from None
    chosen = [kind for kind in kinds if kind != "tested"]
    programs = harness.load(*chosen) if chosen or not kinds else []
    tested = harness.load_tested() if not kinds or "tested" in kinds else []
    if not programs and not tested:
        raise SandboxError("0 of 0 attacks: the corpus is empty", "check the folder tests/attacks")
    held: dict[str, Any] = {"require": level, "ceiling": level, "modules": (*MODULES, *harness.ARMS)}
    outcomes: list[Any] = []
    with Arena() as arena:
        for attacks, tried, limits in (
            (programs, harness.run, harness.LIMITS),
            (tested, harness.run_tested, harness.TESTED_LIMITS),
        ):
            with Sandbox(Limits(**limits), workers=1, core=core, cache=0, **held) as box:
                for one in attacks:
                    outcomes.append(tried(box, one, arena))
                    if not outcomes[-1].blocked and not as_json:
                        print(f"NOT BLOCKED {one.kind}/{_stem(one)}: {outcomes[-1].detail}")
    if as_json:
        print(json.dumps(_tried(harness.tally(outcomes), outcomes, level, box.level.core), indent=2))
    else:
        for kind, (blocked, total) in harness.tally(outcomes).items():
            print(f"{kind:<14} {blocked}/{total} blocked at {level}")
        for kind, limits in (("verdict", harness.LIMITS), ("verdict of tests", harness.TESTED_LIMITS)):
            _print_slowest(kind, outcomes, limits["wall_s"], harness.GRACE_S)
        who = "root" if os.geteuid() == 0 else "a user other than root"
        made = "C" if box.level.core else "Python"
        print(f"as {who}, {made} core, importable besides: {' '.join(harness.ARMS)}")
    return 0 if all(outcome.blocked for outcome in outcomes) else 1


def _stem(attack: Any) -> str:
    return str(attack.name).rpartition("/")[2]


def _print_slowest(what: str, outcomes: Any, wall_s: float, grace_s: float) -> None:
    """The slowest verdict on a program, or on the tests before it."""
    of_tests = what != "verdict"
    took = [o.seconds for o in outcomes if (o.attack.kind == "tested") is of_tests and not o.attack.twice]
    if took:
        print(f"slowest {what} {max(took):.2f} s; {wall_s:g} + {grace_s:g} s would have been late")


def _tried(tally: Any, outcomes: Any, level: str, core: bool) -> dict[str, Any]:
    missed = {f"{o.attack.kind}/{_stem(o.attack)}": o.detail for o in outcomes if not o.blocked}
    return {
        "level": level,
        "core": "C" if core else "Python",
        "root": os.geteuid() == 0,
        "classes": {kind: {"blocked": blocked, "tried": total} for kind, (blocked, total) in tally.items()},
        "not_blocked": missed,
    }


@app.command
def bench(*, rounds: int = 8) -> int:
    """Measure runs a second against what else is installed; see bench/sandbox.py."""
    from autotelic.errors import SandboxError

    sys.path.insert(0, str(REPOSITORY))
    try:
        from bench import sandbox as measurement
    except ImportError:
        raise SandboxError(
            "the benchmark is not installed", "run this in a checkout of the repository"
        ) from None
    if rounds < 1:
        raise SandboxError(f"--rounds {rounds} measures nothing", "give 1 or more")
    measurement.compare(rounds)
    return 0


@app.command
def soak(
    *,
    minutes: float = 30.0,
    programs: int | None = None,
    workers: int | None = None,
    level: Level = "L3",
    seed: int = 0,
    core: bool = True,
) -> int:
    """Run random programs, good and bad, and check that no process, descriptor, memory or file is left behind.

    Parameters
    ----------
    minutes
        How long at most.
    programs
        How many at most; without it, as many as fit the time.
    level
        The level to hold them at.
    seed
        Draws the programs.
    core
        Whether to use the C core.
    """
    from autotelic.sandbox.soak import soak as run_soak

    return run_soak(minutes * 60, workers, level, seed, programs, core)
