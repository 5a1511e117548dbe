#: tries = "make a 32-bit system call, whose numbers a 64-bit filter misreads"
#: prelude = "libc"
import mmap


def f():
    # mov eax, 20 (getpid in the 32-bit table); int 0x80; ret
    code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")
    call_it = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
    return call_it() == os.getpid()
