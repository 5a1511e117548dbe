#: tries = "patch a built-in function for the next program"
#: before = "poison"
import builtins

real = builtins.sorted


def poison():
    builtins.sorted = lambda *_, **__: ["patched"]


def f():
    return sorted([2, 1]) == ["patched"]
