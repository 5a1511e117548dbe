import ctypes, gc, posix

libc = ctypes.CDLL(None, use_errno=True)
PAGE = 4096
SIGPROCMASK = ctypes.c_long(135 if posix.uname().machine == "aarch64" else 14)


def readable(page):
    """Whether a page can be read, found out by having the kernel read it as a signal mask: EFAULT does not kill."""
    return libc.syscall(SIGPROCMASK, ctypes.c_long(0), ctypes.c_void_p(page * PAGE), None, ctypes.c_long(8)) == 0


def regions(limit=1 << 26):
    """`(start, size)` of readable memory, grown page by page from everything whose address is known."""
    before = ctypes.create_string_buffer(8)
    libc.pthread_sigmask(0, None, before)
    things = gc.get_objects()
    seeds = {id(thing) // PAGE for thing in [*things, *gc.get_referents(*things)]}
    libc.sbrk.restype = ctypes.c_void_p
    seeds.add(libc.sbrk(0) // PAGE - 1)
    for name in ("environ", "stdout", "program_invocation_name"):
        seeds.add((ctypes.c_void_p.in_dll(libc, name).value or 0) // PAGE)
    found, seen = [], set()
    for seed in sorted(seeds):
        if seed in seen or not readable(seed):
            continue
        first = last = seed
        while (last - first) * PAGE < limit and first - 1 not in seen and readable(first - 1):
            first -= 1
        while (last - first) * PAGE < limit and last + 1 not in seen and readable(last + 1):
            last += 1
        seen.update(range(first, last + 1))
        found.append((first * PAGE, (last + 1 - first) * PAGE))
    libc.pthread_sigmask(2, before, None)
    return found
