#: tries = "patch json for the next program"
#: before = "poison"
import json


def poison():
    json.loads = lambda *_, **__: "patched"


def f():
    return json.loads("1") == "patched"
