#: tries = "make any other kind of descriptor: epoll, eventfd, timerfd, signalfd"
#: prelude = "libc"


def f():
    made = [
        call("epoll_create1", 0),
        call("eventfd2", 0, 0),
        call("timerfd_create", 1, 0),
        call("signalfd4", -1, ctypes.create_string_buffer(8), 8, 0),
    ]
    for fd in made:
        if fd >= 0:
            os.close(fd)
    return max(made) >= 0
