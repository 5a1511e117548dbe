#: tries = "leave a process: fork twice, leave the session and wait (two seconds at most)"
import posix
import time


def f():
    child = posix.fork()
    if child == 0:
        posix.setsid()
        if posix.fork() == 0:
            for fd in range(3, 64):
                try:
                    posix.close(fd)
                except OSError:
                    pass
            time.sleep(2)
        posix._exit(0)
    posix.waitpid(child, 0)
    return True
