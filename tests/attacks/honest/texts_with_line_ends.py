#: tries = "texts with line ends"
#: tests = '''
#: assert f('a\nb\r\n') == 'a\nb\r\n'
#: assert f(['a\nb']) == ['a\nb']
#: '''
def f(x):
    return x
