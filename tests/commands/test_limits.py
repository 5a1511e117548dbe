"""What a machine that gives no more makes of a command: one line with what to raise."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from autotelic.cli import main
from autotelic.errors import NO_SPACE, cause_of, fix_of

Capture = pytest.CaptureFixture[str]


def test_a_sandbox_without_descriptors_says_which_limit_to_raise(tmp_path: Path) -> None:
    (tmp_path / "p.py").write_text("def f(x): return x\n")
    line = f'ulimit -n 10; "$@" -m autotelic.cli sandbox run {tmp_path / "p.py"} "[1]"'
    done = subprocess.run(
        ["bash", "-c", line, "run", sys.executable], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == (
        "autotelic: Too many open files; raise the limit on open files (`ulimit -n 1024`) and try again\n"
    )


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN)), "(`ulimit -u`)"),
        (OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)), "(`ulimit -v`)"),
        (OSError(errno.ENFILE, os.strerror(errno.ENFILE)), "end other programs"),
        (
            OSError(errno.EROFS, os.strerror(errno.EROFS), "/x"),
            "/x: Read-only file system; its disk is read-only",
        ),
        (RuntimeError("can't start new thread"), "(`ulimit -u`)"),
        (MemoryError(), "not enough memory"),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."),
            "(`ulimit -v`)",
        ),
        (ImportError("libtorch_cpu.so: failed to map segment from shared object"), "(`ulimit -v`)"),
    ],
)
def test_what_the_system_refuses_is_one_line(
    error: Exception, said: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(*given: object, **named: object) -> None:
        raise error

    monkeypatch.setattr("autotelic.dashboard.doctor.examine", refuse)
    assert main(["doctor", str(tmp_path)]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert said in err


def test_a_bug_is_still_a_traceback(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def wrong(*given: object) -> None:
        raise RuntimeError("an invariant is broken")

    monkeypatch.setattr("autotelic.dashboard.doctor.examine", wrong)
    with pytest.raises(RuntimeError, match="invariant"):
        main(["doctor", str(tmp_path)])


@pytest.mark.parametrize(
    "number", [*NO_SPACE, errno.EBUSY, errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.EPERM]
)
def test_each_error_of_a_disk_has_a_fix_of_its_own(number: int) -> None:
    error = OSError(number, os.strerror(number), "/a")
    assert cause_of(error) == f"/a: {os.strerror(number)}"
    assert fix_of(error) != fix_of(OSError(errno.ENOENT, os.strerror(errno.ENOENT)))
