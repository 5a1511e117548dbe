#: tries = "sleep, which takes no processor time"
import time


def f():
    time.sleep(2)
    return True
