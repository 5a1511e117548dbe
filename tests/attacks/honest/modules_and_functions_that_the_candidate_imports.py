#: tries = "modules and functions that the candidate imports"
#: tests = '''
#: assert f([1, 2]) == [2]
#: assert sqrt(4) == 2
#: assert hq.nsmallest(1, [2, 1]) == [1]
#: '''
import math
import heapq as hq
from math import *

def f(x):
    return hq.nlargest(1, x)
