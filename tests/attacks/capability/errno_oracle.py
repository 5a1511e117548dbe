#: tries = "tell whether a file exists by which error open() gives"
#: inputs = [["{secret_path}"]]


def answer(path):
    try:
        open(path).close()
    except OSError as error:
        return error.errno
    return 0


def f(path):
    return answer(path) != answer(path + "-absent")
