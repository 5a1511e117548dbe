#: tries = "make a BPF map or load a BPF program"
#: prelude = "libc"


def f():
    attributes = (ctypes.c_uint32 * 32)(2, 4, 4, 1)  # BPF_MAP_TYPE_ARRAY, key 4, value 4, one entry
    fd = call("bpf", 0, attributes, 72)
    if fd >= 0:
        os.close(fd)
        return True
