"""What the executor promises, whatever level is in force."""

from collections.abc import Iterator

import pytest

from autotelic.sandbox import Job, Limits, Sandbox


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(Limits(wall_s=0.5, cpu_s=0.5), workers=1, require="L0") as box:
        yield box


def test_outputs_are_canonical_json_of_exact_types(box: Sandbox) -> None:
    run = box.run("def f(x): return {'b': x, 'a': [True, 1, 1.0, None, 'é']}", entry="f", inputs=[[1]])
    assert run.status == "ok"
    assert run.outputs == ('{"a":[true,1,1.0,null,"\\u00e9"],"b":1}',)


def test_a_case_that_raises_does_not_stop_the_later_ones(box: Sandbox) -> None:
    run = box.run("def f(x): return 1 // x", entry="f", inputs=[[1], [0], [-1]])
    assert run.status == "error"
    assert run.outputs == ("1", None, "-1")
    assert run.errors == ("", "ZeroDivisionError: integer division or modulo by zero", "")


def test_a_spin_times_out_and_the_next_program_runs(box: Sandbox) -> None:
    assert box.run("def f():\n while True: pass", entry="f", inputs=[[]]).status == "timeout"
    assert box.run("def f(): return 1", entry="f", inputs=[[]]).outputs == ("1",)


def test_map_keeps_the_order(box: Sandbox) -> None:
    jobs = [Job(source=f"def f(x): return x + {n}", entry="f", inputs=([1],)) for n in range(50)]
    assert [run.outputs[0] for run in box.map(jobs)] == [str(n + 1) for n in range(50)]


def test_what_depends_on_the_hash_seed_is_refused(box: Sandbox) -> None:
    source = "def f(): return list({'a', 'b', 'c', 'd', 'e'})"
    run = box.run(source, entry="f", inputs=[[]], twice=True)
    assert (run.status, run.reason) == ("refused", "nondeterministic")
    assert box.run("def f(): return 2", entry="f", inputs=[[]], twice=True).outputs == ("2",)
