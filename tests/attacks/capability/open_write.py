#: tries = "create a file with open()"
#: inputs = [["{drop_dir}"]]


def f(folder):
    with open(folder + "/written", "w") as file:
        return file.write("here") == 4
