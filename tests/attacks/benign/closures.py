#: inputs = [[3]]
#: outputs = [[[0, 2, 4], 3, "f(1, 2, extra=3)"]]
import functools


def f(n):
    count = 0

    def up():
        nonlocal count
        count += 1
        return count

    def show(*args, **kwargs):
        parts = [*map(str, args), *(f"{k}={v}" for k, v in kwargs.items())]
        return f"f({', '.join(parts)})"

    for _ in range(n):
        up()
    return [[(lambda x, k=2: x * k)(i) for i in range(n)], count, functools.partial(show, 1)(2, extra=3)]
