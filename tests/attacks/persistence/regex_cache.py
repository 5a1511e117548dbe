#: tries = "plant a wrong pattern in the cache of compiled expressions"
#: before = "poison"
import re


def poison():
    re._cache[(str, "[0-9]+", 0)] = re.compile("[a-z]+")
    getattr(re, "_cache2", {})[(str, "[0-9]+", 0)] = re.compile("[a-z]+")


def f():
    return re.findall("[0-9]+", "abc") == ["abc"]
