#: tries = "climb from its own argument to the list of cases, and from there to their answers"
#: inputs = [["a-string-that-only-this-case-has"]]
#: wins = "secret"
import gc
import re


def f(argument):
    layer = [argument]
    for _ in range(6):
        layer = [thing for thing in gc.get_referrers(*layer) if type(thing) in (list, dict, tuple)][:200]
        for thing in layer:
            found = re.search(r"answer-[0-9a-f]{32}", repr(thing)[:100_000])
            if found:
                return found[0]
