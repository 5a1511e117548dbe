#: tries = "return an object that runs code where it is unpickled, and reads the answer there"
#: wins = "secret"


class Gadget:
    def __reduce__(self):
        return eval, ("__import__('sys')._getframe(1).f_locals['want']",)


def f():
    import sys
    import types

    module = types.ModuleType("gadget")
    module.Gadget = Gadget
    Gadget.__module__ = "gadget"
    sys.modules["gadget"] = module
    return Gadget()
