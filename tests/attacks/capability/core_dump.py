#: tries = "allow itself a core dump, which writes its memory to disk"


def f():
    import resource

    before = resource.getrlimit(resource.RLIMIT_CORE)
    if before[1] == 0:
        return None
    resource.setrlimit(resource.RLIMIT_CORE, before)
    return True
