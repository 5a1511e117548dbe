#: inputs = [[3]]
#: outputs = [3]
import sys


def f(n):
    for i in range(n):
        print("line", i, sep="=", end="\n", file=sys.stdout, flush=True)
    print("to standard error", file=sys.stderr)
    return n
