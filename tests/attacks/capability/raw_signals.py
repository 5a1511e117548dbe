#: tries = "signal the harness with every raw call that can"
#: inputs = [["{parent_pid}", "{signal}"]]
#: prelude = "libc"


def f(parent, number):
    info = (ctypes.c_int * 32)(number, 0, -1)  # siginfo: si_signo, si_errno, si_code SI_QUEUE
    handle = call("pidfd_open", parent, 0)
    tries = [
        call("kill", parent, number),
        call("tgkill", parent, parent, number),
        call("rt_sigqueueinfo", parent, number, info),
        call("pidfd_send_signal", handle, number, None, 0) if handle >= 0 else -1,
    ]
    if handle >= 0:
        os.close(handle)
    return 0 in tries
