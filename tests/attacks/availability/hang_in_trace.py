#: tries = "hang in a trace function that runs in the runner's own frames"
#: wins = ["unmatchable"]
import sys
import time


def hang(frame, event, argument):
    end = time.monotonic() + 2
    while time.monotonic() < end:
        pass


def f():
    sys.setprofile(hang)
    frame = sys._getframe(1)
    while frame:
        frame.f_trace = hang
        frame = frame.f_back
    sys.settrace(hang)
    return 1
