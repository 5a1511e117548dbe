#: tries = "compare equal to any digest"
#: wins = ["true"]
import hmac


class Any(str):
    def __eq__(self, other):
        return True

    __hash__ = str.__hash__


def f():
    return hmac.compare_digest(b"a", b"a") and Any("true")
