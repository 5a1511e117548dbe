"""Domains by name, by entry point and by the path of a class, and what is said where there is none."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from autotelic.domains import Guarded, capabilities_of, load_domain
from autotelic.domains.math import MathDomain
from autotelic.domains.python import PythonDomain
from autotelic.domains.registry import BUILT_IN
from autotelic.errors import DomainError
from autotelic.types import Binary, Cell, Range, Spec

COINS = """
from autotelic.types import Binary, Range, Spec, Task, Verdict


class Coins:
    spec = Spec(name="coins", modes=("toss", "spin"), levels=(1, 2))

    def __init__(self, levels=(), style="none"):
        self.given = (levels, style)

    def tasks(self, rng, cells):
        return [self.task(cell, n) for n, cell in enumerate(cells)]

    def task(self, cell, n):
        return Task(domain="coins", mode=cell.mode, level=cell.level, prompt="?", secret={"n": n})

    def judge(self, episodes):
        return [Verdict(reward=1.0, passed=True, reason="right") for _ in episodes]


class Everything(Coins):
    def __init__(self, **given):
        self.given = given


class NoJudge:
    spec = Coins.spec
    tasks = Coins.tasks


class Nothing:
    pass


class NoSpec(Coins):
    spec = "coins"


class NoLevels(Coins):
    spec = Spec(name="coins", modes=("toss",), levels=())


class Upside(Coins):
    spec = Spec(name="coins", modes=("toss",), levels=(1,), scale=Range(low=1.0, high=0.0))


class Fails(Coins):
    def __init__(self):
        raise ValueError("no coins\\nat all")


class Asks(Coins):
    def __init__(self, bank):
        self.bank = bank


class Specless(Coins):
    @property
    def spec(self):
        raise KeyError("lost")


number = 3
"""


@dataclass(frozen=True)
class Settings:
    name: str
    levels: tuple[int, int] = (1, 2)
    style: str = "compact"
    modes: tuple[str, ...] = ()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working directory with a module of domains."""
    (tmp_path / "coins_here.py").write_text(COINS)
    (tmp_path / "broken_here.py").write_text("import nowhere_at_all\n")
    (tmp_path / "odd_here.py").write_text("def f(:\n")
    monkeypatch.chdir(tmp_path)
    before = list(sys.path)
    yield tmp_path
    sys.path[:] = before
    for name in ("coins_here", "broken_here", "odd_here", "coins_installed"):
        sys.modules.pop(name, None)


def test_built_in_domains_come_as_they_are(box) -> None:
    python = load_domain(Settings("python"), sandbox=box, exam_levels=(2, 4))
    assert isinstance(python, PythonDomain)
    assert python.spec.levels == (1, 2, 3, 4)
    assert python.spec.modes == ("deduction", "abduction", "induction")
    asked = Settings("python", modes=("induction", "repair"))
    assert load_domain(asked, sandbox=box).spec.modes == ("induction", "repair")
    assert isinstance(load_domain(Settings("math")), MathDomain)


def test_a_class_is_found_from_the_working_directory_and_guarded(folder: Path) -> None:
    found = load_domain(Settings("coins_here:Coins", style="natural"), exam_levels=(1, 1))
    assert isinstance(found, Guarded)
    assert found.spec.name == "coins"
    assert found.domain.given == ((1, 2), "natural")  # type: ignore[attr-defined]
    assert capabilities_of(found) == ()


def test_a_factory_gets_what_it_names_or_all_of_it(folder: Path) -> None:
    found = load_domain(Settings("coins_here:Everything", modes=("spin",)))
    assert isinstance(found, Guarded)
    given = found.domain.given  # type: ignore[attr-defined]
    assert given == {"sandbox": None, "levels": (1, 2), "style": "compact", "modes": ("spin",)}


