#: tries = "wait for ever for an item of a queue"
#: wins = ["unmatchable"]
import queue


def f():
    return queue.Queue().get()
