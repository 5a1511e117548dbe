#: tries = "fork again and again (two hundred at most, two seconds at most)"
import posix
import time


def f():
    end, children = time.monotonic() + 2, []
    try:
        for _ in range(200):
            child = posix.fork()
            if child == 0:
                while time.monotonic() < end:
                    time.sleep(0.05)
                posix._exit(0)
            children.append(child)
    except OSError:
        pass
    return len(children) > 0
