#: tries = "start a thousand threads"
import _thread
import time


def f():
    started = 0
    try:
        for _ in range(1000):
            _thread.start_new_thread(time.sleep, (0.3,))
            started += 1
    except RuntimeError:
        pass
    return started > 0
