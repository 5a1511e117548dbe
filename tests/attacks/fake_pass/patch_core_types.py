#: tries = "change methods of str, int and dict through the dictionaries behind their mapping proxies"
#: wins = ["forged"]
import gc

kept = []


def curse(cls, name, replacement):
    table = gc.get_referents(cls.__dict__)[0]
    kept.append((table, name, table[name]))
    table[name] = replacement
    cls.__subclasses__()


def f():
    import sys

    curse(str, "join", lambda self, parts: '"forged"')
    curse(str, "encode", lambda self, *_: b'"forged"')
    curse(int, "__repr__", lambda self: "1")
    curse(dict, "items", lambda self: [])
    sys._clear_type_cache()
    return "honest"
