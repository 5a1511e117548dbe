#: tries = "read another process's memory with process_vm_readv"
#: inputs = [["{parent_pid}"]]
#: prelude = "libc"


def f(parent):
    text = ctypes.create_string_buffer(b"needle", 16)
    target = ctypes.create_string_buffer(16)
    local = (ctypes.c_size_t * 2)(ctypes.addressof(target), 16)
    remote = (ctypes.c_size_t * 2)(ctypes.addressof(text), 16)
    for pid in (parent, os.getppid(), os.getpid()):
        # Nothing may be mapped there in another process: EFAULT still says that the door was open.
        if call("process_vm_readv", pid, local, 1, remote, 1, 0) in (16, -errno.EFAULT):
            return True
