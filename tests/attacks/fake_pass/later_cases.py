#: tries = "see the inputs of later cases and use them to answer this one"
#: inputs = [[1], ["the-later-input"]]
#: wins = ["the-later-input", "unmatchable"]


def f(value):
    import sys

    frame = sys._getframe(1)
    while frame:
        if "the-later-input" in repr(frame.f_locals):
            return "the-later-input"
        frame = frame.f_back
