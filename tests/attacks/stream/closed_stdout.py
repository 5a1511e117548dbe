#: tries = "close or delete standard output and then return"
#: wins = ["unmatchable"]


def f():
    import sys

    for stream in (sys.stdout, sys.__stdout__, sys.stderr):
        try:
            stream.close()
        except (AttributeError, OSError):
            pass
    del sys.stdout, sys.stderr
    return "honest"
