"""A real run, finished once a session: what every reader of a journal is tested on."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from nursery import STARTING, Nursery

from autotelic.charter import Charter

os.environ.setdefault("OMP_NUM_THREADS", "1")  # tiny models on many threads wait for one another
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")  # how long drawing an example takes says more of the machine than of the test
ROOT = Path(__file__).parent.parent
SMALL = {
    "seed": 7,
    "domain": {"levels": [1, 2]},
    "curriculum": {
        "bootstrap_generations": 1,
        "tasks_per_generation": 160,
        "probe_tasks": 16,
        "group_size": 4,
    },
    "learn": {"baseline": "critic"},  # so that the critic learns and its messages are there
    "exam": {"items_per_cell": 4, "every": 2, "own_items": 4, "samples": 8},
    "gate": {"items": 12, "answers": 2, "planned": 2},
    "budget": {"seconds": 0.0, "generations": 6},
}
"""Six generations of a few seconds in all, from a champion that proposes, solves and fails at times."""


FIRST = (
    "test_learning.py",
    "examples/test_runs.py",
    "dashboard/test_page_browser.py",
    "test_loop.py",
    "test_beginning.py",
    "trace/test_attribution.py",
    "test_overseen_run.py",
)
"""The longest files. Begun first, they leave no process with a minute's work when the others are done."""
COVERED = ("engine", "record", "weights", "propose", "attempt", "judge", "credit", "learn", "exam")
"""Folders of tests that, with the runs of this one, are counted as covering what the engine stands on."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first; what is not about the engine is not traced, which costs it half as much again."""
    here = Path(__file__).parent
    order = {here / name: at for at, name in enumerate(FIRST)}
    items.sort(key=lambda item: order.get(item.path, len(order)))
    for item in items:
        part = item.path.relative_to(here).parts
        if len(part) > 1 and part[0] not in COVERED and item.path not in order:
            item.add_marker(pytest.mark.no_cover)


def pytest_configure() -> None:
    """A shell that starts the tests in the background has them ignore Ctrl-C, and so every process they start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def nursery() -> Iterator[Nursery]:
    """Overseers and examiners are forked from one process: each would import torch, seconds for a run of one."""
    forking = Nursery()
    with pytest.MonkeyPatch.context() as patch:
        for name in STARTING:
            patch.setattr(importlib.import_module(name), "subprocess", forking)
        yield forking
    forking.close()


@pytest.fixture(scope="session", autouse=True)
def drawing() -> Iterator[Callable[..., list[Path]]]:
    """What draws the pictures of a finished run. It takes two seconds, and a hundred runs here are of no interest to
    look at: they draw none. Who looks at pictures asks for this fixture, and puts it back.
    """
    from autotelic.dashboard import plots

    real = plots.write_plots
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plots, "write_plots", lambda *_: [])
        yield real


@pytest.fixture
def fresh_processes(nursery: Nursery, monkeypatch: pytest.MonkeyPatch) -> None:
    """Overseers and examiners are started as users start them: each a fresh interpreter."""
    for name in STARTING:
        monkeypatch.setattr(importlib.import_module(name), "subprocess", subprocess)


@pytest.fixture(scope="session")
def small_charter() -> Charter:
    """A charter whose run takes seconds and has every kind of message."""
    return Charter.of(SMALL)


@pytest.fixture(scope="session")
def real_run(tmp_path_factory: pytest.TempPathFactory, small_charter: Charter) -> Path:
    """The folder of a finished run that started from `champions/tiny`. Not to be changed; copy it.

    Processes of one session share it: the first that asks makes it, the others wait.
    """
    from filelock import FileLock

    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder, done = shared / "runs" / "real", shared / "runs" / "done"
    folder.parent.mkdir(exist_ok=True)
    with FileLock(shared / "runs" / "lock"):
        if not done.exists():
            from autotelic import loop
            from autotelic.machine import Machine

            loop.run(
                small_charter, folder, machine=Machine(threads=1), start_from=ROOT / "champions" / "tiny"
            )
            done.touch()
    return folder
