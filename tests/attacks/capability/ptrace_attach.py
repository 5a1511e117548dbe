#: tries = "seize the harness or its own parent as a tracer"
#: inputs = [["{parent_pid}"]]
#: prelude = "libc"


def f(parent):
    for pid in (parent, os.getppid()):
        if call("ptrace", 0x4206, pid, 0, 0) == 0:  # PTRACE_SEIZE stops nothing
            call("ptrace", 17, pid, 0, 0)
            return True
