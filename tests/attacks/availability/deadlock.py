#: tries = "wait for a lock that it holds"
import _thread


def f():
    lock = _thread.allocate_lock()
    lock.acquire()
    lock.acquire(True, 2)
    return True
