#: tries = "attributes of a class"
#: entry = "A"
#: tests = '''
#: assert A.K == 3 and A.s(1) == 2 and (A().p == 7) and isinstance(A.c(), A)
#: assert issubclass(B, A) and isinstance(B(), A)
#: A.K = 9
#: assert A().K == 9
#: '''
class A:
    K = 3

    @staticmethod
    def s(x):
        return x + 1

    @classmethod
    def c(cls):
        return cls()

    @property
    def p(self):
        return 7

class B(A):
    pass
