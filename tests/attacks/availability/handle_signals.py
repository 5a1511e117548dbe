#: tries = "handle the signal of the processor limit and go on"
import signal
import time


def f():
    for number in (signal.SIGXCPU, signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    end = time.monotonic() + 2
    while time.monotonic() < end:
        pass
    return True
