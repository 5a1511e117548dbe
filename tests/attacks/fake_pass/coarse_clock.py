#: tries = "answer by a clock that two quick runs cannot tell apart is out of reach: answer by a fine one in disguise"
#: twice = true
#: wins_status = ["ok"]
import time


def f():
    return [time.monotonic_ns() % 1000003, time.process_time_ns(), time.time_ns() % 999983]
