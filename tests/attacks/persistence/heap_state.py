#: tries = "leave the allocator in a state that the next program can see"
#: before = "poison"
import sys


def poison():
    sys.kept = [object() for _ in range(200_000)]


def f():
    return sys.getallocatedblocks() > 200_000
