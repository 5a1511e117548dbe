#: tries = "leave limits so low that the next program starves"
#: before = "poison"


def poison():
    import resource

    resource.setrlimit(resource.RLIMIT_NOFILE, (50, 50))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def f():
    import resource

    return resource.getrlimit(resource.RLIMIT_NOFILE)[1] == 50
