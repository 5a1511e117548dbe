#: tries = "what the candidate prints"
#: tests = '''
#: import io, contextlib
#: b = io.StringIO()
#: with contextlib.redirect_stdout(b):
#:     f(3)
#: assert b.getvalue() == 'hi 3\n'
#: '''
def f(x):
    print('hi', x)
