#: tries = "read the environment of itself and of its parent from /proc"
#: inputs = [["{canary}", "{parent_pid}"]]
#: wins = ["{token}"]


def f(name, parent):
    for pid in ("self", parent, 1):
        try:
            text = open(f"/proc/{pid}/environ", "rb").read()
        except OSError:
            continue
        for entry in text.split(b"\0"):
            if entry.startswith(name.encode() + b"="):
                return entry.decode().split("=")[1]
