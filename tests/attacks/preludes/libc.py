import ctypes, errno, os

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
NUMBERS = {  # name: (x86-64, aarch64)
    "openat": (257, 56), "socket": (41, 198), "fork": (57, -1), "vfork": (58, -1), "clone": (56, 220), "clone3": (435, 435),
    "execve": (59, 221), "ptrace": (101, 117), "mount": (165, 40), "umount2": (166, 39), "chroot": (161, 51),
    "pivot_root": (155, 41), "unshare": (272, 97), "setns": (308, 268), "sethostname": (170, 161), "bpf": (321, 280),
    "io_uring_setup": (425, 425), "userfaultfd": (323, 282), "perf_event_open": (298, 241), "personality": (135, 92),
    "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "pidfd_open": (434, 434), "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424), "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218),
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "inotify_init1": (294, 26), "fanotify_init": (300, 262),
    "shmget": (29, 194), "shmctl": (31, 195), "shmat": (30, 196), "semget": (64, 190), "semctl": (66, 191),
    "msgget": (68, 186), "msgctl": (71, 187), "mq_open": (240, 180), "mq_unlink": (241, 181), "rt_sigqueueinfo": (129, 138),
    "tgkill": (234, 131), "kcmp": (312, 272), "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265),
    "open_tree": (428, 428), "fsopen": (430, 430), "mount_setattr": (442, 442), "seccomp": (317, 277), "iopl": (172, -1),
    "syslog": (103, 116), "signalfd4": (289, 74), "timerfd_create": (283, 85), "timer_create": (222, 107),
    "openat2": (437, 437), "statx": (332, 291), "getdents64": (217, 61), "ioprio_set": (251, 30), "prlimit64": (302, 261),
    "sched_setaffinity": (203, 122), "landlock_create_ruleset": (444, 444), "modify_ldt": (154, -1), "process_madvise": (440, 440),
    "socketpair": (53, 199), "kexec_load": (246, 104), "finit_module": (313, 273), "swapoff": (168, 225), "quotactl": (179, 60),
    "migrate_pages": (256, 238), "move_pages": (279, 239), "capset": (126, 91), "epoll_create1": (291, 20), "eventfd2": (290, 19),
    "acct": (163, 89), "uselib": (134, -1), "mincore": (27, 232), "vhangup": (153, 58), "set_mempolicy": (238, 237),
    "fstat": (5, 80), "futex": (202, 98), "kill": (62, 129), "gettid": (186, 178), "getpid": (39, 172),
}


def call(name, *args):
    """A system call by name: its result, or minus its errno."""
    number = NUMBERS[name][os.uname().machine == "aarch64"]
    if number < 0:
        return -errno.ENOSYS
    ctypes.set_errno(0)
    plain = [ctypes.c_long(arg) if isinstance(arg, int) else arg for arg in args]
    got = libc.syscall(ctypes.c_long(number), *plain)
    return -ctypes.get_errno() if got == -1 else got
