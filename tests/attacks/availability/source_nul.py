#: tries = "be a source with NUL bytes, where texts end for C"
#: built = true
#: wins_status = ["ok", "crashed", "timeout"]


def build():
    return "def f():\n    return True\n\0\nraise SystemExit\n"
