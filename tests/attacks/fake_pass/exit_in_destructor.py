#: tries = "leave with status 0 when the result is thrown away"
#: wins = "secret"
import posix


class Result(list):
    def __del__(self):
        posix._exit(0)


def f():
    return Result()
