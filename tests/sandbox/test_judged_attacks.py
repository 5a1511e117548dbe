"""The attack corpus against assert-style tests: programs after their verdict, and all others called by tests."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autotelic.sandbox import Job, Limits, Run, Sandbox
from autotelic.sandbox.asserting import check
from autotelic.sandbox.cage import MODULES

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from attacks.arena import Arena
from attacks.harness import ARMS, TESTED_LIMITS, Attack, ProgramWithTests, load, load_tested, run, run_tested

TESTED = load_tested()
UNFIRED = {
    "calls_what_it_was_not_given": "there is no other side to ask",
    "changes_what_it_was_not_given": "there is no other side to write to",
    "class_of_a_list": "there is no other side to write to",
    "counts_on_its_exit": "an exit in a destructor is no verdict there either, only an exit code",
    "forges_a_base": "there is no other side to write to",
    "forges_a_class": "there is no other side to write to",
    "forges_an_operation": "there is no other side to write to",
    "forges_small_integers": "there is no other side to write to",
    "forges_the_report": "there is no report",
    "kills_the_tests": "it would end other processes of this machine",
    "late_answer": "the tests never tell it the answer",
    "looks_up_a_name": "there is no other side to ask",
    "nested_message": "there is no other side to write to",
    "never_lets_go": "there is no turn",
    "nonsense": "there is no other side to write to",
    "raises_refusal": "there is no refusal",
    "reads_globals": "there is no other side to ask",
    "reads_globals_of_a_method": "there is no other side to ask",
    "replaces_a_method": "there is no other side to ask",
    "says_it_died": "there is no channel",
    "says_passed": "nobody reads what is printed",
    "shadows_names": "tests that come last define their names last",
    "takes_a_table": "there is no other side to write to",
    "takes_every_turn": "there is no turn",
    "walks_its_memory": "walking the memory of an unlimited process takes minutes",
}
"""Attacks that a plain interpreter withstands, and why; the others pass their tests there."""


class PairBox:
    """A sandbox in which every program is called by tests, from the other process of a pair."""

    CALLER = """
import json
outputs = []
for case in json.loads({cases!r}):
    try:
        outputs.append(json.dumps(candidate(*case), sort_keys=True, separators=(",", ":")))
    except BaseException:
        outputs.append(None)
print(json.dumps(outputs))
"""

    def __init__(self, box: Sandbox) -> None:
        self.box = box

    def run(self, source: str, *, entry: str, inputs: Any, twice: bool = False) -> Run:
        """Like `Sandbox.run`, with what the tests printed as outputs."""
        tests = self.CALLER.format(cases=json.dumps(list(inputs)))
        (done,) = self.box.map([Job(source=source, entry=entry, tests=tests)])
        nothing = (None,) * len(inputs)
        try:
            outputs = tuple(json.loads(done.stdout.splitlines()[-1]))
        except (IndexError, ValueError):
            outputs = nothing
        if len(outputs) != len(nothing):
            outputs = nothing
        errors = tuple("" if output is not None else done.reason or "it raised" for output in outputs)
        status = "ok" if None not in outputs else "timeout" if done.status == "timeout" else "error"
        return Run(status=status, outputs=outputs, errors=errors, reason=done.reason)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def arena() -> Iterator[Arena]:
    with Arena() as arena:
        yield arena


def armed(ceiling: str, *, core: bool = True) -> Sandbox:
    """A sandbox of at most that level, with every module that an attack could want."""
    limits, modules = Limits(**TESTED_LIMITS), (*MODULES, *ARMS)
    box = Sandbox(limits, workers=1, require="L0", ceiling=ceiling, modules=modules, core=core, cache=0)
    if str(box.level) == "L0":
        box.close()
        pytest.skip(f"this machine gives L0, which stops no forbidden call: {dict(box.level.missing)}")
    return box


@pytest.fixture(scope="module")
def box(arena: Arena) -> Iterator[Sandbox]:
    with armed("L3") as box:
        yield box


@pytest.mark.parametrize("attack", TESTED, ids=lambda attack: attack.name)
def test_tests_do_not_pass(attack: ProgramWithTests, box: Sandbox, arena: Arena) -> None:
    assert run_tested(box, attack, arena).detail == ""


CALLED = [
    *load("capability", "stream"),
    # Of these, those that are after an answer; the others pass off as JSON what is none, and here nothing must be.
    *[attack for attack in load("fake_pass") if attack.wins == "secret"],
]


@pytest.mark.slow
@pytest.mark.parametrize("attack", CALLED, ids=lambda attack: attack.name)
def test_an_attack_is_blocked_when_tests_call_it(attack: Attack, box: Sandbox, arena: Arena) -> None:
    outcome = run(PairBox(box), attack, arena)
    faults = [fault for fault in outcome.detail.split("; ") if fault and "the verdict took" not in fault]
    assert faults == []


@pytest.mark.parametrize("attack", CALLED[::12], ids=lambda attack: attack.name)
def test_some_attacks_are_blocked_when_tests_call_them(attack: Attack, box: Sandbox, arena: Arena) -> None:
    test_an_attack_is_blocked_when_tests_call_it(attack, box, arena)


@pytest.mark.slow
@pytest.mark.parametrize(("level", "core"), [("L3", False), ("L2", True), ("L1", True)])
def test_tests_do_not_pass_at_any_level_offered(level: str, core: bool, arena: Arena) -> None:
    with armed(level, core=core) as box:
        if str(box.level) != level:
            pytest.skip(f"this machine gives {box.level} at most")
        outcomes = [run_tested(box, attack, arena) for attack in TESTED]
    assert {o.attack.name: o.detail for o in outcomes if not o.blocked} == {}


def passes_in_one_process(program: ProgramWithTests) -> bool:
    """Whether plain Python, which knows no difference between tests and candidate, calls it right."""
    text = f"{program.source}\n\ncandidate = {program.entry}\n\n{program.tests}"
    command = [sys.executable, "-c", text]
    return subprocess.run(command, capture_output=True, timeout=30, stdin=subprocess.DEVNULL).returncode == 0


FIRED = [attack for attack in TESTED if attack.name not in UNFIRED]


@pytest.mark.parametrize("attack", FIRED, ids=lambda attack: attack.name)
def test_they_pass_where_nothing_keeps_them_from_the_tests(attack: ProgramWithTests) -> None:
    assert passes_in_one_process(attack)


def test_an_honest_wrong_program_passes_nowhere(box: Sandbox) -> None:
    wrong = ProgramWithTests(
        name="wrong", tries="nothing", source="def f(n): return n", tests="assert f(1) == 2"
    )
    assert not passes_in_one_process(wrong)
    assert not check(box, wrong.source, entry="f", tests=wrong.tests).passed


def test_the_corpus_is_complete() -> None:
    assert len(TESTED) >= 55
    assert set(UNFIRED) <= {attack.name for attack in TESTED}
