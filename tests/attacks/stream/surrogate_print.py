#: tries = "print lone surrogates, which cannot be encoded"
#: wins = ["unmatchable"]


def f():
    import sys

    try:
        sys.stdout.reconfigure(errors="surrogatepass")
    except AttributeError:
        pass
    print("\ud800 \udc80 \udfff")
    return "honest"
