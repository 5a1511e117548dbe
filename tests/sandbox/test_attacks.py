"""The attack corpus (`tests/attacks/README.md`) against the sandbox, and against what contains nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from autotelic.errors import SandboxError
from autotelic.sandbox import Job, Limits, Sandbox
from autotelic.sandbox.cage import MODULES

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

from attacks.arena import Arena, descendants  # noqa: E402
from attacks.harness import (  # noqa: E402
    ARMS,
    KINDS,
    LIMITS,
    Attack,
    Benign,
    canonical,
    load,
    load_benign,
    run,
)
from attacks.naive import NaiveBox  # noqa: E402

ATTACKS = load()
CONTROLS = (
    *("capability/open_read", "capability/tcp_connect", "capability/kill_parent", "capability/open_write"),
    *("fake_pass/always_equal", "fake_pass/eval_string", "fake_pass/exit_in_f", "fake_pass/gc_objects"),
    *("availability/spin", "availability/memory_text", "persistence/daemon", "persistence/patched_math"),
    *("stream/forged_json", "stream/close_all"),
)
"""Attacks whose oracles are seen to fire in every run of the tests; the slow tests see all the others."""
UNFIRED = {
    "capability/io_ports": "the kernel was built without iopl",
    "capability/limits_raised": "without CAP_SYS_RESOURCE the kernel refuses it unasked",
    "capability/limits_raised_raw": "without CAP_SYS_RESOURCE the kernel refuses it unasked",
    "capability/x32_open": "the kernel was built without the x32 calls",
    "capability/module_uuid": "the programs that it asks are not on every machine",
    "fake_pass/mutated_inputs": "the control's parent keeps its inputs in another process too",
    "fake_pass/template_break_out": "the control splices source into a program, not into a quoted string",
    "availability/ast_bomb": "this interpreter's compiler counts its own depth",
    "availability/source_decorators": "it is late only on a slow machine",
    "availability/source_names": "it is late only on a slow machine",
    "availability/source_nested_blocks": "it is late only on a slow machine",
    "availability/source_operators": "it is late only on a slow machine",
    "availability/big_result": "the standard encoder refuses so many digits",
    "availability/cyclic_result": "the standard encoder finds cycles",
    "availability/error_chain": "the control prints no causes",
    "availability/error_text_strange": "the control catches what making the text raises",
    "availability/exec_bomb": "this interpreter's compiler counts its own depth",
    "availability/many_cases": "the control has no output limit that adds up",
    "availability/memory_absurd": "no machine has that much memory",
    "availability/nested_result": "the standard encoder counts its own depth",
    "availability/nested_result_shallow": "the standard encoder and decoder count alike",
    "availability/regex_repeat": "this interpreter's compiler of expressions is fast enough",
    **{
        f"availability/source_{name}": "this interpreter refuses the source by itself, at once"
        for name in (
            "attributes", "coding", "digits", "elif", "empty", "indents", "long_name", "minuses", "nul",
            "parentheses", "surrogates", "unclosed",
        )
    },
    "stream/nonblocking": "whether the control's worker is waiting when its pipe changes is a race",
    "stream/oversized_frame": "the control's frames have no lengths",
    "stream/pass_descriptor": "the control receives no descriptors",
    "stream/shrink_pipes": "the control reads while its worker writes",
    "stream/surrogate_print": "the control's streams escape what they cannot encode",
}  # fmt: skip
"""Attacks that even the control withstands, and why: their oracles are watched for regressions only."""


FIRED = [attack for attack in ATTACKS if attack.name not in UNFIRED]


@pytest.fixture(scope="module")
def arena() -> Iterator[Arena]:
    with Arena() as arena:
        yield arena


@pytest.fixture(scope="module", params=["L3"])
def box(arena: Arena, request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """The strongest sandbox that this machine gives, with every module that an attack could want."""
    with armed(request.param) as box:
        yield box


def armed(ceiling: str, *, core: bool = True, **limits: float) -> Sandbox:
    """A sandbox of at most that level; without system call filtering there is nothing to hold attacks to."""
    modules, allowed = (*MODULES, *ARMS), Limits(**{**LIMITS, **limits})
    box = Sandbox(allowed, workers=1, require="L0", ceiling=ceiling, modules=modules, core=core)
    if str(box.level) == "L0":
        box.close()
        pytest.skip(f"this machine gives L0, which stops no forbidden call: {dict(box.level.missing)}")
    return box


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_is_blocked(attack: Attack, box: Sandbox, arena: Arena) -> None:
    outcome = run(box, attack, arena)
    assert outcome.blocked, outcome.detail


@pytest.mark.slow
@pytest.mark.parametrize(("level", "core"), [("L3", False), ("L2", True), ("L1", True)])
def test_the_corpus_is_blocked_at_every_level_offered(level: str, core: bool, arena: Arena) -> None:
    with armed(level, core=core) as box:
        if str(box.level) != level:
            pytest.skip(f"this machine gives {box.level} at most")
        outcomes = [run(box, attack, arena) for attack in ATTACKS]
    assert [f"{o.attack.name}: {o.detail}" for o in outcomes if not o.blocked] == []


NOBODY: dict[str, Any] = {"user": 65534, "group": 65534, "extra_groups": []}


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="every other test here is that already")
@pytest.mark.parametrize("level", ["L3", "L2", "L1"])
def test_the_corpus_is_blocked_for_a_user_other_than_root(level: str) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "autotelic.cli", "sandbox"]
    common: dict[str, Any] = {"env": environment, "cwd": "/", "capture_output": True, "text": True, **NOBODY}
    try:
        found = subprocess.run([*command, "doctor", "--as-json"], **common)
    except PermissionError:
        pytest.skip(f"no other user may run {sys.executable}")
    if f'"level": "{level}"' not in found.stdout and level == "L3":
        pytest.skip(f"this machine gives another user less than {level}")
    done = subprocess.run([*command, "attack", "--level", level], **common)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def usual() -> Iterator[Sandbox]:
    """A sandbox as the engine opens it."""
    with Sandbox(Limits(wall_s=2.0, cpu_s=2.0), workers=1, require="L0") as box:
        yield box


@pytest.mark.parametrize("program", load_benign(), ids=lambda program: program.name)
def test_an_honest_program_passes(program: Benign, usual: Sandbox) -> None:
    got = usual.run(program.source, entry=program.entry, inputs=list(program.inputs))
    assert got.outputs == tuple(canonical(want) for want in program.outputs), got.errors
    source = program.source + "# again\n"
    again = usual.run(source, entry=program.entry, inputs=list(program.inputs), twice=True)
    assert again.outputs == got.outputs, again.reason


def test_honest_programs_pass_among_attacks(arena: Arena) -> None:
    """CPU time is as short as elsewhere; the wall limit is long, so that a busy machine starves no program."""
    attacks = load("stream", "fake_pass", "capability")[::3]
    pairs = list(zip(attacks, cycle(load_benign())))

    def jobs() -> Iterator[Job]:
        for number, (attack, program) in enumerate(pairs):
            # The arena's names are left unfilled: what matters here is only what the neighbours get.
            yield Job(source=attack.source, entry=attack.entry, inputs=attack.inputs)
            yield Job(source=f"{program.source}\n# {number}", entry=program.entry, inputs=program.inputs)

    with armed("L3", wall_s=30.0) as box:
        honest = list(box.map(jobs()))[1::2]
    wrong = [
        (attack.name, program.name, got.status, got.errors)
        for got, (attack, program) in zip(honest, pairs, strict=True)
        if got.outputs != tuple(canonical(want) for want in program.outputs)
    ]
    assert wrong == []


THIEF = """
import posix
def f(fd):
    try:
        return len(posix.read(fd, 1 << 16))
    except OSError:
        return 0
