#: tries = "be a source that never ends: open quotes, brackets and continuations"
#: built = true
#: wins_status = ["ok", "crashed", "timeout"]


def build():
    return "def f():\n    return '''" + "\\\n" * 10_000 + "([{"
