#: tries = "append to a file that is there"
#: inputs = [["{victim}"]]


def f(path):
    with open(path, "a") as file:
        return file.write("more") == 4
