#: tries = "fork with every raw call that can"
#: prelude = "libc"


def f():
    arguments = (ctypes.c_uint64 * 11)(0, 0, 0, 0, 17)  # struct clone_args: exit_signal SIGCHLD
    for attempt in (
        lambda: call("fork"),
        lambda: call("clone", 17, 0, 0, 0, 0),
        lambda: call("clone3", arguments, ctypes.sizeof(arguments)),
    ):
        child = attempt()
        if child == 0:
            os._exit(7)
        if child > 0 and os.waitpid(child, 0)[1] == 7 << 8:
            return True
