#: inputs = [[10]]
#: outputs = [[[2, 3, 5, 7], [1, 10, 2], 285]]


def primes():
    number = 2
    while True:
        if all(number % small for small in range(2, int(number**0.5) + 1)):
            yield number
        number += 1


def echo():
    got = 1
    while True:
        got = yield got


def f(n):
    small = []
    for prime in primes():
        if prime > n:
            break
        small.append(prime)
    talk = echo()
    return [small, [next(talk), talk.send(n), talk.send(2)], sum(x * x for x in range(n))]
