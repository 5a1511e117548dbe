#: inputs = [[10]]
#: outputs = [[3, 3628800, 5, 2520, 3.141593, 1.4142135623730951, true]]
import math


def f(n):
    lcm = math.lcm(*range(1, n + 1))
    return [math.isqrt(n), math.factorial(n), math.gcd(n, 15), lcm, round(math.pi, 6), math.sqrt(2), math.isclose(0.1 + 0.2, 0.3)]
