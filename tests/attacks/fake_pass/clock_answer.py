#: tries = "answer by the clock"
#: twice = true
#: wins_status = ["ok"]
import time


def f():
    return time.perf_counter_ns()
