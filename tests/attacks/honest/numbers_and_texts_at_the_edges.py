#: tries = "numbers and texts at the edges"
#: tests = '''
#: import math
#: assert math.isnan(f(float('nan')))
#: assert f(float('inf')) == float('inf')
#: assert math.copysign(1, f(-0.0)) == -1
#: assert f(1e+308 * 10) == math.inf
#: assert f(2 ** 5000) == 2 ** 5000
#: assert f('\ud800') == '\ud800' and f('😀') == '😀' and (len(f('\ud83d\ude00')) == 2)
#: '''
def f(x):
    return x
