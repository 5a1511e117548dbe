"""The seccomp filter: an allowlist of system calls, as classic BPF.

A program that is not on the list gets EPERM, not a signal: library code that probes (is this a terminal?)
must go on working. There is no open of any kind, so the filter alone already closes the file system.
"""

from __future__ import annotations

import struct

from autotelic.sandbox.inside.syscalls import AUDIT_ARCH

LOAD, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, KILL, REFUSE = 0x7FFF0000, 0x80000000, 0x00050001  # the last: fail with EPERM
NUMBER, ARCH, ARGUMENT = 0, 4, 16
PROT_EXEC, SIGKILL, PR_SET_PDEATHSIG = 4, 9, 1
FORK_FLAGS = 0x1000 | 17
"""CLONE_PIDFD | SIGCHLD: the one way to fork, the zygote's. In a candidate RLIMIT_NPROC=0 refuses it too."""

PLAIN = (
    "read write close close_range munmap mremap madvise brk rt_sigaction rt_sigprocmask rt_sigreturn "
    "sigaltstack wait4 poll ppoll exit exit_group futex nanosleep clock_nanosleep clock_gettime clock_getres "
    "gettimeofday time getrandom getpid getppid gettid getuid geteuid getgid getegid getrusage times uname "
    "sched_yield restart_syscall fstat"
)
Check = tuple[int, str, int]
"""(argument, test, constant): `equal`, `without` (none of these bits) or `below`."""
CONDITIONAL: dict[str, tuple[Check, ...]] = {
    # No page is ever made executable: what cannot be mapped cannot be run.
    "mmap": ((2, "without", PROT_EXEC),),
    "mprotect": ((2, "without", PROT_EXEC),),
    # Only the caller's own limits, which the kernel lets nobody raise.
    "prlimit64": ((0, "equal", 0),),
    "prctl": ((0, "equal", PR_SET_PDEATHSIG), (1, "equal", SIGKILL)),
}
ZYGOTE_ONLY: dict[str, tuple[Check, ...]] = {
    "clone": ((0, "equal", FORK_FLAGS),),
    # A candidate holds no pidfd and cannot make one; the negative ones that mean "myself" are excluded.
    "pidfd_send_signal": ((0, "below", 1 << 31), (1, "equal", SIGKILL), (2, "equal", 0), (3, "equal", 0)),
}
Instruction = tuple[int, int, int, int]


def _test(check: Check) -> list[tuple[int, int, int, bool]]:
    """A 64-bit check as tests of its halves: (offset, jump kind, constant, the outcome that passes)."""
    argument, kind, constant = check
    low = ARGUMENT + 8 * argument
    if kind == "without":
        return [(low, JUMP_ANY_BIT, constant, False)]
    if kind == "below":
        return [(low, JUMP_AT_LEAST, constant, False), (low + 4, JUMP_EQUAL, 0, True)]
    return [(low, JUMP_EQUAL, constant & 0xFFFFFFFF, True), (low + 4, JUMP_EQUAL, constant >> 32, True)]


def _conditional(number: int, checks: tuple[Check, ...]) -> list[Instruction]:
    """Allow call `number` if every check passes, refuse it if not, fall through if it is another call."""
    tests = [test for check in checks for test in _test(check)]
    body: list[Instruction] = []
    for index, (offset, kind, constant, passing) in enumerate(tests):
        refuse = 2 * (len(tests) - index - 1) + 1  # instructions to skip to reach the refusal
        body.append((LOAD, 0, 0, offset))
        body.append((kind, 0, refuse, constant) if passing else (kind, refuse, 0, constant))
    body += [(RETURN, 0, 0, ALLOW), (RETURN, 0, 0, REFUSE)]
    return [(JUMP_EQUAL, 0, len(body), number), *body]


def program(table: dict[str, int], machine: str, *, forks: bool) -> bytes:
    """The filter as an array of `struct sock_filter`, for a zygote (`forks`) or for anything else."""
    code: list[Instruction] = [
        (LOAD, 0, 0, ARCH),
        (JUMP_EQUAL, 1, 0, AUDIT_ARCH[machine]),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, NUMBER),
    ]
    if machine == "x86_64":  # the x32 calls share the architecture and would slip past the numbers
        code += [(JUMP_AT_LEAST, 0, 1, 0x40000000), (RETURN, 0, 0, REFUSE)]
    for name in PLAIN.split():
        if name in table:
            code += [(JUMP_EQUAL, 0, 1, table[name]), (RETURN, 0, 0, ALLOW)]
    for name, checks in {**CONDITIONAL, **(ZYGOTE_ONLY if forks else {})}.items():
        code += _conditional(table[name], checks)
    code.append((RETURN, 0, 0, REFUSE))
    return b"".join(struct.pack("<HBBI", *instruction) for instruction in code)
