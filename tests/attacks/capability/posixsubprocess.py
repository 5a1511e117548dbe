#: tries = "start a program with subprocess's C half"
import posix


def f():
    import _posixsubprocess

    read, write = posix.pipe()
    options = [[b"/bin/true"], (b"/bin/true",), True, (write,), None, None, -1, -1, -1, -1, -1, -1, read, write]
    child = _posixsubprocess.fork_exec(*options, False, False, 0, None, None, None, -1, None, False)
    return posix.waitpid(child, 0)[1] == 0
