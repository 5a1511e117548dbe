"""Processes that tests fork are as processes that users start."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest
from nursery import Nursery


@pytest.mark.parametrize("popen", ["nursery", "subprocess"])
def test_a_module_is_run_with_its_streams_and_its_exit_code(popen: str, nursery: Nursery) -> None:
    start = nursery.Popen if popen == "nursery" else subprocess.Popen
    pipe = subprocess.PIPE
    child = start(
        [sys.executable, "-m", "json.tool", "--compact"], stdin=pipe, stdout=pipe, stderr=pipe, text=True
    )
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write("[1, 2]")
    child.stdin.close()
    assert child.stdout.read() == "[1,2]\n"
    assert child.wait(60) == 0
    wrong = start(
        [sys.executable, "-m", "json.tool"], stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True
    )
    assert wrong.wait(60) == 1
    assert wrong.stderr is not None
    assert "Expecting value" in wrong.stderr.read()


def test_a_child_can_be_killed_and_has_the_environment_it_is_given(nursery: Nursery) -> None:
    child = nursery.Popen(
        [sys.executable, "-m", "json.tool"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    assert child.poll() is None
    child.kill()
    assert child.wait(60) == -9
    env = {"PYTHONPATH": "", "LC_ALL": "C"}
    told = nursery.Popen([sys.executable, "-m", "sysconfig"], stdout=subprocess.PIPE, text=True, env=env)
    assert told.stdout is not None
    assert "Paths:" in told.stdout.read()
    assert told.wait(60) == 0


def test_a_child_has_the_limits_of_who_asked_for_it(nursery: Nursery, tmp_path: Path) -> None:
    """And whoever asks next has none of them."""
    told = "import resource\nprint(resource.getrlimit(resource.RLIMIT_FSIZE)[0])\n"
    (tmp_path / "size_of_files.py").write_text(told)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def limit() -> str:
        env = {"PYTHONPATH": str(tmp_path)}
        child = nursery.Popen(
            [sys.executable, "-m", "size_of_files"], stdout=subprocess.PIPE, text=True, env=env
        )
        assert child.stdout is not None
        return child.stdout.read()

    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
        assert limit() == "50000\n"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert limit() == f"{before[0]}\n"
