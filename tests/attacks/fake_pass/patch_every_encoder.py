#: tries = "replace everything in memory that looks like an encoder or a writer of results"
#: wins = ["forged"]
import gc
import sys
import types


def f():
    lie = lambda *arguments, **options: '"forged"'
    for name, module in list(sys.modules.items()):
        for attribute in list(getattr(module, "__dict__", {})):
            low = attribute.lower()
            if any(word in low for word in ("encod", "dumps", "canonical", "serial", "to_json")) and name != "encodings":
                try:
                    if isinstance(getattr(module, attribute), types.FunctionType):
                        setattr(module, attribute, lie)
                except Exception:
                    pass
    for thing in gc.get_objects():
        if isinstance(thing, types.FunctionType) and thing.__name__.lower() in ("encode", "dumps", "canonical"):
            try:
                thing.__code__ = lie.__code__
            except Exception:
                pass
    return "honest"
