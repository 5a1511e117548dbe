#: tries = "take os and subprocess out of sys.modules, import fresh ones and start a program"
import sys


def f():
    for name in ("os", "subprocess", "_posixsubprocess", "signal", "selectors"):
        sys.modules.pop(name, None)
    import subprocess

    return subprocess.run(["/bin/echo", "out"], capture_output=True).stdout == b"out\n"
