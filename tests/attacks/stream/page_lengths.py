#: tries = "report, by hand, lengths far beyond the area, to have other memory sent as results"
#: prelude = "page"
#: wins = ["unmatchable"]
import posix


def f():
    base, room = find_page()
    report(base, b'="x"\n', results=0xFFFFFFFF, printed=0xFFFFFFFF)
    posix._exit(0)
