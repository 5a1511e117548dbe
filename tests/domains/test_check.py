"""`check_domain` finds what is wrong with a domain, and nothing in a good one, such as `domain new` begins."""

from __future__ import annotations

import importlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autotelic.cli import main
from autotelic.domains.check import check_domain
from autotelic.types import Cell, Demonstration, Episode, Spec, Task, Verdict

ROOT = Path(__file__).parents[2]


class Doubling:
    """Twice a number: a domain that is well. Its faults are made by those below."""

    spec = Spec(name="doubling", modes=("double",), levels=(1, 2))

    def tasks(self, rng: np.random.Generator, cells: Sequence[Cell]) -> list[Task]:
        return [self.task(cell, int(rng.integers(10 ** (2 * cell.level)))) for cell in cells]

    def task(self, cell: Cell, n: int) -> Task:
        secret = {"twice": 2 * n}
        return Task(domain="doubling", mode=cell.mode, level=cell.level, prompt=f"twice {n}\n", secret=secret)

    def judge(self, episodes: Sequence[tuple[Task, Episode]]) -> list[Verdict]:
        return [self.verdict(task, episode.answer) for task, episode in episodes]

    def verdict(self, task: Task, answer: str) -> Verdict:
        right = answer.strip() == str(task.secret["twice"])
        return Verdict(reward=float(right), passed=right, reason="right" if right else "wrong")

    def demonstrate(self, tasks: Sequence[Task]) -> list[Demonstration | None]:
        return [Demonstration(completion=str(task.secret["twice"])) for task in tasks]


class WrongOracle(Doubling):
    def demonstrate(self, tasks: Sequence[Task]) -> list[Demonstration | None]:
        return [Demonstration(completion=str(task.secret["twice"] + 1)) for task in tasks]


class Gullible(Doubling):
    def verdict(self, task: Task, answer: str) -> Verdict:
        right = str(task.secret["twice"]) in answer
        return Verdict(reward=float(right), passed=right, reason="right" if right else "wrong")


class Generous(Doubling):
    def verdict(self, task: Task, answer: str) -> Verdict:
        return Verdict(reward=1.0, passed=True, reason="right")


class Raising(Doubling):
    def verdict(self, task: Task, answer: str) -> Verdict:
        return Verdict(reward=float(int(answer) == task.secret["twice"]), passed=None, reason="number")


class Few(Doubling):
    def task(self, cell: Cell, n: int) -> Task:
        return super().task(cell, n % 3)


class Random(Doubling):
    def tasks(self, rng: np.random.Generator, cells: Sequence[Cell]) -> list[Task]:
        return super().tasks(np.random.default_rng(), cells)


class Moody(Doubling):
    def judge(self, episodes: Sequence[tuple[Task, Episode]]) -> list[Verdict]:
        return [
            Verdict(reward=float(at % 2), passed=at % 2 == 1, reason="place") for at, _ in enumerate(episodes)
        ]


class Backwards(Doubling):
    def task(self, cell: Cell, n: int) -> Task:
        return super().task(cell, n + 10 ** (9 - 3 * cell.level))


class Empty(Doubling):
    def tasks(self, rng: np.random.Generator, cells: Sequence[Cell]) -> list[Task]:
        return []


def failed(domain: Any) -> set[str]:
    return {finding.name for finding in check_domain(domain, tasks=12) if finding.ok is False}


def test_a_domain_that_is_well_has_no_fault() -> None:
    assert failed(Doubling()) == set()


@pytest.mark.parametrize(
    ("domain", "name"),
    [
        (WrongOracle, "oracle"), (Gullible, "cheater: copies"), (Generous, "garbage"), (Raising, "garbage: calls"),
        (Few, "tasks: variety"), (Random, "tasks: determinism"), (Moody, "judge: determinism"),
        (Backwards, "levels"), (Generous, "guess rate"), (Empty, "tasks"),
    ],
)  # fmt: skip
def test_each_fault_is_found(domain: type, name: str) -> None:
    assert name in failed(domain())


@pytest.mark.parametrize("domain", ["python", "math", "functions"])
def test_built_in_domains_are_well(domain: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["domain", "check", domain, "--tasks", "6", "--levels", "1", "2"])
    out = capsys.readouterr().out
    assert (code, "all is well" in out) == (0, True), out


def test_the_example_is_well_and_says_so_as_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    assert main(["domain", "check", "examples.thermostat:Thermostat", "--tasks", "8", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert {row["name"] for row in said["findings"]} >= {
        "garbage",
        "guess rate",
        "judge: determinism",
        "speed",
    }


def test_a_domain_that_does_not_exist_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["domain", "check", "insuline"]) == 2
    assert "did you mean 'insulin'?" in capsys.readouterr().err


def test_a_new_domain_is_well_and_its_tests_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["domain", "new", "fresh_sums", "--into", str(tmp_path)]) == 0
    assert "autotelic domain check fresh_sums:FreshSums" in capsys.readouterr().out
    monkeypatch.syspath_prepend(tmp_path)
    tests = importlib.import_module("test_fresh_sums")
    ran = [getattr(tests, name)() for name in dir(tests) if name.startswith("test_")]
    assert len(ran) == 2
    monkeypatch.chdir(tmp_path)
    assert main(["charter", "check", "fresh_sums.toml"]) == 0
    assert main(["domain", "new", "fresh_sums", "--into", str(tmp_path)]) == 2
    assert "exists already" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["Room", "two words", "class", "../x", "1st", ""])
def test_a_name_that_no_module_can_have_is_refused(name: str, tmp_path: Path) -> None:
    assert main(["domain", "new", name, "--into", str(tmp_path)]) == 2
    assert list(tmp_path.iterdir()) == []
