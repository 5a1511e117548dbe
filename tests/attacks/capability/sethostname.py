#: tries = "rename the machine (to its own name)"
#: prelude = "libc"


def f():
    name = os.uname().nodename.encode()
    return call("sethostname", name, len(name)) == 0
