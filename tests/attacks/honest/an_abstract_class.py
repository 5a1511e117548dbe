#: tries = "an abstract class"
#: entry = "Q"
#: tests = '''
#: assert Q(3).area() == 9
#: assert isinstance(Q(1), S)
#: try:
#:     S()
#: except TypeError:
#:     pass
#: else:
#:     assert 0
#: '''
from abc import ABC, abstractmethod

class S(ABC):

    @abstractmethod
    def area(self):
        ...

class Q(S):

    def __init__(s, a):
        s.a = a

    def area(s):
        return s.a ** 2
