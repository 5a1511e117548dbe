#: tries = "read its own memory through /proc/self/mem"


def f():
    text = b"needle-" + bytes(range(65, 91))
    with open("/proc/self/mem", "rb", 0) as memory:
        memory.seek(id(text) + bytes.__basicsize__ - 1)
        return memory.read(len(text)) == text
