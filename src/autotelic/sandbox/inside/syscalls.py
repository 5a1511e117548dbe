"""System calls by name: their numbers, and a way to make one without a C core.

Numbers are those of the kernel's `unistd_64.h` (x86-64) and `asm-generic/unistd.h` (aarch64). The aarch64
table is taken from the header and has not been run.
"""

from __future__ import annotations

import mmap
import os
import platform
import sys
from collections.abc import Callable

Syscall = Callable[..., int]
"""`syscall(name, *arguments)`: integers and byte buffers; raises OSError as the os module does."""

X86_64 = """
    read=0 write=1 close=3 fstat=5 close_range=436 mmap=9 munmap=11 mremap=25 mprotect=10
    madvise=28 brk=12 rt_sigaction=13 rt_sigprocmask=14 rt_sigreturn=15 sigaltstack=131 clone=56
    wait4=61 poll=7 ppoll=271 exit=60 exit_group=231 futex=202 nanosleep=35 clock_nanosleep=230
    clock_gettime=228 clock_getres=229 gettimeofday=96 time=201 getrandom=318 getpid=39 getppid=110
    gettid=186 getuid=102 geteuid=107 getgid=104 getegid=108 getrusage=98 times=100 uname=63
    sched_yield=24 restart_syscall=219 prlimit64=302 pidfd_send_signal=424 prctl=157 seccomp=317
    landlock_create_ruleset=444 landlock_restrict_self=446 unshare=272 mount=165 umount2=166
    pivot_root=155 capset=126 memfd_create=319 pidfd_open=434 openat=257 socket=41 socketpair=53
    ptrace=101 kill=62 tgkill=234 execve=59 io_uring_setup=425 bpf=321 keyctl=250 userfaultfd=323
    process_vm_readv=310 perf_event_open=298
"""
AARCH64 = """
    read=63 write=64 close=57 fstat=80 close_range=436 mmap=222 munmap=215 mremap=216
    mprotect=226 madvise=233 brk=214 rt_sigaction=134 rt_sigprocmask=135 rt_sigreturn=139
    sigaltstack=132 clone=220 wait4=260 ppoll=73 exit=93 exit_group=94 futex=98 nanosleep=101
    clock_nanosleep=115 clock_gettime=113 clock_getres=114 gettimeofday=169 getrandom=278 getpid=172
    getppid=173 gettid=178 getuid=174 geteuid=175 getgid=176 getegid=177 getrusage=165 times=153
    uname=160 sched_yield=124 restart_syscall=128 prlimit64=261 pidfd_send_signal=424 prctl=167
    seccomp=277 landlock_create_ruleset=444 landlock_restrict_self=446 unshare=97 mount=40 umount2=39
    pivot_root=41 capset=91 memfd_create=279 pidfd_open=434 openat=56 socket=198 socketpair=199
    ptrace=117 kill=129 tgkill=131 execve=221 io_uring_setup=425 bpf=280 keyctl=219 userfaultfd=282
    process_vm_readv=270 perf_event_open=241
"""
AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}


def numbers(machine: str = "") -> dict[str, int]:
    """System call numbers of this machine; empty where the sandbox knows none (not Linux, another CPU)."""
    machine = machine or (platform.machine() if sys.platform == "linux" else "")
    text = {"x86_64": X86_64, "aarch64": AARCH64}.get(machine, "")
    return {name: int(number) for name, number in (pair.split("=") for pair in text.split())}


def by_ctypes() -> tuple[Syscall, Callable[[bytearray], int]]:
    """`syscall` and `address` (of a buffer's first byte) made with ctypes, for where no C core was built."""
    import ctypes

    table = numbers()
    # PyDLL keeps the interpreter's lock: a child made by a bare clone must not have to wait for it.
    call = ctypes.PyDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long

    def syscall(name: str, *arguments: int | bytes | bytearray | mmap.mmap) -> int:
        passed: list[object] = [ctypes.c_long(table[name])]
        for argument in arguments:
            if isinstance(argument, bytearray | mmap.mmap):
                passed.append(ctypes.c_void_p(address(argument)))
            elif isinstance(argument, bytes):
                passed.append(ctypes.c_char_p(argument))
            else:
                passed.append(ctypes.c_long(argument))
        result: int = call(*passed)
        if result < 0:
            error = ctypes.get_errno()
            raise OSError(error, f"{name}: {os.strerror(error)}")
        return result

    def address(buffer: bytearray | mmap.mmap) -> int:
        return ctypes.addressof(ctypes.c_char.from_buffer(buffer))

    return syscall, address
