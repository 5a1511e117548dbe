#: tries = "have the source of a code object looked up in a file"
#: inputs = [["{secret_path}"]]
#: wins = ["{token}"]
import inspect


def f(path):
    code = compile("def g(): pass\n", path, "exec")
    space = {"__name__": "other", "__file__": path}
    exec(code, space)
    lines, _ = inspect.findsource(code)
    return lines[0].strip()
