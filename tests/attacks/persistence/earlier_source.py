#: tries = "find the program before it among the code objects and modules alive"
#: before = "theirs"
import gc
import sys


def theirs():
    sys.theirs = lambda: "their-secret-constant"
    return 1


def f():
    mine = sys._getframe().f_globals["theirs"].__code__
    for thing in gc.get_objects():
        code = getattr(thing, "__code__", None)
        if code is not None and code is not mine and code.co_name == "<lambda>" and "their-secret-constant" in code.co_consts:
            return True
