#: tries = "put its own modules where the runner will import from"
#: wins = "secret"
import builtins
import sys
import types


class Lie(types.ModuleType):
    def __getattr__(self, name):
        return lambda *_, **__: '"forged"'


def f():
    real = builtins.__import__
    for name in ("json", "pickle", "operator", "struct", "io", "os", "_json", "json.encoder"):
        sys.modules[name] = Lie(name)
    builtins.__import__ = lambda name, *rest, **options: Lie(name) if name == "json" else real(name, *rest, **options)
    return None
