"""A cluster that cannot be joined is one line, and leaves no run folder."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from test_cluster_seams import CHARTER

from autotelic.errors import AutotelicError, RunError
from autotelic.loop import run
from autotelic.machine import Machine


def test_an_address_that_does_not_answer_leaves_nothing(tmp_path: Path) -> None:
    if find_spec("ray") is None:
        pytest.skip("Ray is not installed: pip install -e '.[ray]'")
    machine = Machine(threads=1, workers=1, engine="ray", address="127.0.0.1:1")
    with pytest.raises(RunError, match=r"no Ray cluster answers at '127\.0\.0\.1:1'") as caught:
        run(CHARTER, tmp_path / "run", machine=machine)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_without_ray_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "autotelic.engine.cluster.pool", raising=False)
    with pytest.raises(
        AutotelicError, match=r"needs Ray, which is not installed; `pip install -e '\.\[ray\]'`"
    ):
        run(CHARTER, tmp_path / "run", machine=Machine(threads=1, workers=1, engine="ray"))
    assert not (tmp_path / "run").exists()


def test_a_device_that_is_not_there_leaves_nothing(tmp_path: Path) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device here")
    with pytest.raises(AutotelicError, match=r"--device cuda: torch .* finds no such device here"):
        run(CHARTER, tmp_path / "run", machine=Machine(threads=1, workers=1, device="cuda"))
    assert not (tmp_path / "run").exists()
