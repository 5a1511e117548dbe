#: tries = "raise its own hard limits"


def f():
    import resource

    raised = 0
    for which in (resource.RLIMIT_CPU, resource.RLIMIT_AS, resource.RLIMIT_DATA, resource.RLIMIT_NPROC, resource.RLIMIT_NOFILE):
        soft, hard = resource.getrlimit(which)
        more = hard + 1 if hard != resource.RLIM_INFINITY else 0
        try:
            if more:
                resource.setrlimit(which, (soft, more))
                resource.setrlimit(which, (soft, hard))
                raised += 1
        except (ValueError, OSError):
            pass
    return raised > 0
