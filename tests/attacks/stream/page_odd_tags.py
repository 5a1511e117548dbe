#: tries = "report, by hand, errors with control characters, odd tags and empty lines"
#: inputs = [[0], [1], [2], [3], [4]]
#: prelude = "page"
#: wins_status = ["ok"]
import posix


def f(_):
    base, room = find_page()
    report(base, b"!\x1b[2J\x00\n\n@x\n=\n!" + b"e" * 60000 + b"\n", printed=100)
    posix._exit(0)
