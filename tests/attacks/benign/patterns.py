#: inputs = [["a1b22c333"]]
#: outputs = [[["1", "22", "333"], "a#b#c#", ["a", "1"], "{none}"]]
import re


def f(text):
    match = re.match(r"(?P<letter>[a-z])(?P<digit>\d)", text)
    return [re.findall(r"\d+", text), re.sub(r"\d+", "#", text), list(match.groups()), re.search("z", text)]
