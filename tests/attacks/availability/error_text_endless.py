#: tries = "raise an error whose text takes forever to make"
#: wins = ["unmatchable"]


class Endless(Exception):
    def __str__(self):
        while True:
            pass


def f():
    raise Endless
