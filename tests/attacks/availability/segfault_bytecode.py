#: tries = "crash the interpreter with bytecode that reads a constant that is not there"


def f():
    code = (lambda: None).__code__
    bad = code.replace(co_code=bytes([100, 255, 83, 0]), co_consts=())
    return type(f)(bad, {})()
