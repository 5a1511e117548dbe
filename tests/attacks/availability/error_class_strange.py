#: tries = "raise an error whose class takes forever to say its name"
#: wins = ["unmatchable"]


class Meta(type):
    @property
    def __name__(cls):
        while True:
            pass

    __module__ = __name__


class Strange(Exception, metaclass=Meta):
    pass


def f():
    raise Strange
