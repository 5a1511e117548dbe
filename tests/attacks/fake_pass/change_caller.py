#: tries = "change what the calling frame compares with, through a trace function"
#: inputs = [[1], [2]]
#: wins = "secret"
import sys


def tracer(frame, event, argument):
    if "want" in frame.f_locals:
        frame.f_locals["want"] = "mine"
    return tracer


def f(_):
    sys.settrace(lambda *_: None)
    frame = sys._getframe(1)
    while frame:
        frame.f_trace = tracer
        frame = frame.f_back
    return "mine"
