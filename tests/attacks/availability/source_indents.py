#: tries = "be a source indented deeper than the tokenizer's stack"
#: built = true
#: wins_status = ["ok", "crashed", "timeout"]


def build():
    return "def f():\n" + "".join(" " * depth + "if 1:\n" for depth in range(1, 400)) + " " * 400 + "return 1\n"
