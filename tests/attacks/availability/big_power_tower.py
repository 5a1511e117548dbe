#: tries = "compute a tower of powers"


def f():
    return (9 ** (9**9)).bit_length() > 0
