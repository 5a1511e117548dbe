#: tries = "make a second name for a file"
#: inputs = [["{victim}", "{drop_dir}"]]
import posix


def f(path, folder):
    posix.link(path, folder + "/linked")
    return True
