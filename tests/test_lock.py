"""The lock holds versions that every Python the project says it runs on can install."""

from __future__ import annotations

import tomllib
from importlib.metadata import distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent


def test_locked_versions_ask_for_no_newer_python_than_the_project() -> None:
    """Debian 12 has Python 3.11.2: a lock made on 3.11.7 may hold what asks for 3.11.5."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    oldest = project["requires-python"].removeprefix(">=") + ".0"
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    locked = {
        canonicalize_name(asked.name): asked.specifier
        for asked in (Requirement(line) for line in lines if line and not line.startswith("#"))
    }
    seen, newer = 0, []
    for one in distributions():
        name = canonicalize_name(one.metadata["Name"])
        if name not in locked or one.version not in locked[name]:
            continue
        seen += 1
        wants = one.metadata["Requires-Python"]
        if wants and oldest not in Requirement(f"python{wants}").specifier:
            newer.append(f"{name}=={one.version} asks for Python {wants}")
    assert seen > len(locked) // 2
    assert not newer, newer
