#: tries = "make every warning of the next program an error"
#: before = "poison"


def poison():
    import warnings

    warnings.simplefilter("error")


def f():
    import warnings

    try:
        warnings.warn("a warning", stacklevel=1)
    except UserWarning:
        return True
