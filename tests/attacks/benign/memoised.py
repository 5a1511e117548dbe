#: inputs = [[90]]
#: outputs = [2880067194370816120]
from functools import cache


@cache
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def f(n):
    return fib(n)
