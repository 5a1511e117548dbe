#: tries = "start the traceback printer's watchdog thread, which floods and exits"
#: wins = ["unmatchable"]
import faulthandler
import time


def f():
    faulthandler.dump_traceback_later(0.001, repeat=True, exit=False)
    time.sleep(0.05)
    faulthandler.dump_traceback_later(0.0001, exit=True)
    time.sleep(2)
