#: tries = "pass other kinds of number off as an int"
#: inputs = [[0], [1], [2]]
#: wins = [1, 1, 1]


def f(kind):
    from decimal import Decimal
    from fractions import Fraction

    return [1 + 0j, Fraction(1), Decimal(1)][kind]