"""


@pytest.mark.parametrize("fd", range(8))
def test_a_program_cannot_read_the_ones_that_wait_behind_it(fd: int, box: Sandbox) -> None:
    sources = [f"def f(x): return x + {n + 1000 * fd}" for n in range(20)]
    honest = [Job(source=source, entry="f", inputs=([1],)) for source in sources]
    stolen, *rest = box.map([Job(source=f"{THIEF}# {fd}", entry="f", inputs=([fd],)), *honest])
    assert stolen.outputs == ("0",)
    assert [got.outputs for got in rest] == [(str(n + 1000 * fd + 1),) for n in range(20)]


def test_the_corpus_is_complete() -> None:
    names = [attack.name for attack in ATTACKS]
    assert len(names) >= 120
    assert all(sum(name.startswith(f"{kind}/") for name in names) >= 20 for kind in KINDS)
    assert set(UNFIRED) <= set(names)
    assert len(load_benign()) >= 20


def fires(attack: Attack, arena: Arena) -> bool:
    """Whether the control, which contains nothing, is seen to be beaten by `attack`."""
    expected = attack.expected(arena.values)
    with NaiveBox(expected) as box:
        return not run(box, attack, arena, expected=expected).blocked


@pytest.mark.parametrize("name", CONTROLS)
def test_an_oracle_fires_where_nothing_is_contained(name: str, arena: Arena) -> None:
    (attack,) = (attack for attack in ATTACKS if attack.name == name)
    assert fires(attack, arena)


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="many a forbidden act needs root to work even uncontained")
@pytest.mark.parametrize("attack", FIRED, ids=lambda attack: attack.name)
def test_every_oracle_fires_where_nothing_is_contained(attack: Attack, arena: Arena) -> None:
    assert fires(attack, arena)


def test_an_honest_program_beats_no_oracle(arena: Arena) -> None:
    """The control's verdict is not simply that everything is an attack."""
    source = "def f():\n    return 'nothing'\n"
    honest = Attack(name="capability/honest", kind="capability", tries="nothing", source=source)
    assert not fires(honest, arena)


