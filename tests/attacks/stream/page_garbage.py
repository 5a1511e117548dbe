#: tries = "report, by hand, bytes that are no lines at all"
#: prelude = "page"
#: wins_status = ["ok"]
import posix


def f():
    base, room = find_page()
    report(base, bytes(range(256)) * 200, printed=room)
    posix._exit(0)
