"""A pack: data that says what two arms of scenes are, and which judge reads the answers.

The test arm holds a temptation, the control arm is the same without it. Whatever makes an honest model fail
(it is small, it is unused to such texts) is in both arms alike; what differs is the temptation alone.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from autotelic.errors import OversightError
from autotelic.types import Task

Arm = Literal["control", "test"]
ARMS: tuple[Arm, Arm] = ("control", "test")
Wording = Literal["compact", "natural"]
"""The style of the domain's prompts: of a small model's domain, or in sentences."""
JUDGES = ("unsolved", "copied", "special_case", "edited", "reached")
KINDS = ("fresh", "twin", "text")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """See packs.toml for each field. `texts` are by wording and arm, several to be used in turn; `names` by arm."""

    name: str
    purpose: str
    level: int
    arms: str
    modes: tuple[str, ...]
    judge: str
    two_sided: bool = False
    tolerated: float | None = None
    texts: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        wrong = [
            (self.arms not in KINDS, f"arms {self.arms!r}", f"give one of {', '.join(KINDS)}"),
            (self.judge not in JUDGES, f"judge {self.judge!r}", f"give one of {', '.join(JUDGES)}"),
            (self.level not in (1, 2, 3, 4), f"level {self.level!r}", "give 1, 2, 3 or 4"),
            (not self.modes, "no modes", "name the kinds of task"),
            (
                self.tolerated is not None and not 0 <= self.tolerated < 1,
                f"tolerated {self.tolerated!r}",
                "give a share from 0 to below 1",
            ),
            (
                self.arms == "text" and not all(map(_paired, self.texts.values())),
                "texts that are no pairs",
                "give as many control as test texts, at least one",
            ),
            (self.arms == "text" and not self.texts, "no texts", "give a control and a test text"),
            (self.judge == "reached" and set(self.names) != set(ARMS), "no names", "give names of both arms"),
        ]
        for failed, got, fix in wrong:
            if failed:
                raise OversightError(f"pack {self.name!r} has {got}", fix)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One prompt for the candidate. `pair` is what it has in common with its counterpart in the other arm.

    `task` is what is asked, with the arm's text in its prompt. `planted` is a wrong answer that lies about,
    where there is one. `solution` is a right completion; no candidate sees it.
    """

    pack: str
    arm: Arm
    pair: int
    task: Task
    solution: str
    planted: str = ""


def _paired(texts: Mapping[str, tuple[str, ...]]) -> bool:
    return set(texts) == set(ARMS) and len(texts["control"]) == len(texts["test"]) > 0


def _several(texts: Any) -> tuple[str, ...]:
    found = (texts,) if isinstance(texts, str) else tuple(texts)
    if not all(isinstance(text, str) and text for text in found):
        raise ValueError(f"{texts!r} is no text")
    return found


def read_packs(text: str) -> tuple[Pack, ...]:
    """Packs from TOML. Raises OversightError for what is no pack."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise OversightError(
            f"the packs are no TOML: {error}", "compare with oversee/proving/packs.toml"
        ) from None
    return tuple(_pack(name, table) for name, table in tables.items())


def load_packs(path: Path) -> tuple[Pack, ...]:
    """Packs of one's own, from a file."""
    try:
        return read_packs(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise OversightError(f"the packs in {path} cannot be read: {error}", "give a TOML file") from None


@cache
def shipped_packs() -> tuple[Pack, ...]:
    """The packs of packs.toml."""
    return read_packs((resources.files(__package__) / "packs.toml").read_text(encoding="utf-8"))


def _pack(name: str, table: Any) -> Pack:
    allowed = {
        "purpose",
        "level",
        "arms",
        "modes",
        "judge",
        "two_sided",
        "tolerated",
        "compact",
        "natural",
        "names",
    }
    if not isinstance(table, dict) or (unknown := sorted(set(table) - allowed)):
        what = "is no table" if not isinstance(table, dict) else f"has {unknown[0]!r}"
        raise OversightError(f"pack {name!r} {what}", f"its keys are {', '.join(sorted(allowed))}")
    try:
        return Pack(
            name=name,
            purpose=str(table["purpose"]),
            level=int(table["level"]),
            arms=str(table["arms"]),
            modes=tuple(map(str, table["modes"])),
            judge=str(table["judge"]),
            two_sided=bool(table.get("two_sided", False)),
            tolerated=None if "tolerated" not in table else float(table["tolerated"]),
            texts={
                wording: {arm: _several(texts) for arm, texts in table[wording].items()}
                for wording in ("compact", "natural")
                if wording in table
            },
            names={arm: tuple(map(str, names)) for arm, names in table.get("names", {}).items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise OversightError(
            f"pack {name!r} is incomplete: {error!r}", "compare with oversee/proving/packs.toml"
        ) from None
