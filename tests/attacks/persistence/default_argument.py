#: tries = "change the default arguments and code of a shared function"
#: before = "poison"
import json


def poison():
    json.dumps.__kwdefaults__["indent"] = 7


def f():
    return json.dumps.__kwdefaults__["indent"] == 7
