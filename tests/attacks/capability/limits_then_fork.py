#: tries = "raise the limit on processes that forbids forking, softly, then fork"
#: prelude = "libc"


def f():
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NPROC)
    for wanted in ((hard, hard), (1, max(hard, 1)), (resource.RLIM_INFINITY, resource.RLIM_INFINITY)):
        try:
            resource.setrlimit(resource.RLIMIT_NPROC, wanted)
        except (ValueError, OSError):
            continue
    child = call("clone", 0x1000 | 17, 0, ctypes.byref(ctypes.c_int()), 0, 0)
    if child == 0:
        os._exit(7)
    return child > 0 and os.waitpid(child, 0)[1] == 7 << 8
