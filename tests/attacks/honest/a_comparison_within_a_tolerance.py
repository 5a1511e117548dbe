#: tries = "a comparison within a tolerance"
#: tests = '''
#: assert abs(f(1) - 0.3333) < 0.001
#: '''
def f(x):
    return x / 3
