#: inputs = [["0.1"]]
#: outputs = [["0.3", "5/6", 3, "1.4142"]]
from decimal import Decimal, getcontext
from fractions import Fraction


def f(text):
    getcontext().prec = 5
    return [str(Decimal(text) * 3), str(Fraction(1, 2) + Fraction(1, 3)), int(Decimal("3.7")), str(Decimal(2).sqrt())]
