"""A public name that changes is named in the changelog. `python tests/api/surface.py` freezes what is released."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import surface

import autotelic

ROOT = Path(__file__).parent.parent.parent


def unsaid(frozen: dict[str, Any], now: dict[str, Any], changelog: str) -> list[str]:
    """The names that differ and that no entry under `Unreleased` has in backticks."""
    entries = re.split(r"^## ", changelog, flags=re.MULTILINE)
    unreleased = next(entry for entry in entries if entry.startswith("Unreleased"))
    said = set(re.findall(r"`(?:autotelic\.)?(\w+)", unreleased))
    return [
        name for name in sorted({*frozen, *now}) if frozen.get(name) != now.get(name) and name not in said
    ]


def test_what_changed_since_the_release_is_in_the_changelog() -> None:
    frozen = json.loads(surface.FROZEN.read_text(encoding="utf-8"))
    missing = unsaid(frozen, surface.surface(), (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    assert not missing, f"say in CHANGELOG.md, under Unreleased, what changed of {missing}"


def test_a_change_is_found() -> None:
    now = surface.surface()
    changed = copy.deepcopy(now)
    changed["run"] = "(charter)"
    del changed["Sandbox"]
    assert unsaid(now, changed, "## Unreleased\n\n## 0.1.0\n`run`") == ["Sandbox", "run"]
    assert unsaid(now, changed, "## Unreleased\n- `run` and `autotelic.Sandbox`") == []


def test_all_public_names_are_documented() -> None:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert [name for name in autotelic.__all__ if not re.search(rf"\b{name}\b", page)] == []


def test_importing_the_package_imports_nothing_else() -> None:
    """Neither does it cost the seconds that torch does, nor do the names that need no model."""
    code = (
        "import sys, autotelic\n"
        "assert 'autotelic.charter' not in sys.modules and 'numpy' not in sys.modules\n"
        "autotelic.run, autotelic.Sandbox, autotelic.exam, autotelic.load_champion, autotelic.Auditor\n"
        "assert 'torch' not in sys.modules, 'torch'\n"
        "import autotelic.exam.sealed\n"
        "assert callable(autotelic.exam)\n"
        "from autotelic.exam import draw_sealed\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
