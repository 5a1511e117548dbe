#: tries = "set its user and group ids to root's, and use it"
#: inputs = [["{drop_dir}"]]
import posix


def f(folder):
    for change in (lambda: posix.setresgid(0, 0, 0), lambda: posix.setresuid(0, 0, 0), lambda: posix.setgroups([0])):
        try:
            change()
        except OSError:
            continue
    posix.mknod(folder + "/as-root", 0o100600)
    return posix.stat(folder + "/as-root").st_uid == 0
