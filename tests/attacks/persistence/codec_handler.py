#: tries = "leave an error handler with the codecs"
#: before = "poison"
import _codecs


def poison():
    _codecs.register_error("attack", lambda error: ("!", error.end))


def f():
    return b"\xff".decode("ascii", "attack") == "!"
