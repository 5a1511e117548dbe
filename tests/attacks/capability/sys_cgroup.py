#: tries = "read the control groups, from which limits could be lifted"


def f():
    return len(open("/proc/self/cgroup").read()) > 0 or len(open("/sys/fs/cgroup/cgroup.controllers").read()) > 0
