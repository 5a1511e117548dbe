#: tries = "a match of a regular expression"
#: tests = '''
#: m = f('aab')
#: assert m.group(1) == 'aa' and m.groups() == ('aa', 'b') and m
#: assert f('x') is None
#: assert m[2] == 'b'
#: '''
import re

def f(s):
    return re.match('(a+)(b)', s)
