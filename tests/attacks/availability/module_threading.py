#: tries = "wait for ever for a lock"
#: wins = ["unmatchable"]
import threading


def f():
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()
