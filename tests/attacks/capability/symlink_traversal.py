#: tries = "read through a symbolic link that it makes"
#: inputs = [["{secret_path}", "{drop_dir}"]]
#: wins = ["{token}"]
import posix


def f(path, folder):
    for place in (folder, ".", "/tmp", "/dev/shm", "/"):
        link = f"{place}/link-to-secret"
        try:
            posix.symlink(path, link)
        except OSError:
            continue
        try:
            return open(link).read()
        finally:
            posix.unlink(link)
