#: tries = "get at the machine's input and output ports"
#: prelude = "libc"


def f():
    return call("iopl", 3) == 0
