#: tries = "leave a value in a cache of a shared module's function"
#: before = "poison"
import functools
import json


def poison():
    json.cache = functools.lru_cache(lambda key: [])
    json.cache(1).append("left behind")


def f():
    return json.cache(1) == ["left behind"]
