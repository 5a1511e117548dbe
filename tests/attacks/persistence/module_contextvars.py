#: tries = "leave a value in the current context for the next run"
#: before = "plant"
import contextvars


def plant():
    contextvars.planted = contextvars.ContextVar("planted")
    contextvars.planted.set(True)


def f():
    return contextvars.planted.get()
