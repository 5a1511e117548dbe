"""What this machine can do, measured or asked of it, and what to do about what it cannot."""

from __future__ import annotations

import os
import platform
import shutil
import time
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from autotelic.errors import AutotelicError

_PACKAGES = ("autotelic", "torch", "transformers", "tokenizers", "safetensors", "numpy", "pydantic")
_SIZE = 1024  # of the square matrices multiplied
_DISK_GB, _MEMORY_GB = 1.0, 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkup:
    """The findings. `gemm_gflops` maps threads to the best of some float32 matrix products; `advice` is empty
    on a machine that can do all."""

    python: str
    machine: str
    processor: str
    cores: int
    memory_gb: float | None
    disk_gb: float
    packages: dict[str, str]
    gemm_gflops: dict[int, float] = field(default_factory=dict)
    sandbox: str = ""
    advice: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def examine(folder: Path, seconds: float = 0.3) -> Checkup:
    """Look at this machine; `folder` is where runs would go, `seconds` what each measurement may take."""
    sandbox, advice = _sandbox()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = _memory_gb()
    disk = shutil.disk_usage(_existing(folder)).free / 1e9
    if disk < _DISK_GB:
        advice.append(f"only {disk:.1f} GB are free at {folder}; free some space, or give a folder elsewhere")
    if memory is not None and memory < _MEMORY_GB:
        advice.append(f"only {memory:.1f} GB of memory are free; close programs, or use a smaller model")
    return Checkup(
        python=platform.python_version(),
        machine=f"{platform.system()} {platform.release()} {platform.machine()}",
        processor=_processor(),
        cores=cores,
        memory_gb=memory,
        disk_gb=disk,
        packages=_packages(advice),
        gemm_gflops=_gemm(cores, seconds, advice),
        sandbox=sandbox,
        advice=tuple(advice),
    )


def _gemm(cores: int, seconds: float, advice: list[str]) -> dict[int, float]:
    """The peak rate of a float32 matrix product by threads: what training speeds are a share of."""
    try:
        import torch
    except ImportError as error:
        advice.append(f"torch cannot be imported ({error}); install it with `pip install torch==2.13.0`")
        return {}
    before = torch.get_num_threads()
    a = torch.ones(_SIZE, _SIZE)
    found: dict[int, float] = {}
    for threads in sorted({1, cores // 2, cores} - {0}):
        torch.set_num_threads(threads)
        _ = a @ a  # the first product also sets up the threads
        best, end = float("inf"), time.perf_counter() + seconds
        while time.perf_counter() < end:
            start = time.perf_counter()
            _ = a @ a
            best = min(best, time.perf_counter() - start)
        found[threads] = round(2 * _SIZE**3 / best / 1e9, 1)
    torch.set_num_threads(before)
    return found


def _sandbox() -> tuple[str, list[str]]:
    """The isolation that the sandbox verified here, and advice where there is none."""
    try:
        from autotelic.sandbox import Sandbox
    except ImportError as error:
        return "none", [f"the sandbox cannot be imported ({error}); install autotelic again"]
    try:
        with Sandbox(workers=1) as box:
            return str(getattr(box, "level", "unknown")), []
    except (AutotelicError, OSError) as error:
        return "none", [f"the sandbox does not start: {error}"]


def _packages(advice: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "missing"
            advice.append(
                f"{name} is not installed; install it with `pip install -e .` in the project's folder"
            )
    return found


def _memory_gb() -> float | None:
    """Memory that is free for use, in GB, where the system says."""
    try:
        text = Path("/proc/meminfo").read_text(encoding="ascii")
    except OSError:
        return None
    fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    return round(int(fields["MemAvailable"].split()[0]) / 1e6, 1) if "MemAvailable" in fields else None


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in text.splitlines() if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    folder = folder.absolute()
    return next(place for place in (folder, *folder.parents) if place.exists())
