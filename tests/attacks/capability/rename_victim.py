#: tries = "rename a file"
#: inputs = [["{victim}", "{drop_dir}"]]
import posix


def f(path, folder):
    posix.rename(path, folder + "/renamed")
    return True
