"""The fuzz corpus: a seed draws the same programs, of every sort."""

import random

import pytest

from autotelic.sandbox import Job, Limits, Run, Sandbox
from autotelic.sandbox.fuzz import ANY, HOSTILE, TEMPLATES, draw, honest, mutant
from autotelic.sandbox.soak import Findings


def test_a_seed_draws_the_same_programs() -> None:
    first, second = random.Random(3), random.Random(3)
    assert [draw(first) for _ in range(50)] == [draw(second) for _ in range(50)]


def test_every_sort_is_drawn_and_few_twice() -> None:
    rng = random.Random(0)
    drawn = [draw(rng) for _ in range(2000)]
    assert {status for status, _ in drawn} == {*TEMPLATES, ANY}
    assert len({job.source for _, job in drawn}) > 1500


@pytest.mark.filterwarnings("ignore")
def test_mutants_differ_from_their_source_and_many_still_compile() -> None:
    rng = random.Random(1)
    mutants = [mutant(rng, rng.choice(HOSTILE)) for _ in range(500)]
    assert sum(text in HOSTILE for text in mutants) < 50

    def compiles(text: str) -> bool:
        try:
            compile(text, "mutant", "exec")
        except (SyntaxError, ValueError, UnicodeEncodeError):
            return False
        return True

    assert 50 < sum(compiles(text) for text in mutants) < 450


def test_honest_programs_return_lists_of_integers() -> None:
    rng = random.Random(2)
    for _ in range(200):
        source, given = honest(rng)
        names: dict[str, object] = {}
        exec(source, names)
        found = names["f"](given)  # type: ignore[operator]
        assert isinstance(found, list)
        assert all(type(v) is int for v in found)


def test_a_run_that_breaks_a_promise_is_found() -> None:
    job, limits = Job(source="", entry="f", inputs=([1],)), Limits(wall_s=0.5)
    good = Run(status="ok", outputs=("1",), errors=("",))
    found = Findings()
    found.note("ok", job, good, 0.9, limits)
    assert not found.wrong
    assert not found.suspects
    found.note("error", job, good, 0.1, limits)
    found.note(ANY, job, Run(status="odd", outputs=("1",), errors=("",)), 0.1, limits)  # type: ignore[arg-type]
    found.note(ANY, job, Run(status="ok", outputs=(None,), errors=("",)), 0.1, limits)
    assert sum(found.wrong.values()) == 3
    found.note("ok", job, good, 1.1, limits)
    assert found.suspects == [job]


def test_a_verdict_that_is_late_every_time_is_found() -> None:
    """With no grace at all a program that sleeps past it stands for one."""
    found = Findings(suspects=[Job(source="def f(x): return x", entry="f", inputs=([1],))])
    with Sandbox(Limits(wall_s=2.0), workers=1, require="L0") as box:
        found.ask_again(box)
        assert not found.wrong
        found.ask_again(box, grace_s=-2.0)
    assert sum(found.wrong.values()) == 1
