#: tries = "run machine code that it wrote"
#: prelude = "libc"
import mmap


def f():
    code = mmap.mmap(-1, 4096, prot=7)
    machine = os.uname().machine
    code.write(b"\xb8\x2a\x00\x00\x00\xc3" if machine == "x86_64" else b"\x40\x05\x80\x52\xc0\x03\x5f\xd6")
    return ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))() == 42
