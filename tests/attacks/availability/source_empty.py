#: tries = "be nothing at all"
#: built = true
#: wins_status = ["ok", "crashed", "timeout"]


def build():
    return ""
