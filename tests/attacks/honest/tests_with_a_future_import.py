#: tries = "tests with a future import"
#: tests = '''
#: from __future__ import annotations
#:
#: def g(x: Undefined) -> Also:
#:     return f(x)
#: assert g(1) == 1
#: '''
def f(x):
    return x
