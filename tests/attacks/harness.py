"""Runs the attack corpus against anything with the sandbox's `run`, and says what got through.

    with Arena() as arena, Sandbox(LIMITS, workers=1) as box:
        for attack in load():
            outcome = run(box, attack, arena)        # Outcome(attack, blocked, seconds, run, detail)

Open the arena before the box, so that its environment canary is there to be inherited, and give the box one
worker, so that an attack in two stages meets the same worker twice. `README.md` describes the file format.
"""

from __future__ import annotations

import json
import re
import secrets
import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from attacks.arena import Arena, Census
from autotelic.sandbox.asserting import check

FOLDER = Path(__file__).resolve().parent
KINDS = ("capability", "fake_pass", "availability", "persistence", "stream")
STATUSES = ("ok", "error", "timeout", "memory", "output", "refused", "crashed")
LIMITS = {"wall_s": 0.4, "cpu_s": 0.4, "memory_mb": 256, "output_kb": 64}
"""What the corpus is written for: `Limits(**LIMITS)`. Attacks that outstay a limit are sized by these."""
TESTED_LIMITS = {**LIMITS, "wall_s": 2.0}
"""For programs before tests: a pair is two processes of Python, which on a busy machine need more than one does."""
GRACE_S = 0.5
"""A verdict comes within the wall limit and this."""
SETTLE_S = 1.0
"""How long a pool may take to bury its dead before they count as left behind."""
ARMS = (
    *("_posixsubprocess", "_socket", "_xxsubinterpreters", "ast", "concurrent.futures", "ctypes", "errno"),
    *("faulthandler", "fcntl", "gc", "http.client", "linecache", "marshal", "mmap", "multiprocessing"),
    *("multiprocessing.resource_tracker", "multiprocessing.shared_memory", "os", "resource", "select"),
    *("selectors", "signal", "socket", "subprocess", "tempfile", "threading", "warnings", "zlib"),
)
"""Modules to make importable beside the usual ones, so that no missing import is what stops an attack."""
SECRET = "secret"
NEVER = "unmatchable"
"""The expected answer of a case that is only bait."""

NONE = {"none": None}
"""TOML has no null; a header writes it `"{none}"`."""


