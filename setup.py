"""Builds the sandbox's optional C core; everything else is in pyproject.toml.

Without a compiler the installation still succeeds, and the sandbox runs its Python path: the same isolation,
slower. `autotelic sandbox doctor` says which is in force.
"""

import sys
from pathlib import Path

from setuptools import Extension, setup

FOLDER = Path("src/autotelic/sandbox/core")
core = Extension(
    "autotelic.sandbox._core",
    sources=[
        str(FOLDER / name)
        for name in ("module.c", "json.c", "candidate.c", "zygote.c", "image.c", "scratch.c")
    ],
    depends=[str(FOLDER / name) for name in ("json.h", "zygote.h", "image.h", "scratch.h")],
    extra_compile_args=["-O2", "-std=gnu11", "-Wall"],
    optional=True,
)

setup(ext_modules=[core] if sys.platform == "linux" else [])
