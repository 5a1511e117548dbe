#: tries = "make a System V semaphore"
#: prelude = "libc"


def f():
    semaphore = call("semget", 0, 1, 0o1600)
    if semaphore >= 0:
        call("semctl", semaphore, 0, 0, 0)
        return True
