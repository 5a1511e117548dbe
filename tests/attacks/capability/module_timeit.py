#: tries = "do it while the time is taken"
#: inputs = [["{secret_path}"]]
#: wins = ["{token}"]
import timeit


def f(path):
    found = []
    timeit.timeit("found.append(open(path).read())", number=1, globals={"found": found, "path": path})
    return found[0]
