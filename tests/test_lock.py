"""requirements.lock has an exact version of everything that pyproject.toml names, within its range."""

from __future__ import annotations

import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
SEPARATE = {
    "games",
    "gymnasium",
    "reasoning-gym",
    "openenv",
    "sinks",
    "inspect",
    "worlds",
    "routing",
    "signing",
    "drift",
    "peers",
}
"""Extras that live beside the lock, or that only benches and tests of theirs need."""


def test_the_lock_is_within_the_ranges() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    locked = dict(line.split("==") for line in lines if not line.startswith("#"))
    extras = {k: v for k, v in project["optional-dependencies"].items() if k not in SEPARATE}
    for name in [*project["dependencies"], *(one for extra in extras.values() for one in extra)]:
        wanted = Requirement(name)
        version = locked.get(canonicalize_name(wanted.name))
        assert version is not None, f"{wanted.name} is not in requirements.lock: `make lock`"
        assert wanted.specifier.contains(version), f"{name}, and requirements.lock has {version}"


def test_what_a_user_installs_is_a_range() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert [name for name in project["dependencies"] if "==" in name] == []
