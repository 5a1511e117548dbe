#: tries = "end a quoted block that the source was spliced into and go on outside"
#: built = true
#: wins = "secret"


def build():
    out = '__import__("posix")._exit(0)'
    return f"def f():\n    return None\n'''\n{out}\n'''\n\"\"\"\n{out}\n\"\"\"\n{{}}%s%n$(exit 0)`exit 0`\\\n"
