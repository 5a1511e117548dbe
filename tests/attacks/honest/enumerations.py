#: tries = "enumerations"
#: tests = '''
#: assert f(1) is C.RED
#: assert f(0) == C.BLUE
#: assert f(1).name == 'RED' and f(1).value == 1
#: assert list(C) == [C.RED, C.BLUE]
#: assert C['RED'] is C.RED
#: assert C(1) is f(1)
#: assert g() == 2 and g() is N.TWO and (g() < 3) and (g() + 1 == 3)
#: assert len(C) == 2
#: assert {C.RED: 1}[f(1)] == 1
#: assert isinstance(f(1), C)
#: assert str(f(1)) == 'C.RED'
#: assert C.RED in C
#: '''
from enum import Enum, IntEnum

class C(Enum):
    RED = 1
    BLUE = 'b'

class N(IntEnum):
    ONE = 1
    TWO = 2

def f(x):
    return C.RED if x else C.BLUE

def g():
    return N.TWO
