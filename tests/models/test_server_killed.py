"""A whole run whose server, a process of its own, is killed twice: nothing is lost, nothing counted twice."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from pretrained import write
from test_pretrained_run import TEXTS, charter, tensors

from autotelic.loop import run
from autotelic.machine import Machine
from autotelic.messages import Attempted, Dropped, Message, Probed, StageBegan
from autotelic.models.digest import digest_of
from autotelic.record import Journal

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("peft") is None, reason="pip install 'autotelic[lora]'"),
]


class Mortal:
    """A server in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self.kills = 0
        self.begin()

    def begin(self) -> None:
        paths = os.pathsep.join([str(Path(__file__).parent), *sys.path])
        code = f"import completions_server as c; c.serve_folder({str(self.folder)!r}, {self.port})"
        self.process = subprocess.Popen(
            [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": paths}, stderr=subprocess.DEVNULL
        )

    def wait(self) -> None:
        until = time.monotonic() + 120
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.2)
        raise TimeoutError("the server did not begin")

    def kill(self) -> None:
        """End it at once, and begin another in its place."""
        self.process.kill()
        self.process.wait()
        self.kills += 1
        self.begin()


def test_a_run_whose_server_is_killed_twice_is_the_run_of_one_that_is_not(tmp_path: Path) -> None:
    folder = write(tmp_path / "model", TEXTS)
    rules = charter(folder, domain={"name": "math", "modes": ["solve"]}, model={"lora_rank": 4})
    server = Mortal(folder)

    def at_work(message: Message) -> None:
        if (
            isinstance(message, StageBegan)
            and message.stage == "attempt"
            and server.kills < message.generation <= 2
        ):
            server.kill()

    def ran(name: str, **given: Any) -> Path:
        run(rules, tmp_path / name, machine=Machine(threads=1, workers=1, server=server.url), **given)
        return tmp_path / name

    try:
        server.wait()
        whole, cut = ran("whole"), ran("cut", watch=at_work)
    finally:
        server.process.kill()
        server.process.wait()
    assert server.kills == 2
    mine, theirs = tensors(whole), tensors(cut)
    assert {name: digest_of(mine[name]) for name in mine} == {
        name: digest_of(theirs[name]) for name in theirs
    }

    def attempts(place: Path) -> list[list[str]]:
        with Journal.open(place) as journal:
            return [[g.task.id for g in m.groups] for m in journal.read() if isinstance(m, Attempted)]

    assert attempts(cut) == attempts(whole)
    with Journal.open(cut) as journal:
        messages = list(journal.read())
    assert any(isinstance(m, Dropped) and m.what == "server" for m in messages)
    assert all(m.gap < 1e-3 for m in messages if isinstance(m, Probed))
