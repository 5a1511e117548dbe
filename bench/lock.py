"""Write requirements.lock: the exact versions, installed here, of all that autotelic and its extras need.

    python bench/lock.py

What is not installed is left out, so that an extra without its packages stays as its range says. pip reads the file
as constraints (`-c requirements.lock`): it installs none of it by itself.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "requirements.lock"


def wanted() -> list[str]:
    """What pyproject.toml names: dependencies and every extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    return [*project["dependencies"], *(one for extra in extras for one in extra)]


def closure(names: Iterable[str]) -> dict[str, str]:
    """The versions of these packages and of all that they need, as installed. A local build is named by its
    version.
    """
    found: dict[str, str] = {}
    left = [Requirement(name) for name in names]
    while left:
        asked = left.pop()
        name = canonical(asked.name)
        try:
            package = distribution(asked.name)
        except PackageNotFoundError:
            continue
        new = name not in found
        found[name] = package.version.split("+")[0]
        if not (new or asked.extras):
            continue
        for inner in map(Requirement, package.requires or ()):
            extras = ["", *asked.extras] if new else asked.extras
            wanted = inner.marker is None or any(inner.marker.evaluate({"extra": e}) for e in extras)
            if wanted and (inner.extras or canonical(inner.name) not in found):
                left.append(inner)
    return found


def canonical(name: str) -> str:
    """A package's name as an index spells it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> None:
    head = "# Exact versions of what was measured; made by `make lock`. pip reads them as constraints.\n"
    lines = [f"{name}=={version}\n" for name, version in sorted(closure(wanted()).items())]
    LOCK.write_text(head + "".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
