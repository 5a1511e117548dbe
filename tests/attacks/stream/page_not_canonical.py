#: tries = "report, by hand, JSON that is not canonical: spaces, doubled keys, NaN, raw characters, long digits"
#: inputs = [[0], [1], [2], [3], [4], [5], [6], [7], [8]]
#: prelude = "page"
#: wins_status = ["ok"]
import posix

LINES = [
    b'={"a": 1}', b'={"b":1,"a":2}', b'={"a":1,"a":2}', b"=NaN", b"=1e999", b'="\xc3\xa9"', b'="\\ud83d"', b"=01", b"=1.50",
]


def f(_):
    base, room = find_page()
    report(base, b"\n".join(LINES) + b"\n")
    posix._exit(0)
