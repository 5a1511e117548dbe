#: tries = "load marshal data that asks for a huge or deep object"
#: inputs = [["huge"], ["deep"], ["code"]]
#: wins = ["unmatchable"]


def f(kind):
    import marshal

    text = {"huge": b"[" + b"\xff\xff\xff\x7f", "deep": b"[\x01\x00\x00\x00" * 100_000, "code": b"c" + b"\x7f" * 400}
    try:
        marshal.loads(text[kind])
    except (ValueError, EOFError, TypeError, MemoryError):
        return "refused"
