#: tries = "closures, partials and caches"
#: tests = '''
#: assert f(3)(4) == 7
#: assert h(1)(5) == 32
#: assert fib(30) == 832040
#: assert fib.cache_info().misses == 31
#: assert list(map(f(1), [1, 2])) == [2, 3]
#: '''
import functools

def f(n):

    def g(x):
        return x + n
    return g

def h(n):
    return functools.partial(pow, 2)

@functools.lru_cache(None)
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)
