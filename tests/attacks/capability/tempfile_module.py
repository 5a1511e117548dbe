#: tries = "make a temporary file with the standard library"


def f():
    import tempfile

    with tempfile.TemporaryFile() as file:
        return file.write(b"here") == 4
