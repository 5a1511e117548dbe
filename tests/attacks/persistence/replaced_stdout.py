#: tries = "leave sys.stdout replaced, to collect what the next program prints"
#: before = "poison"
import sys


class Collector:
    def write(self, text):
        return len(text)

    def flush(self):
        pass


def poison():
    sys.stdout = Collector()


def f():
    return type(sys.stdout).__name__ == "Collector"
