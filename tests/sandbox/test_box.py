"""What the executor promises, whatever level is in force."""

from collections.abc import Iterator
from typing import Any

import pytest

from autotelic.sandbox import Job, Limits, Sandbox, encode


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(Limits(wall_s=0.5, cpu_s=0.5), workers=1, require="L0") as box:
        yield box


@pytest.fixture(scope="module")
def patient() -> Iterator[Sandbox]:
    """For programs whose answer is wanted, however busy the machine."""
    with Sandbox(Limits(wall_s=20.0, cpu_s=20.0), workers=1, require="L0") as box:
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


GROWING = """
def f(n):
    kept, text, table, number = [], "", {}, 1
    for i in range(n):
        kept.append([i] * (i % 7))
        text += str(i)
        table[text[-3:]] = (i, kept[-1])
        number = number * 3 + len(bytes(i % 5))
        if i % 11 == 0:
            scope = {}
            exec(f"def g(*a): return [a, {i}, ()]", scope)
            kept.append(list(scope["g"](i)[0]))
            del kept[: len(kept) // 2]
    return [kept[-3:], text[-9:], len(text), sorted(table)[:5], str(number)[-9:]]
"""


def test_a_program_of_any_size_gets_the_answers_it_gets_elsewhere(patient: Sandbox) -> None:
    """A program's first memory comes from a small area of its own; nothing may change where that ends."""
    scope: dict[str, Any] = {}
    exec(GROWING, scope)  # ours, and the same text
    sizes = [*range(20, 400, 9), 3000]
    alone = [patient.run(GROWING, entry="f", inputs=[[size]]).outputs[0] for size in sizes]
    assert alone == [encode(scope["f"](size)) for size in sizes]
    assert patient.run(GROWING, entry="f", inputs=[[size] for size in sizes]).outputs == tuple(alone)


@pytest.mark.parametrize("count", [8, 50, 200, 2000])
def test_what_depends_on_where_objects_lie_is_refused(patient: Sandbox, count: int) -> None:
    source = "class T:\n def __init__(self, n): self.n = n\n"
    source += f"def f(): return [t.n for t in {{T(n) for n in range({count})}}]"
    run = patient.run(source, entry="f", inputs=[[]], twice=True)
    assert (run.status, run.reason) == ("refused", "nondeterministic")
