#: inputs = [["the quick brown fox"]]
#: outputs = [["The Quick Brown Fox", "the quick\nbrown fox", "abc", "brown"]]
import string
import textwrap


def f(text):
    return [string.capwords(text), textwrap.fill(text, 10), string.ascii_lowercase[:3], max(text.split(), key=lambda w: (len(w), w < "c"))]
