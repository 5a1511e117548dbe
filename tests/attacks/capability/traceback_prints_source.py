#: tries = "have the printer of uncaught errors print a line of a file as source"
#: inputs = [["{secret_path}"]]
#: wins = ["{token}"]
import sys


class Catcher:
    text = ""

    def write(self, text):
        self.text += text

    def flush(self):
        pass


def f(path):
    old, sys.stderr = sys.stderr, Catcher()
    try:
        exec(compile("raise ValueError", path, "exec"))
    except ValueError:
        sys.__excepthook__(*sys.exc_info())
    finally:
        caught, sys.stderr = sys.stderr.text, old
    return next(line.strip() for line in caught.splitlines() if "token-" in line)
