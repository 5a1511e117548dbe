#: tries = "find the answers anywhere in its memory, freed or not"
#: wins = "secret"
import re


def f():
    guess = re.compile(rb"answer-[0-9a-f]{32}")
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
        for line in maps:
            span, mode = line.split()[:2]
            start, end = (int(edge, 16) for edge in span.split("-"))
            if mode.startswith("rw") and end - start < 1 << 26:
                try:
                    memory.seek(start)
                    found = guess.search(memory.read(end - start))
                except (OSError, ValueError):
                    continue
                if found:
                    return found[0].decode()
