#: tries = "set the clock, by every call that can (to what it is)"
#: prelude = "libc"
import time


def f():
    now = (ctypes.c_long * 2)()
    libc.clock_gettime(1, now)
    try:
        time.clock_settime(time.CLOCK_MONOTONIC, time.clock_gettime(time.CLOCK_MONOTONIC))
        return True
    except OSError as error:
        monotonic = error.errno
    # The kernel answers EINVAL for a clock nobody may set, and EPERM when it never got that far.
    return monotonic not in (errno.EPERM, errno.ENOSYS, errno.EACCES)
