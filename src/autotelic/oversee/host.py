"""The real clock and the real disk of this machine."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from autotelic.errors import OversightError

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class HostClock:
    """Milliseconds since the machine started. It counts while the machine is suspended, where the system can."""

    def __init__(self) -> None:
        self._clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
        self._boot = _boot_id()

    def now(self) -> int:
        return time.clock_gettime_ns(self._clock) // 1_000_000

    def boot(self) -> str:
        return self._boot

    def wall(self) -> float:
        return time.time()


def _boot_id() -> str:
    """What names this start of the machine. Raises OversightError where the system does not say."""
    if _BOOT_ID.is_file():
        return _BOOT_ID.read_text(encoding="ascii").strip()
    if sys.platform == "darwin":
        told = subprocess.run(
            ["/usr/sbin/sysctl", "-n", "kern.bootsessionuuid"], capture_output=True, text=True, check=False
        ).stdout.strip()
        if told:
            return told
    raise OversightError("this system does not say when it was started", "run the brake on Linux or macOS")


class FolderDisk:
    """Small files in a folder, which its owner alone may read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def read(self, name: str) -> bytes | None:
        try:
            return (self.folder / name).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, name: str, content: bytes) -> None:
        """Write beside, wait for the disk, rename, wait for the folder's entry."""
        path = self.folder / name
        new = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            with open(new, "wb", opener=_private) as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(new, path)
        except OSError:
            new.unlink(missing_ok=True)
            raise
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def same_code() -> dict[str, str]:
    """The environment of a child that is to run the code that runs here, wherever it is started."""
    here = str(Path(__file__).resolve().parents[2])
    rest = [os.path.abspath(part) for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys([here, *rest]))}
