#: tries = "lower a limit of the harness with prlimit"
#: inputs = [["{parent_pid}"]]


def f(parent):
    import resource

    soft, hard = resource.prlimit(parent, resource.RLIMIT_CORE)
    resource.prlimit(parent, resource.RLIMIT_CORE, (soft, hard))
    return True
