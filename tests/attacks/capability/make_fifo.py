#: tries = "make a named pipe, a meeting point with other processes"
#: inputs = [["{drop_dir}"]]
import posix


def f(folder):
    posix.mkfifo(folder + "/fifo")
    return True
