#: tries = "put every capability that it may into its effective set, and find any there"
#: prelude = "libc"


def f():
    class Header(ctypes.Structure):
        _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]

    header, sets = Header(0x20080522, 0), (ctypes.c_uint32 * 6)()
    if libc.capget(ctypes.byref(header), sets) != 0:
        return None
    sets[0], sets[3] = sets[1], sets[4]
    libc.capset(ctypes.byref(header), sets)
    libc.capget(ctypes.byref(header), sets)
    return sets[0] | sets[3] != 0
