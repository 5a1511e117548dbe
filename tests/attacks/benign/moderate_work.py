#: inputs = [[20000]]
#: outputs = [2262]


def f(n):
    sieve = bytearray([1]) * (n + 1)
    sieve[:2] = b"\0\0"
    for number in range(2, int(n**0.5) + 1):
        if sieve[number]:
            sieve[number * number :: number] = bytes(len(range(number * number, n + 1, number)))
    return sum(sieve)
