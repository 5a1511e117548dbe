#: tries = "reach the kernel's module, kexec and swap calls (with arguments that can do nothing)"
#: prelude = "libc"


def f():
    doors = [call("finit_module", -1, b"", 0), call("kexec_load", 0, 99, None, 0), call("swapoff", b"/nonexistent")]
    closed = {-errno.EPERM, -errno.EACCES, -errno.ENOSYS}
    return any(answer not in closed for answer in doors)
