#: tries = "write a kernel setting of its own (oom_score_adj) through /proc"


def f():
    with open("/proc/self/oom_score_adj", "r+") as file:
        value = file.read()
        file.seek(0)
        file.write(value)
    return True
