#: tries = "globals of the candidate"
#: tests = '''
#: assert LIMIT == 5 and TABLE['a'] == 1
#: f()
#: f()
#: assert count == 2
#: assert math.pi > 3
#: '''
LIMIT = 5
TABLE = {'a': 1}
count = 0

def f():
    global count
    count += 1
    return count
import math
