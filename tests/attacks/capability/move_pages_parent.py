#: tries = "move another process's memory between nodes, which also tells what is mapped"
#: inputs = [["{parent_pid}"]]
#: prelude = "libc"


def f(parent):
    return call("migrate_pages", parent, 8, (ctypes.c_ulong * 1)(1), (ctypes.c_ulong * 1)(1)) >= 0
