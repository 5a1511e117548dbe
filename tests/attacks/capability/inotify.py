#: tries = "watch files for changes"
#: prelude = "libc"


def f():
    for fd in (call("inotify_init1", 0), call("fanotify_init", 0, 0)):
        if fd >= 0:
            os.close(fd)
            return True
