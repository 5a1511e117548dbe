#: tries = "make a device node (the null device, as root)"
#: inputs = [["{drop_dir}"]]
import posix


def f(folder):
    posix.mknod(folder + "/null", 0o020666, posix.makedev(1, 3))
    return True
