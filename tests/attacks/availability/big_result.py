#: tries = "return an int of a hundred million digits and let the encoder print it"


def f():
    return 1 << (1 << 28)
