#: tries = "count hardware or software events"
#: prelude = "libc"


def f():
    for kind, config in ((1, 0), (0, 0), (2, 0)):
        attributes = (ctypes.c_uint32 * 32)(kind, 128, config)
        fd = call("perf_event_open", attributes, 0, -1, -1, 0)
        if fd >= 0:
            os.close(fd)
            return True
