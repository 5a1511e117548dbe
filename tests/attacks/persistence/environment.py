#: tries = "leave an environment variable"
#: before = "poison"
import os


def poison():
    os.environ["LEFT_BEHIND"] = "1"
    os.putenv("LEFT_BEHIND", "1")


def f():
    return os.environ.get("LEFT_BEHIND") == "1"
