#: tries = "leave a note in unused parts of the memory that results are reported in"
#: before = "poison"
#: prelude = "page"


def poison():
    base, room = find_page()
    for place in (room, 2 * room, 100_000, 200_000, 300_000):
        ctypes.memmove(base + place, b"left-behind", 11)


def f():
    base, room = find_page()
    return any(ctypes.string_at(base + place, 11) == b"left-behind" for place in (room, 2 * room, 100_000, 200_000, 300_000))
