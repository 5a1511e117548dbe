#: tries = "leave an audit hook, which cannot be taken away, that stops imports"
#: before = "poison"
import sys


def hook(event, arguments):
    if event == "attack.probe":
        raise ValueError("left behind")


def poison():
    sys.addaudithook(hook)


def f():
    try:
        sys.audit("attack.probe")
    except ValueError:
        return True
