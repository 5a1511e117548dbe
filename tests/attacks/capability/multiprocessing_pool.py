#: tries = "call a function in another process with multiprocessing"


def f():
    import multiprocessing

    process = multiprocessing.get_context("fork").Process(target=print)
    process.start()
    process.join(1)
    return process.exitcode == 0
