#: tries = "start a thread"
import _thread
import time


def f():
    ran = []
    _thread.start_new_thread(lambda: ran.append(1), ())
    for _ in range(100):
        if ran:
            return True
        time.sleep(0.001)
