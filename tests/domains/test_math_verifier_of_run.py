"""Which verifier judges a run: chosen by the machine, recorded, and kept by a resume."""

from __future__ import annotations

import importlib.util
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autotelic.charter import Charter
from autotelic.commands.opening import opened
from autotelic.domains.math import MathDomain, Verifier, verify
from autotelic.engine.services import open_world
from autotelic.engine.start import machine_of
from autotelic.errors import DomainError, RunError
from autotelic.loop import run
from autotelic.machine import Machine
from autotelic.messages import RunStarted
from autotelic.record import Journal

CHARTER = Charter.of(
    {
        "domain": {"name": "math", "modes": ["solve"], "levels": [1, 1]},
        "model": {"tiny": {"width": 16, "depth": 1, "heads": 2}},
        "roles": {"max_tokens": 16},
        "curriculum": {
            "bootstrap_generations": 1,
            "tasks_per_generation": 16,
            "probe_tasks": 4,
            "group_size": 4,
        },
        "exam": {"items_per_cell": 2, "levels": [1, 1], "every": 1, "own_items": 2},
        "gate": {"items": 8},
        "budget": {"seconds": 0.0, "generations": 1},
        "limits": {"require": "L0"},
    }
)
INSTALLED = importlib.util.find_spec("math_verify") is not None


def _started(verifier: str) -> tuple[str, MathDomain]:
    with ExitStack() as resources:
        world = open_world(CHARTER, Machine(workers=1, verifier=verifier), resources)  # type: ignore[arg-type]
        assert isinstance(world.domain, MathDomain)
        return world.verifier, world.domain


@pytest.mark.skipif(not INSTALLED, reason="math-verify is not installed")
@pytest.mark.parametrize("choice", ["auto", "math-verify"])
def test_a_run_judges_with_the_verifier_that_is_installed(choice: str) -> None:
    chosen, domain = _started(choice)
    assert chosen == "math-verify"
    assert isinstance(domain.verifier, Verifier)


def test_a_run_judges_without_one_where_none_is_wanted() -> None:
    chosen, domain = _started("none")
    assert chosen == "none"
    assert domain.verifier is None


def test_a_machine_without_math_verify_has_none_and_says_so_where_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(verify.importlib.util, "find_spec", lambda name: None)
    assert _started("auto")[0] == "none"
    with pytest.raises(DomainError, match="math-verify is not installed"):
        _started("math-verify")


def test_a_domain_that_takes_no_verifier_records_none() -> None:
    with ExitStack() as resources:
        charter = CHARTER.replace({"domain.name": "python", "domain.modes": []})
        assert open_world(charter, Machine(workers=1), resources).verifier == "none"


def test_the_journal_says_which_verifier_judged_and_an_exam_takes_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    run(CHARTER, folder, machine=Machine(threads=1, workers=1, verifier="none"))
    with Journal.open(folder) as journal:
        started = journal.latest(RunStarted)
    assert started is not None
    assert started.machine["verifier"] == "none"
    assert "math-verify" not in started.versions
    with opened(folder, machine=Machine(threads=1, workers=1)) as place:
        assert isinstance(place.domain, MathDomain)
        assert place.domain.verifier is None


def _record(machine: dict[str, Any], versions: dict[str, str]) -> RunStarted:
    plain = RunStarted(
        run="r1",
        version="",
        commit="",
        start="",
        charter={},
        digest="",
        seed=0,
        model="tiny",
        parameters=1,
        learned=1,
        chat=False,
        capabilities=(),
        scale=(0.0, 1.0),
        machine={},
        versions={},
        platform="",
        sandbox="L0",
        context=64,
    )
    return replace(plain, machine=machine, versions=versions)


def test_a_resume_keeps_the_verifier_and_refuses_another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autotelic.engine.start.versions", lambda: {"math-verify": "0.9.0"})
    kept = machine_of(_record({"threads": 1, "verifier": "math-verify"}, {"math-verify": "0.9.0"}))
    assert kept.verifier == "math-verify"
    assert machine_of(_record({"threads": 1}, {"torch": "2"})).verifier == "none"
    with pytest.raises(RunError, match=r"math-verify 0\.8\.0, and 0\.9\.0 is installed"):
        machine_of(_record({"verifier": "math-verify"}, {"math-verify": "0.8.0"}))
