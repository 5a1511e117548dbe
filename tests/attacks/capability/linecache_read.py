#: tries = "make the traceback machinery read a file as source lines"
#: inputs = [["{secret_path}"]]
#: wins = ["{token}\n"]


def f(path):
    import linecache

    return linecache.getline(path, 1)
