#: tries = "read a file as a table"
#: inputs = [["{secret_path}"]]
#: wins = ["{token}"]
import csv
import io


def f(path):
    return next(csv.reader(io.open(path)))[0]
