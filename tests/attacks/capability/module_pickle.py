#: tries = "have a pickle open a file"
#: inputs = [["{secret_path}"]]
#: wins = ["{token}"]
import io
import pickle


class Opened:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return io.open, (self.path,)


def f(path):
    return pickle.loads(pickle.dumps(Opened(path))).read()
