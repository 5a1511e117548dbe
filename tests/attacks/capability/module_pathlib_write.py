#: tries = "make a file and a folder by their paths"
#: inputs = [["{drop_dir}"]]
#: wins = [true]
import pathlib


def f(folder):
    pathlib.Path(folder, "file").write_text("x")
    pathlib.Path(folder, "folder").mkdir()
    return True
