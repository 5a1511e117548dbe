"""A wheel, with a compiler and without: every file of the package is in it, and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
pytest.importorskip("setuptools")


def wheel(place: Path, compiler: str) -> set[str]:
    """Build it as `python -m build` does, by the hooks of PEP 517, from a copy; the names in it."""
    tree = place / "tree"
    skip = shutil.ignore_patterns("__pycache__", "*.so", "*.egg-info")
    shutil.copytree(ROOT / "src", tree / "src", ignore=skip)
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree / name)
    code = "import setuptools.build_meta as b, sys; print(b.build_wheel(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(place)],
        cwd=tree,
        env={**os.environ, "CC": compiler},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return set(zipfile.ZipFile(place / done.stdout.split()[-1]).namelist())


def package() -> set[str]:
    """The files of the package that are no waste."""
    return {
        path.relative_to(ROOT / "src").as_posix()
        for path in (ROOT / "src" / "autotelic").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".so"
    }


@pytest.mark.parametrize(
    "compiler",
    ["false", pytest.param("cc", marks=pytest.mark.skipif(not shutil.which("cc"), reason="no cc"))],
)
def test_what_is_in_a_wheel(tmp_path: Path, compiler: str) -> None:
    names = wheel(tmp_path, compiler)
    inside = {name for name in names if ".dist-info/" not in name}
    cores = {name for name in inside if name.startswith("autotelic/sandbox/_core")}
    assert inside - cores == package()
    assert len(cores) == (compiler == "cc")
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert any(name.endswith("entry_points.txt") for name in names)
