"""The forbidden acts, tried from inside a freshly forked process once the seal is shut.

This is what makes a level *verified*: not that a call to seal returned zero, but that afterwards the thing
sealed against does not work.
"""

from __future__ import annotations

import os

from autotelic.sandbox.inside.syscalls import Syscall

AT_FDCWD, O_CREAT_RDWR = -100, 0o102
MAP_PRIVATE_ANONYMOUS, READ_WRITE_EXEC = 0x22, 7
ATTEMPTS: dict[str, tuple[tuple[str, tuple[int | bytes, ...]], ...]] = {
    "open a file": (("openat", (AT_FDCWD, b"/", 0)), ("openat", (AT_FDCWD, b"/etc/passwd", 0))),
    "create a file": (("openat", (AT_FDCWD, b"/tmp/autotelic-escape", O_CREAT_RDWR, 0o600)),),
    "open a socket": (("socket", (2, 1, 0)), ("socket", (1, 1, 0)), ("socket", (16, 3, 0))),
    "fork": (("clone", (0x1011, 0, bytes(8), 0, 0)), ("clone", (17, 0, 0, 0, 0))),
    "signal another process": (("kill", (1, 0)), ("kill", (-1, 0)), ("tgkill", (1, 1, 0))),
    "trace": (("ptrace", (0, 0, 0, 0)), ("process_vm_readv", (1, 0, 0, 0, 0, 0))),
    "map executable memory": (("mmap", (0, 4096, READ_WRITE_EXEC, MAP_PRIVATE_ANONYMOUS, -1, 0)),),
    "make a memory file": (("memfd_create", (b"x", 0)),),
    "execute a file": (("execve", (b"/bin/true", 0, 0)),),
    "make a namespace": (("unshare", (0x10000000,)),),
    "use io_uring, bpf, keys, perf": (
        ("io_uring_setup", (1, bytes(256))),
        ("bpf", (0, bytes(64), 64)),
        ("keyctl", (0, 0, 0, 0, 0)),
        ("perf_event_open", (bytes(128), 0, -1, -1, 0)),
    ),
    "mount": (("mount", (b"none", b"/", b"tmpfs", 0, 0)),),
}


def attempt(syscall: Syscall) -> list[str]:
    """The names of the acts that worked; to be called in a process that is thrown away afterwards."""
    worked = []
    for act, calls in ATTEMPTS.items():
        for name, arguments in calls:
            try:
                result = syscall(
                    name, *(bytearray(a) if isinstance(a, bytes) and not any(a) else a for a in arguments)
                )
            except OSError as error:
                # EPERM, or what a limit says (EAGAIN, EMFILE). Any other error means the kernel took the
                # call seriously: it was not refused, it only failed for this argument.
                if error.errno in (1, 11, 24):
                    continue
            else:
                if act == "fork" and result == 0:
                    os._exit(0)
            worked.append(act)
            break
    return worked
