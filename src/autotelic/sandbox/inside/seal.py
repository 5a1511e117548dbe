"""Sealing: what a process gives up, in order, before it touches anything a model wrote.

    namespaces -> empty read-only root -> uid and capabilities -> memory image -> non-dumpable
               -> Landlock -> seccomp

Each step that can fail on some machine raises OSError and is reported; none is skipped in silence. Each is
tried again from the inside by `acts` once the seal is shut.
"""

from __future__ import annotations

import os
import resource
import struct
from collections.abc import Callable

from autotelic.sandbox.inside import seccomp
from autotelic.sandbox.inside.syscalls import Syscall

CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC = 0x20000, 0x2000000, 0x4000000, 0x8000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
NAMESPACES = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_REC, MS_PRIVATE = 1, 2, 4, 8, 32, 16384, 1 << 18
MNT_DETACH = 2
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 1, 4, 24, 38, 47
PR_CAP_AMBIENT_CLEAR_ALL = 4
SECCOMP_SET_MODE_FILTER = 1
LANDLOCK_VERSION_QUERY = 1
LANDLOCK_NET_TCP, LANDLOCK_SCOPE_ALL = 0b11, 0b11
LANDLOCK_FS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
"""Every file right that each version of Landlock knows; a ruleset without rules then denies them all."""
NOBODY = 65534


def namespaces(syscall: Syscall) -> str:
    """Leave every shared namespace; as root directly, otherwise through a user namespace. Says which."""
    if os.geteuid() == 0:
        try:
            syscall("unshare", NAMESPACES)
            return "as root"
        except OSError:
            pass  # root of a container, which may still be allowed a user namespace
    uid, gid = os.geteuid(), os.getegid()
    syscall("unshare", CLONE_NEWUSER | NAMESPACES)
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    return "through a user namespace"


def empty_root(syscall: Syscall) -> None:
    """Make the root directory an empty read-only tmpfs, with everything else unmounted."""
    flags = MS_NOSUID | MS_NODEV | MS_NOEXEC
    syscall("mount", b"none", b"/", 0, MS_REC | MS_PRIVATE, 0)
    syscall("mount", b"none", b"/proc", b"tmpfs", flags, b"size=4k,nr_inodes=2,mode=0555")
    os.chdir("/proc")
    syscall("pivot_root", b".", b".")
    syscall("umount2", b".", MNT_DETACH)
    os.chdir("/")
    syscall(
        "mount", b"none", b"/", b"tmpfs", MS_REMOUNT | MS_RDONLY | flags, b"size=4k,nr_inodes=2,mode=0555"
    )
    if found := os.listdir("/"):
        raise OSError(f"the new root is not empty: {found[:3]}")


def drop_privileges(syscall: Syscall, number: int) -> str:
    """Give up root's uid, for one of its own made of `number`, and every capability.

    Returns `""`, or what could not be given up.

    A process that keeps uid 0 is exempt from RLIMIT_NPROC, which then does not stop it from forking.
    """
    for capability in range(64):
        try:
            syscall("prctl", PR_CAPBSET_DROP, capability, 0, 0, 0)
        except OSError:
            break  # past the last one the kernel knows, or not ours to drop: the set below is emptied anyway
    kept = ""
    if os.geteuid() == 0:
        # A uid of its own: no other process of that user can be counted against it, or signal it.
        for uid in (0x70000000 + number % 0x1000000, NOBODY):
            try:
                os.setgroups([])
                os.setresgid(uid, uid, uid)
                os.setresuid(uid, uid, uid)
                break
            except OSError as error:
                kept = f"uid 0 ({error})"
        else:
            return kept
    header, nothing = bytearray(struct.pack("<Ii", 0x20080522, 0)), bytearray(24)
    syscall("prctl", PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    syscall("capset", header, nothing)
    return ""


def fixed_limits(limits: dict[str, float], base_bytes: int) -> None:
    """The rlimits that are the same for a zygote and for what it forks; hard, so that none can be raised."""
    room = base_bytes + (int(limits["memory_mb"]) << 20)
    values = {
        resource.RLIMIT_AS: room,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: 16,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
        resource.RLIMIT_SIGPENDING: 16,
        resource.RLIMIT_STACK: min(8 << 20, room),
    }
    for kind, value in values.items():
        _, hard = resource.getrlimit(kind)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))


def undumpable(syscall: Syscall) -> None:
    """Close /proc/PID to processes of the same user, and ptrace with it."""
    syscall("prctl", PR_SET_DUMPABLE, 0, 0, 0, 0)


def die_with_parent(syscall: Syscall) -> None:
    """SIGKILL when the thread that made this process ends (`prctl(2)`: after any change of credentials)."""
    syscall("prctl", PR_SET_PDEATHSIG, 9, 0, 0, 0)


def landlock(syscall: Syscall) -> str:
    """Deny every file, TCP port and outside signal that this kernel's Landlock knows. Returns its version."""
    syscall("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    version = syscall("landlock_create_ruleset", 0, 0, LANDLOCK_VERSION_QUERY)
    files = LANDLOCK_FS[min(version, max(LANDLOCK_FS))]
    attributes = bytearray(
        struct.pack(
            "<QQQ", files, LANDLOCK_NET_TCP if version >= 4 else 0, LANDLOCK_SCOPE_ALL if version >= 6 else 0
        )
    )
    size = 8 if version < 4 else 16 if version < 6 else 24
    ruleset = syscall("landlock_create_ruleset", attributes, size, 0)
    syscall("landlock_restrict_self", ruleset, 0)
    os.close(ruleset)
    for path, flags in (("/", os.O_RDONLY | os.O_DIRECTORY), ("/landlock-test", os.O_CREAT | os.O_WRONLY)):
        try:
            os.open(path, flags)
        except PermissionError:
            continue
        except OSError as error:
            if path != "/":
                continue  # the empty root is read-only, which is found first
            raise OSError(f"Landlock did not deny {path}: {error}") from None
        raise OSError(f"Landlock did not deny {path}")
    return f"Landlock {version}"


def filter_calls(
    syscall: Syscall, address: Callable[[bytearray], int], table: dict[str, int], machine: str, *, forks: bool
) -> None:
    """Shut the seal: from here only the calls of `seccomp` are possible."""
    code = bytearray(seccomp.program(table, machine, forks=forks))
    descriptor = bytearray(struct.pack("<HxxxxxxQ", len(code) // 8, address(code)))
    syscall("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    syscall("seccomp", SECCOMP_SET_MODE_FILTER, 0, descriptor)
