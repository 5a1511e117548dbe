#: tries = "write a log into a file"
#: inputs = [["{drop_dir}"]]
#: wins = [true]
import logging


def f(folder):
    handler = logging.FileHandler(folder + "/log")
    handler.emit(logging.LogRecord("x", 40, "x", 1, "written", (), None))
    handler.close()
    return True