class Box(Protocol):
    def run(self, source: str, *, entry: str, inputs: Any) -> Any: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One hostile program and how to tell that it worked.

    `wins[i]` is what case i returns only if the forbidden act worked, or `wins` is `"secret"`: answers that
    only the parent knows, drawn anew for every run. `wins_status` names statuses that are a win whatever the
    answer. `before` is an entry of the same source that is run first, in a run of its own.
    """

    name: str
    kind: str
    tries: str
    source: str
    entry: str = "f"
    inputs: tuple[list[Any], ...] = ((),)  # type: ignore[assignment]
    wins: tuple[Any, ...] | str = (True,)
    wins_status: tuple[str, ...] = ()
    before: str = ""
    twice: bool = False
    built: bool = False

    def expected(self, values: dict[str, Any]) -> tuple[Any, ...]:
        """The winning answer of every case, with the arena's `values` filled in."""
        if self.wins == SECRET:
            return tuple(f"answer-{secrets.token_hex(16)}" for _ in self.inputs)
        return tuple(fill(list(self.wins), values))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramWithTests:
    """A program and tests in text: one that wants them to pass without a right answer, or an honest one."""

    name: str
    tries: str
    source: str
    tests: str
    entry: str = "f"
    kind: str = "tested"
    twice: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Benign:
    """An honest program and its right answers: containment that breaks it is a failure."""

    name: str
    source: str
    entry: str
    inputs: tuple[list[Any], ...]
    outputs: tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one attack. `detail` is empty, or every reason why it was not blocked."""

    attack: Attack | ProgramWithTests
    blocked: bool
    seconds: float
    run: Any
    detail: str = ""
    late: bool = field(default=False)


def load(*kinds: str) -> list[Attack]:
    """Every attack, or those of some kinds, in order of name."""
    chosen = kinds or KINDS
    return [_attack(path, kind) for kind in chosen for path in sorted((FOLDER / kind).glob("*.py"))]


def load_benign() -> list[Benign]:
    """Every honest program."""
    return [_benign(path) for path in sorted((FOLDER / "benign").glob("*.py"))]


def load_tested(folder: str = "tested") -> list[ProgramWithTests]:
    """Every program that is after the verdict of assert-style tests; or, of `honest`, those that deserve it."""
    found = []
    for path in sorted((FOLDER / folder).glob("*.py")):
        fields, source = _split(path)
        if prelude := fields.pop("prelude", ""):
            source = (FOLDER / "preludes" / f"{prelude}.py").read_text(encoding="utf-8") + "\n" + source
        found.append(ProgramWithTests(name=path.stem, source=source, **fields))
    return found


def run_tested(box: Any, attack: ProgramWithTests, arena: Arena) -> Outcome:
    """Let `attack` try to pass its tests, and ask again, twice at most, where it was late and nothing else."""
    outcome = _tested_once(box, attack, arena)
    for _ in range(2):
        if not outcome.late:
            break
        outcome = _tested_once(box, attack, arena)
    return outcome


def _tested_once(box: Any, attack: ProgramWithTests, arena: Arena) -> Outcome:
    faults: list[str] = []
    report: Any = None
    awake = f"def f(): return 1\n# run {secrets.token_hex(4)}\n"
    check(box, awake, entry="f", tests="assert f() == 1")  # who is counted before is all there will be
    arena.arm()
    before = Census.take()
    start = time.monotonic()
    source = f"{attack.source}\n# run {secrets.token_hex(4)}\n"
    try:
        report = check(box, source, entry=attack.entry, tests=attack.tests)
    except Exception as error:
        faults.append(f"the parent raised {type(error).__name__}: {str(error)[:200]}")
    seconds = time.monotonic() - start
    if report is not None and report.passed:
        faults.append("it passed")
    if report is not None and not (report.passed or report.failed or report.unjudged or report.reason):
        faults.append("no reason is given")
    honest = f"def f(n): return n * n\n# run {secrets.token_hex(4)}\n"
    after = check(box, honest, entry="f", tests="assert f(3) == 9\nassert f(4) == 16")
    if not after.passed and "took more than" not in after.reason:
        faults.append(f"the honest program after it failed: {after}")
    faults += before.left_behind(SETTLE_S) + arena.evidence()
    late = seconds > box.limits.wall_s + GRACE_S and not faults
    if seconds > box.limits.wall_s + GRACE_S:
        faults.append(f"the verdict took {seconds:.2f} s")
    detail = "; ".join(faults)
    return Outcome(attack=attack, blocked=not faults, seconds=seconds, run=report, detail=detail, late=late)


def run(box: Box, attack: Attack, arena: Arena, *, expected: tuple[Any, ...] | None = None) -> Outcome:
    """Attack `box` once, then check the answer, the clock, the arena, the next program and what is left.

    A verdict that is late and nothing else is asked for again, twice at most: a busy machine is late once,
    an attack on the clock is late every time.
    """
    expected = attack.expected(arena.values) if expected is None else expected
    outcome = _once(box, attack, arena, expected)
    for _ in range(2):
        if not outcome.late:
            break
        outcome = _once(box, attack, arena, expected)
    return outcome


def _once(box: Box, attack: Attack, arena: Arena, expected: tuple[Any, ...]) -> Outcome:
    inputs = fill([list(case) for case in attack.inputs], arena.values)
    pristine = json.dumps(inputs)
    source = attack.source if attack.built else f"{attack.source}\n# run {secrets.token_hex(4)}\n"
    options: dict[str, Any] = {"twice": True} if attack.twice else {}
    # A pool may start the twin that it needs for this only now, and then keep it; or a worker that it lost since the
    # last program. Who is counted before is all there will be. No pool remembers a source that is new.
    awake = f"{AFTERWARDS}\n# run {secrets.token_hex(4)}\n"
    box.run(awake, entry="f", inputs=[[["fig"], 1]], **options)
    arena.arm()
    before = Census.take()
    faults: list[str] = []
    verdict: Any = None
    start = time.monotonic()
    try:
        if attack.before:
            box.run(source, entry=attack.before, inputs=inputs)
            start = time.monotonic()
        verdict = box.run(source, entry=attack.entry, inputs=inputs, **options)
    except Exception as error:  # the seam promises a status, so anything raised is a finding
        faults.append(f"the parent raised {type(error).__name__}: {str(error)[:200]}")
    seconds = time.monotonic() - start
    if verdict is not None:
        faults += malformed(verdict, len(inputs))
        faults += _won(verdict, attack, expected)
    if json.dumps(inputs) != pristine:
        faults.append("the parent's inputs were changed")
    faults += _benign_after(box)
    faults += before.left_behind(SETTLE_S)
    faults += arena.evidence()
    budget = LIMITS["wall_s"] * (2 if attack.twice else 1) + GRACE_S
    late = seconds > budget and not faults
    if seconds > budget:
        faults.append(f"the verdict took {seconds:.2f} s, more than {budget:.2f} s")
    return Outcome(
        attack=attack, blocked=not faults, seconds=seconds, run=verdict, detail="; ".join(faults), late=late
    )


def _won(verdict: Any, attack: Attack, expected: tuple[Any, ...]) -> list[str]:
    faults = [
        f"case {case} gave the answer that only the forbidden act gives"
        for case, (got, want) in enumerate(zip(verdict.outputs, expected, strict=False))
        if want != NEVER and got == canonical(want)
    ]
    if verdict.status in attack.wins_status:
        faults.append(f"status {verdict.status!r}: {attack.tries}")
    return faults


def malformed(verdict: Any, cases: int) -> list[str]:
    """What is wrong with a run as a value, whoever made it: its readers must be able to read it."""
    faults: list[str] = []
    if verdict.status not in STATUSES:
        faults.append(f"unknown status {verdict.status!r}")
    if len(verdict.outputs) != cases or len(verdict.errors) != cases:
        faults.append(f"{len(verdict.outputs)} outputs and {len(verdict.errors)} errors for {cases} cases")
    if verdict.status == "ok" and None in verdict.outputs:
        faults.append("status ok with a case that has no output")
    limit = 1024 * LIMITS["output_kb"]
    texts = {"stdout": verdict.stdout, "reason": verdict.reason, "errors": "".join(verdict.errors)}
    for name, text in texts.items():
        if len(text) > limit + 1024:
            faults.append(f"{len(text)} characters of {name}, more than the output limit of {limit}")
        if not _encodable(text):
            faults.append(f"{name} holds lone surrogates, which a log cannot write")
    for text in verdict.outputs:
        faults += _unreadable(text, limit)
    return faults


def _unreadable(text: str | None, limit: int | float) -> list[str]:
    if text is None:
        return []
    if not isinstance(text, str):
        return [f"an output is a {type(text).__name__}, not JSON text"]
    if len(text) > limit:
        return [f"an output of {len(text)} characters, more than the output limit of {limit}"]
    if not _encodable(text):
        return ["an output holds lone surrogates"]
    try:
        json.loads(text, parse_int=len, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        return [f"an output that cannot be read ({type(error).__name__}: {str(error)[:80]}): {text[:60]!r}"]
    return []


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


AFTERWARDS = '''
import json, math, re
from collections import Counter
def f(words, number):
    table = Counter(word.lower() for word in sorted(words))
    total = sum(len(word) for word in words) + int(math.sqrt(number * number))
    text = json.dumps({"n": str(total), "ok": isinstance(total, int) and total == total + 0})
    found = re.findall("[a-z]+", ",".join(words))
    rest = [max(words), min(words), repr(words[0]), bool(words)]
    return [dict(table), total, json.loads(text), found, rest]
'''


def _benign_after(box: Box) -> list[str]:
    """Run an honest program that leans on what attacks patch; a fresh number keeps it out of any cache."""
    number = secrets.randbelow(10**6) + 2
    words = ["pear", "fig", "fig"]
    total = 10 + number
    rest = ["pear", "fig", "'pear'", True]
    want = [{"fig": 2, "pear": 1}, total, {"n": str(total), "ok": True}, words, rest]
    verdict = None
    for _ in range(3):  # a busy machine may starve an honest program once
        try:
            verdict = box.run(AFTERWARDS, entry="f", inputs=[[words, number]])
        except Exception as error:
            said = f"{type(error).__name__}: {error!s:.200}"
            return [f"the benign program after it raised {said} in the parent"]
        if verdict.status != "timeout":
            break
        number += 1
        want[1], want[2] = 10 + number, {"n": str(10 + number), "ok": True}
    assert verdict is not None
    if verdict.outputs == (canonical(want),):
        return []
    got = f"{verdict.status}, {verdict.outputs}, {verdict.errors}, {verdict.reason}"
    return [f"the benign program after it failed: {got[:300]}"]


def canonical(value: Any) -> str:
    """The JSON text that stands for a value and for no other: sorted keys, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def fill(value: Any, values: dict[str, Any]) -> Any:
    """Replace `{name}` by what the arena calls that; alone in a string it keeps the value's type."""
    if isinstance(value, list):
        return [fill(item, values) for item in value]
    if isinstance(value, dict):
        return {key: fill(item, values) for key, item in value.items()}
    if not isinstance(value, str):
        return value
    whole = re.fullmatch(r"\{(\w+)\}", value)
    if whole and whole[1] in values:
        return values[whole[1]]
    return re.sub(r"\{(\w+)\}", lambda match: str(values.get(match[1], match[0])), value)


