#: tries = "learn what its descriptors are: anything but the null device is a way out"
#: prelude = "libc"


def f():
    mode_at, device_at = (24, 40) if os.uname().machine == "x86_64" else (16, 32)
    for fd in range(64):
        status = ctypes.create_string_buffer(144)
        if call("fstat", fd, status) == 0:
            mode = int.from_bytes(status.raw[mode_at : mode_at + 4], "little")
            device = int.from_bytes(status.raw[device_at : device_at + 8], "little")
            if mode & 0o170000 != 0o020000 or device != os.makedev(1, 3):
                return True
