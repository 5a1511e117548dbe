#: tries = "have a table of a module of the tests changed"
#: tests = '''
#: import re
#: x = f(1)
#: f(x)
#: assert re.match("a", "b")
#: '''
import sys


def peer():
    frame = sys._getframe()
    while frame:
        for thing in frame.f_locals.values():
            if hasattr(thing, "channel"):
                return thing
        frame = frame.f_back


def say(*refs, lines=()):
    """Answer once with these references, then serve on."""
    import json

    side = peer()
    head = json.dumps(["=", "", list(refs), ""])
    side.channel.send("\n".join(["[]", head, *lines]).encode())
    side.listen()

def f(n):
    say(["N", "re", "_cache"])
