#: tries = "report, by hand, more cases than were asked for"
#: prelude = "page"
#: wins_status = ["ok"]
import posix


def f():
    base, room = find_page()
    report(base, b"=1\n" * 20000)
    posix._exit(0)
