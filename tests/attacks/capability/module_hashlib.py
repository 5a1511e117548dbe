#: tries = "read a file to take its digest"
#: inputs = [["{secret_path}"]]
#: wins = ["{token}"]
import hashlib
import io


class Kept:
    def __init__(self):
        self.data = b""

    def update(self, data):
        self.data += bytes(data)


def f(path):
    with io.FileIO(path) as file:
        kept = hashlib.file_digest(file, Kept) if hasattr(hashlib, "file_digest") else None
        return kept.data.decode() if kept else file.read().decode()
