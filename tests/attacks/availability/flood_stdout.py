#: tries = "print a hundred megabytes"


def f():
    line = "x" * 9999
    for _ in range(10_000):
        print(line)
    return "printed"