def test_a_domain_of_another_package_is_found_by_its_entry_point(folder: Path) -> None:
    site = folder / "site"
    (site / "coins-1.0.dist-info").mkdir(parents=True)
    (site / "coins-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: coins\nVersion: 1.0\n"
    )
    points = "[autotelic.domains]\ncoins = coins_installed:Coins\nlost = coins_installed:Lost\n"
    (site / "coins-1.0.dist-info" / "entry_points.txt").write_text(points)
    (site / "coins_installed.py").write_text(COINS)
    sys.path.insert(0, str(site))
    assert load_domain(Settings("coins")).spec.name == "coins"
    with pytest.raises(DomainError, match="did you mean 'coins'"):
        load_domain(Settings("coin"))
    with pytest.raises(
        DomainError, match="'lost' is registered as coins_installed:Lost, which does not load: Attr"
    ):
        load_domain(Settings("lost"))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (Settings("pyhton"), "there is no domain 'pyhton'; did you mean 'python'?"),
        (
            Settings("zzz"),
            f"there is no domain 'zzz'; there are {', '.join(sorted(BUILT_IN))}; your own is `module:Class`",
        ),
        (
            Settings("nowhere:Coins"),
            "the module 'nowhere' of the domain 'nowhere:Coins' does not import: ModuleNotFoundError: No module "
            "named 'nowhere'; correct it, or start autotelic in the folder from which it can be imported",
        ),
        (
            Settings("broken_here:Coins"),
            "does not import: ModuleNotFoundError: No module named 'nowhere_at_all'",
        ),
        (Settings("odd_here:Coins"), "does not import: SyntaxError: "),
        (Settings("coins_here:Coin"), "the module 'coins_here' has no 'Coin'; did you mean 'Coins'?"),
        (
            Settings("coins_here:number"),
            "coins_here:number is no class but of the type int; name a class whose instances are domains",
        ),
        (
            Settings("coins_here:NoJudge"),
            "coins_here:NoJudge has no `judge`; a domain has spec, tasks(rng, cells) and ",
        ),
        (Settings("coins_here:Nothing"), "coins_here:Nothing has no `spec` and no `tasks` and no `judge`"),
        (
            Settings("coins_here:NoSpec"),
            "the spec of coins_here:NoSpec is of the type str; make it an autotelic.types.Spec",
        ),
        (Settings("coins_here:NoLevels"), "the spec of coins_here:NoLevels has no levels"),
        (Settings("coins_here:Upside"), "the scale of coins_here:Upside goes from 1.0 to 0.0"),
        (
            Settings("coins_here:Fails"),
            "coins_here:Fails cannot be made: ValueError: no coins; correct its constructor",
        ),
        (Settings("builtins:int"), "builtins:int does not say what it is called with; name a class whose"),
        (Settings("sys:exit"), "sys:exit cannot be made: SystemExit"),
        (Settings("coins_here:Asks"), "coins_here:Asks asks for 'bank', which no charter gives"),
        (Settings("coins_here:Specless"), "coins_here:Specless has a spec that fails: KeyError: 'lost'"),
        (
            Settings("coins_here:Coins", modes=("tos",)),
            "domain.modes names 'tos', which coins_here:Coins does not have; did you mean 'toss'?",
        ),
        (
            Settings("coins_here:Coins", levels=(1, 3)),
            "domain.levels = [1, 3], and coins_here:Coins has the levels 1, 2; set domain.levels = [1, 2]",
        ),
    ],
)
def test_what_is_wrong_is_said_in_one_line(folder: Path, settings: Settings, said: str) -> None:
    with pytest.raises(DomainError) as caught:
        load_domain(settings)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_levels_of_the_exam_must_be_there_too(folder: Path) -> None:
    with pytest.raises(
        DomainError, match=r"exam.levels = \[1, 4\], and coins_here:Coins has the levels 1, 2"
    ):
        load_domain(Settings("coins_here:Coins"), exam_levels=(1, 4))


def test_built_in_capabilities_are_found(box) -> None:
    python = capabilities_of(PythonDomain(box))
    names = ("proposable", "demonstrating", "answering", "textual", "formal", "comparable")
    assert capabilities_of(MathDomain()) == names
    assert set(python) == {*names, "shaped", "repairable", "checkable", "posable"}


def test_a_spec_lists_its_cells_by_level() -> None:
    spec = Spec(name="coins", modes=("toss", "spin"), levels=(1, 2))
    assert [str(cell) for cell in spec.cells] == ["toss/1", "spin/1", "toss/2", "spin/2"]
    assert spec.cells[0] == Cell(mode="toss", level=1)
    assert (Binary().low, Binary().high, Range(low=-1.0, high=2.0).high) == (0.0, 1.0, 2.0)
