#: tries = "run a function in a thread pool"


def f():
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: True).result(0.2)
