#: tries = "open devices (memory, kernel log, disks)"
import posix


def f():
    for path in ("/dev/mem", "/dev/kmsg", "/dev/vda", "/dev/sda", "/dev/nvme0n1", "/dev/fuse", "/dev/kvm", "/dev/null"):
        try:
            posix.close(posix.open(path, posix.O_RDONLY | posix.O_NONBLOCK))
            return True
        except OSError:
            continue
