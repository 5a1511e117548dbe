"""The pool: streams, sharing, remembering, healing."""

import itertools
import os
import threading
from collections.abc import Iterator

import pytest

from autotelic.errors import SandboxError
from autotelic.sandbox import Job, Limits, Run, Sandbox
from autotelic.sandbox.pool import WINDOW

ONE = "def f(x): return x + 1"


@pytest.fixture(scope="module", params=[True, False], ids=["core", "python"])
def box(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    limits = Limits(wall_s=2.0, cpu_s=2.0, output_kb=8)
    with Sandbox(limits, workers=2, require="L0", core=request.param) as box:
        yield box


def job(number: int, **options: bool) -> Job:
    return Job(source=f"def f(x): return x + {number}", entry="f", inputs=([1],), **options)


def test_jobs_are_taken_only_as_fast_as_runs_are_consumed(box: Sandbox) -> None:
    taken = 0

    def endless() -> Iterator[Job]:
        nonlocal taken
        for taken in itertools.count(1):
            yield job(taken)

    runs = box.map(endless())
    assert [next(runs).outputs for _ in range(3)] == [("2",), ("3",), ("4",)]
    assert taken <= 2 * WINDOW + 3
    runs.close()  # type: ignore[attr-defined]
    assert box.run(ONE, entry="f", inputs=[[1]]).outputs == ("2",)


def test_two_streams_may_be_read_in_turn(box: Sandbox) -> None:
    first, second = box.map(job(n) for n in range(300)), box.map(job(n) for n in range(1000, 1300))
    pairs = [(a.outputs[0], b.outputs[0]) for a, b in zip(first, second, strict=True)]
    assert pairs == [(str(n + 1), str(n + 1001)) for n in range(300)]


def test_a_stream_hands_back_what_came_along(box: Sandbox) -> None:
    tagged = list(box.stream((f"tag {n}", job(n)) for n in range(20)))
    assert [(tag, run.outputs[0]) for tag, run in tagged] == [(f"tag {n}", str(n + 1)) for n in range(20)]


def test_threads_share_a_box(box: Sandbox) -> None:
    found: dict[int, list[str | None]] = {}

    def work(base: int) -> None:
        found[base] = [run.outputs[0] for run in box.map(job(base + n) for n in range(60))]

    threads = [threading.Thread(target=work, args=(base,)) for base in (2000, 3000, 4000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {base: [str(base + n + 1) for n in range(60)] for base in (2000, 3000, 4000)}


def test_a_box_opened_in_a_thread_outlives_it() -> None:
    opened: list[Sandbox] = []
    thread = threading.Thread(target=lambda: opened.append(Sandbox(workers=1, require="L0")))
    thread.start()
    thread.join()
    with opened[0] as box:
        assert box.run(ONE, entry="f", inputs=[[1]]).outputs == ("2",)


def test_equal_jobs_are_run_once(box: Sandbox) -> None:
    source = "import time\ndef f(): return time.perf_counter()"
    same = Job(source=source, entry="f", inputs=([],))
    runs = list(box.map([same] * 50))
    assert len({run.outputs for run in runs}) == 1
    assert box.run(source, entry="f", inputs=[[]]).outputs == runs[0].outputs
    assert box.run(source, entry="f", inputs=[[], []]).outputs[0] != runs[0].outputs[0]


def test_nothing_is_remembered_without_a_cache() -> None:
    with Sandbox(workers=1, require="L0", cache=0) as box:
        source = "import time\ndef f(): return time.perf_counter()"
        first, second = (box.run(source, entry="f", inputs=[[]]) for _ in range(2))
        assert first.outputs != second.outputs


STATUSES = {
    "ok": "def f(x): return x",
    "error": "def f(x): return x.y",
    "refused": "def f(x) return x",
    "timeout": "def f(x):\n while True: pass",
    "memory": "def f(x): return len(bytearray(1 << 40))",
    "output": "def f(x): return 'x' * 9000",
    "crashed": "import os\ndef f(x): os._exit(3)",
}


@pytest.mark.parametrize("status", STATUSES)
def test_each_end_has_its_status(box: Sandbox, status: str) -> None:
    run = box.run(STATUSES[status], entry="f", inputs=[[1]])
    assert run.status == status
    assert run.ok or run.reason


def test_what_is_printed_is_kept_up_to_the_limit(box: Sandbox) -> None:
    run = box.run("def f():\n print('é', 1)\n print('x' * 10_000)", entry="f", inputs=[[]])
    assert run.status == "ok"
    assert run.stdout.startswith("é 1\nxxx")
    assert len(run.stdout.encode()) == 8 << 10


def test_cases_before_a_deadline_keep_their_outputs(box: Sandbox) -> None:
    run = box.run("def f(x):\n while x > 1: pass\n return x", entry="f", inputs=[[0], [1], [2], [0]])
    assert run.status == "timeout"
    assert run.outputs == ("0", "1", None, None)


def test_a_program_that_cannot_load_fails_every_case_with_its_error(box: Sandbox) -> None:
    run = box.run("import no_such_module\ndef f(): return 1", entry="f", inputs=[[], []])
    assert run.status == "error"
    assert run.errors == ("ModuleNotFoundError: No module named 'no_such_module'",) * 2


def test_nothing_of_one_program_reaches_the_next(box: Sandbox) -> None:
    box.run(
        "import math\nmath.pi = 3\nimport builtins\nbuiltins.len = None\ndef f(): return 1",
        entry="f",
        inputs=[[]],
    )
    run = box.run("import math\ndef f(): return [math.pi > 3.1, len([1])]", entry="f", inputs=[[]])
    assert run.outputs == ("[true,1]",)


def test_a_closed_box_says_so() -> None:
    with Sandbox(workers=1, require="L0") as box:
        pass
    with pytest.raises(SandboxError, match="closed"):
        box.run(ONE, entry="f", inputs=[[1]])
    box.close()


def test_a_fork_may_not_use_its_parents_box(box: Sandbox) -> None:
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            box.run(ONE, entry="f", inputs=[[77]])
        except SandboxError as error:
            os.write(writer, str(error).encode())
        box.close()
        os._exit(0)
    os.waitpid(pid, 0)
    os.close(writer)
    with open(reader, "rb") as told:
        assert b"belongs to the process that opened it" in told.read()
    assert box.run(ONE, entry="f", inputs=[[78]]).outputs == ("79",)


@pytest.mark.parametrize("workers", [0, -1, 1.5, True, 10_000])
def test_an_absurd_number_of_workers_is_refused(workers: object) -> None:
    with pytest.raises(SandboxError, match="workers"):
        Sandbox(workers=workers)  # type: ignore[arg-type]


def test_a_run_is_a_value(box: Sandbox) -> None:
    run = box.run(ONE, entry="f", inputs=[[5]])
    assert isinstance(run, Run)
    assert run.usage.wall_s > 0
    assert run.usage.peak_kb > 0
