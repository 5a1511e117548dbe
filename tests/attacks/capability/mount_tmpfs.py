#: tries = "mount a file system (on a directory of the harness, and unmount it)"
#: inputs = [["{drop_dir}"]]
#: prelude = "libc"


def f(folder):
    for place in (folder, "/", "/tmp"):
        if call("mount", b"none", place.encode(), b"tmpfs", 0, b"size=4k") == 0:
            call("umount2", place.encode(), 2)
            return True