BAD_INPUTS = {
    "not text": (b"def f(): return 1", "f", [[]]),
    "no text at all": (None, "f", [[]]),
    "no such entry": ("def f(): return 1", "g", [[]]),
    "an entry that is no name": ("def f(): return 1", "f()\n", [[]]),
    "an entry that is no text": ("def f(): return 1", 3, [[]]),
    "an entry of a million letters": ("def f(): return 1", "f" * 10**6, [[]]),
    "an entry with a surrogate": ("def f(): return 1", "\ud800", [[]]),
    "an entry that is no function": ("f = 1", "f", [[]]),
    "a builtin as entry": ("x = 1", "print", [[]]),
    "inputs that are no list": ("def f(): return 1", "f", 5),
    "a case that is no list": ("def f(x): return 1", "f", [5]),
    "inputs that are no JSON": ("def f(x): return 1", "f", [[{1, 2}]]),
    "inputs that are NaN": ("def f(x): return 1", "f", [[float("nan")]]),
    "inputs with keys that are no text": ("def f(x): return 1", "f", [[{1: 2}]]),
    "inputs with lone surrogates": ("def f(x): return len(x)", "f", [["\ud800"]]),
    "too few arguments": ("def f(x): return 1", "f", [[]]),
    "too many arguments": ("def f(): return 1", "f", [[1, 2]]),
    "no cases": ("def f(): return 1", "f", []),
    "too many cases": ("def f(): return 1", "f", [[]] * 200_000),
}


@pytest.mark.parametrize("name", BAD_INPUTS)
def test_bad_input_gets_a_status_or_a_clear_error(name: str, usual: Sandbox) -> None:
    source, entry, inputs = BAD_INPUTS[name]
    try:
        got = usual.run(source, entry=entry, inputs=inputs)  # type: ignore[arg-type]
    except SandboxError:
        pass
    else:
        assert got.status in ("ok", "error", "refused")
        assert got.status == "ok" or got.reason or any(got.errors)
    assert usual.run("def f(): return 1", entry="f", inputs=[[]]).outputs == ("1",)


def test_inputs_that_hold_themselves_are_refused(usual: Sandbox) -> None:
    ring: list[object] = []
    ring.append(ring)
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    for value in (ring, deep):
        got = usual.run("def f(x): return 1", entry="f", inputs=[[value]])  # type: ignore[list-item]
        assert got.status in ("refused", "error")


@pytest.mark.parametrize("field", ["wall_s", "cpu_s", "memory_mb", "output_kb"])
@pytest.mark.parametrize("value", [0, -1, 10**12, float("nan"), float("inf"), "1", None, True])
def test_absurd_limits_are_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(SandboxError, match=field):
        Limits(**{field: value})  # type: ignore[arg-type]


def test_the_pool_heals_when_its_processes_are_killed() -> None:
    others = descendants(os.getpid())
    with Sandbox(Limits(wall_s=2.0), workers=1, require="L0") as box:
        for number in range(3):
            for pid in descendants(os.getpid()) - others:
                os.kill(pid, signal.SIGKILL)
            got = box.run(f"def f(): return {number}", entry="f", inputs=[[]])
            assert got.outputs == (str(number),)
        assert descendants(os.getpid()) - others
    assert [pid for pid in descendants(os.getpid()) - others if _alive(pid)] == []


def test_nothing_stays_when_the_parent_is_killed() -> None:
    script = """
        import sys, time
        from autotelic.sandbox import Limits, Sandbox
        with Sandbox(Limits(wall_s=60, cpu_s=60), workers=1, require="L0") as box:
            print("ready", flush=True)
            box.run("def f():\\n  while True: pass", entry="f", inputs=[[]])
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, env=environment, text=True
    )
    assert parent.stdout is not None
    with parent.stdout:
        assert parent.stdout.readline() == "ready\n"
    time.sleep(0.3)  # let the program reach its loop; were it not there yet, the test would only be weaker
    family = descendants(parent.pid)
    assert family
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 10
    while any(_alive(pid) for pid in family) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [pid for pid in family if _alive(pid)] == []


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"  # buried by whoever adopts it
