#: tries = "raise errors whose text is no text: surrogates, NULs, another type, another error"
#: inputs = [[0], [1], [2], [3], [4]]
#: wins = ["unmatchable"]


class NotText(Exception):
    def __str__(self):
        return 5


class Worse(Exception):
    def __str__(self):
        raise Worse

    __repr__ = __str__


def f(kind):
    raise [ValueError("\ud800"), ValueError("\0\r\n{}"), NotText(), Worse(), type("\ud800", (Exception,), {})][kind]
