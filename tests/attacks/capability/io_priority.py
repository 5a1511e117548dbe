#: tries = "set another process's disk priority"
#: inputs = [["{parent_pid}"]]
#: prelude = "libc"


def f(parent):
    return call("ioprio_set", 1, parent, 0) == 0
