#: tries = "be a source that cannot be written as UTF-8"
#: built = true
#: wins_status = ["ok", "crashed", "timeout"]


def build():
    return "def f():\n    return True  # \ud800\udfff\ud800\n"
