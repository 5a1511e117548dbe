#: tries = "read a file with the FileIO class, found through object's subclasses"
#: inputs = [["{secret_path}"]]
#: wins = ["{token}"]


def everything(cls):
    for sub in type.__subclasses__(cls):
        yield sub
        yield from everything(sub)


def f(path):
    kind = next(cls for cls in everything(object) if cls.__name__ == "FileIO")
    return kind(path).read().decode()