def _split(path: Path) -> tuple[dict[str, Any], str]:
    """A file's header (lines that begin with `#: `, as TOML) and its program."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    header = "".join(line[2:].removeprefix(" ") for line in lines if line.startswith("#:"))
    try:
        fields = tomllib.loads(header)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path}: its header is no TOML ({error}); README.md shows the format") from error
    return fields, "".join(line for line in lines if not line.startswith("#:")).lstrip("\n")


def _attack(path: Path, kind: str) -> Attack:
    fields, source = _split(path)
    known = {"tries", "entry", "inputs", "wins", "wins_status", "before", "twice", "prelude", "built"}
    if unknown := set(fields) - known:
        raise ValueError(f"{path}: unknown {sorted(unknown)} in its header; known are {sorted(known)}")
    if prelude := fields.pop("prelude", ""):
        source = (FOLDER / "preludes" / f"{prelude}.py").read_text(encoding="utf-8") + "\n" + source
    if fields.get("built"):  # the file is ours and builds a text that no file could hold
        space: dict[str, Any] = {}
        exec(compile(source, str(path), "exec"), space)
        source = space["build"]()
    wins = fields.pop("wins", [True])
    return Attack(
        name=f"{kind}/{path.stem}",
        kind=kind,
        source=source,
        inputs=tuple(fields.pop("inputs", [[]])),
        wins=wins if isinstance(wins, str) else tuple(wins),
        wins_status=tuple(fields.pop("wins_status", ())),
        **fields,
    )


def _benign(path: Path) -> Benign:
    fields, source = _split(path)
    return Benign(
        name=path.stem,
        source=source,
        entry=fields.get("entry", "f"),
        inputs=tuple(fill(fields["inputs"], NONE)),
        outputs=tuple(fill(fields["outputs"], NONE)),
    )


def tally(outcomes: Sequence[Outcome]) -> dict[str, tuple[int, int]]:
    """`{kind: (blocked, attacks)}`."""
    counts: dict[str, tuple[int, int]] = {}
    for outcome in outcomes:
        blocked, total = counts.get(outcome.attack.kind, (0, 0))
        counts[outcome.attack.kind] = (blocked + outcome.blocked, total + 1)
    return counts
