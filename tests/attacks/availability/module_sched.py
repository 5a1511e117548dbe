#: tries = "wait for an event that is years ahead"
#: wins = ["unmatchable"]
import sched


def f():
    events = sched.scheduler()
    events.enter(10**8, 1, print)
    events.run()
