#: tries = "add to a core type through the dictionary behind its proxy"
#: before = "poison"
import gc
import sys


def poison():
    gc.get_referents(str.__dict__)[0]["poisoned"] = True
    sys._clear_type_cache()


def f():
    return "poisoned" in dir(str)
