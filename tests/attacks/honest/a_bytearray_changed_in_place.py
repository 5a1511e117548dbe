#: tries = "a bytearray changed in place"
#: tests = '''
#: b = bytearray(b'abc')
#: f(b)
#: assert b == b'cba'
#: '''
def f(b):
    b.reverse()
