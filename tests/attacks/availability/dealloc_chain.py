#: tries = "overflow the C stack while freeing a long chain of objects"


def f():
    chain = None
    for _ in range(10**6):
        chain = iter([chain]).__next__ if chain is None else (chain,)
    step = map(str, [])
    for _ in range(300_000):
        step = map(str, step)
    return next(step, None)
