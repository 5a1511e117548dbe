#: tries = "an object without a hash"
#: entry = "P"
#: tests = '''
#: try:
#:     hash(P(1))
#: except TypeError:
#:     pass
#: else:
#:     assert 0
#: '''
from dataclasses import dataclass

@dataclass
class P:
    x: int
