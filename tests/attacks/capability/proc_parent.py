#: tries = "read the harness's command line"
#: inputs = [["{parent_pid}"]]


def f(parent):
    return len(open(f"/proc/{parent}/cmdline").read()) > 0
