#: tries = "make a directory"
#: inputs = [["{drop_dir}"]]
import posix


def f(folder):
    posix.mkdir(folder + "/made")
    return True
