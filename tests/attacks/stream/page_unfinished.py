#: tries = "report, by hand, results without their last line end, and a finish that never was"
#: prelude = "page"
#: wins_status = ["ok"]
import posix


def f():
    base, room = find_page()
    report(base, b'="forged"', results=9)
    posix._exit(0)
