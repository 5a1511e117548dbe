#: tries = "send a message that is nested a million deep"
#: tests = '''
#: assert f(20) == 6765
#: assert f(21) == 10946
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
    peer().channel.send(b"[]\n" + b"[" * 1000000)
    peer().listen()
