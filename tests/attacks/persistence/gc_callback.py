#: tries = "leave a callback with the garbage collector"
#: before = "poison"
import gc


def poison():
    gc.callbacks.append(lambda *_: None)


def f():
    return len(gc.callbacks) > 0
