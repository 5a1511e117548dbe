"""Where a sandbox process begins: `python -s -S -P start.py CONFIG`, jobs on stdin, answers on stdout.

The process that is started stays outside as a guard: it ends what is inside when the engine ends, however the
engine ends. Its one child seals itself, tries every forbidden act, says first what held, and serves.

Not `-I`: that would ignore PYTHONHASHSEED. The environment is made by the engine and holds nothing else.
"""

from __future__ import annotations

import builtins
import contextlib
import gc
import importlib
import json
import marshal
import os
import platform
import random
import select
import signal
import sys
import types
import warnings
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
for _name in ("autotelic", "autotelic.sandbox", "autotelic.sandbox.inside"):
    # These folders' own __init__ must not run here: they import what this process should never hold.
    _package = types.ModuleType(_name)
    _package.__path__ = [HERE]
    sys.modules[_name] = _package

from autotelic.sandbox.inside import acts, compiler, seal  # noqa: E402
from autotelic.sandbox.inside.syscalls import by_ctypes, numbers  # noqa: E402
from autotelic.sandbox.inside.zygote import Zygote  # noqa: E402

READER, WRITER = 3, 4
REHEARSAL = """
def f(x):
    values, table = [x + 1], {}
    for step in range(3):
        values.append(values[-1] * 2 + step)
    for index, word in enumerate("one two one".split()):
        table[word] = table.get(word, 0) + index
    evens = [value // 2 for value in values if value % 2 == 0 and value not in (7, 9)]
    pairs = sorted(zip(values, reversed(values)), key=lambda pair: (-pair[0], pair[1]))
    text = ",".join(str(value) for value in values[1:]).upper() + f"{x}:{1.5 * len(values):.2f}"
    seen = {abs(value) for value in values} | set(text[:2])
    try:
        low = int("x")
    except ValueError:
        low = min(values)
    while low > 1 and isinstance(low, int):
        low -= 1
    rest = [max(evens + [0]), len(seen), low]
    return {"sums": [sum(pair) for pair in pairs], "table": table, "text": text, "rest": rest}
"""
"""What most programs do, to learn which pages most programs touch."""


UNNEEDED = ("_hashlib", "_uuid")
"""What `hashlib` and `uuid` do without: OpenSSL and libuuid, whose mappings every fork would take along."""
PLACES = (
    "executable",
    "_base_executable",
    "prefix",
    "exec_prefix",
    "base_prefix",
    "base_exec_prefix",
    "_stdlib_dir",
)
"""What `sys` says of where on this machine the interpreter lies."""
ZONES = """
UTC GMT Etc/UTC Europe/London Europe/Paris Europe/Berlin Europe/Madrid Europe/Rome Europe/Moscow America/New_York
America/Chicago America/Denver America/Los_Angeles America/Toronto America/Sao_Paulo US/Eastern US/Pacific
Asia/Tokyo Asia/Shanghai Asia/Kolkata Asia/Singapore Asia/Dubai Australia/Sydney Africa/Cairo Pacific/Auckland
"""


def load_core(path: str) -> Any:
    """The C core at `path`, or None for the empty path."""
    if not path:
        return None
    from importlib.machinery import ExtensionFileLoader, ModuleSpec

    loader = ExtensionFileLoader("_core", path)
    core = loader.create_module(ModuleSpec("_core", loader, origin=path))
    loader.exec_module(core)
    return core


def time_zones() -> list[Any]:
    """The zones that programs name most, read while they still can be: `zoneinfo` finds those that are alive."""
    import zoneinfo

    found = []
    for name in ZONES.split():
        with contextlib.suppress(Exception):  # this machine has no such file
            found.append(zoneinfo.ZoneInfo(name))
    return found


class Inmate:
    """What is being sealed, and the record of what held: `facts` what was done, `missing` what was not."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config
        self.ceiling = int(config["ceiling"])
        self.number = os.getpid()  # as seen from outside: unlike the one inside, no other cage has it
        self.facts: dict[str, str] = {}
        self.missing: dict[str, str] = {}
        self.core = load_core(config["core"])
        if self.core is None:
            self.syscall, self.address = by_ctypes()
        else:
            table = numbers()
            self.syscall = lambda name, *arguments: self.core.syscall(table[name], *arguments)
            self.address = self.core.address

    def step(self, name: str, level: int, action: Any) -> None:
        """Take a step if the level asked for has it, and record how it went."""
        if self.ceiling >= level:
            try:
                self.facts[name] = action() or "done"
            except OSError as error:
                self.missing[name] = str(error)

    def leave(self) -> None:
        """Before the fork: the namespaces, which only what is forked afterwards is inside of."""
        self.step("namespaces", 3, lambda: seal.namespaces(self.syscall))

    def prepare(self) -> None:
        """Import everything a candidate may use: nothing can be read from disk once the seal is shut."""
        warnings.simplefilter("ignore")
        if self.config["role"] != "compiler":
            for name in UNNEEDED:  # as if this interpreter had been built without
                sys.modules[name] = None  # type: ignore[assignment]
            for name in self.config["modules"]:
                importlib.import_module(name)
            for name in UNNEEDED:
                del sys.modules[name]
            self.zones = time_zones() if "zoneinfo" in self.config["modules"] else []
            random.seed(int(self.config["seed"]))
        sys.set_int_max_str_digits(0)
        sys.stdin = sys.__stdin__ = None  # type: ignore[misc]
        program = types.ModuleType("candidate")
        vars(program)["__builtins__"] = builtins
        sys.modules["candidate"] = program
        if self.core is not None and self.config["role"] == "zygote":
            limits, seed = self.config["limits"], int(self.config["seed"])
            scan = json.JSONDecoder().scan_once  # type: ignore[attr-defined]
            times = limits["wall_s"], limits["cpu_s"]
            self.core.open(*times, limits["output_kb"], seed, scan, vars(program))
            sys.stdout = sys.__stdout__ = self.core.Printed()  # type: ignore[misc]
            sys.stderr = sys.__stderr__ = self.core.Printed(True)  # type: ignore[misc]
        os.dup2(0, 2)
        self.smaps = os.open("/proc/self/smaps", os.O_RDONLY | os.O_CLOEXEC)
        self.proc = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self.statm = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)

    def image(self) -> str:
        """Make forks cheap; see core/image.h. A machine that cannot is slower, not weaker."""
        code = marshal.dumps(compile(REHEARSAL, "candidate", "exec"))
        # Having changed its uid, the process may not look into its own /proc until it is dumpable again.
        self.syscall("prctl", seal.PR_SET_DUMPABLE, 1, 0, 0, 0)
        gc.collect()
        gc.freeze()
        size, huge, pages = self.core.image(self.smaps, self.proc, code, b"[1]\n[2]")
        return f"{size >> 10} KiB, {huge >> 10} KiB of code on huge pages, {pages} pages at hand"

    def scrub(self, module: types.ModuleType) -> None:
        """Remove what says where on this machine a module came from."""
        for name in ("__file__", "__cached__", "__loader__", "__path__"):
            with contextlib.suppress(AttributeError):
                delattr(module, name)
        with contextlib.suppress(AttributeError):
            module.__spec__ = None

    def shut(self) -> None:
        """Every step, in order; afterwards this process can do nothing but compute, and fork if a zygote."""
        inside = "namespaces" in self.facts
        if inside:
            self.step("empty root", 3, lambda: seal.empty_root(self.syscall))
        if self.ceiling >= 1:
            kept = seal.drop_privileges(self.syscall, self.number)
            self.facts["uid"] = str(os.geteuid())
            if kept:
                self.missing["uid"] = kept
        seal.die_with_parent(self.syscall)
        if self.core is not None and self.config["role"] == "zygote":
            self.step("memory image", 0, self.image)
        os.close(self.smaps)
        os.close(self.proc)
        base = int(os.read(self.statm, 100).split()[0]) * 4096
        os.close(self.statm)
        seal.fixed_limits(self.config["limits"], base + (16 << 20))
        seal.undumpable(self.syscall)
        self.step("landlock", 2, lambda: seal.landlock(self.syscall))
        for name in [
            name for name in sys.modules if name.startswith(("autotelic", "_core", "ctypes", "_ctypes"))
        ]:
            if name not in self.config["modules"]:
                del sys.modules[name]
        for module in list(sys.modules.values()):
            self.scrub(module)
        sys.path[:] = []
        sys.meta_path[:] = []
        sys.path_hooks[:] = []
        sys.path_importer_cache.clear()
        sys.argv[:] = ["candidate"]
        sys.orig_argv[:] = ["candidate"]
        for name in PLACES:
            setattr(sys, name, "")
        self.step(
            "seccomp",
            1,
            lambda: seal.filter_calls(
                self.syscall,
                self.address,
                numbers(),
                platform.machine(),
                forks=self.config["role"] != "compiler",
            ),
        )


def prove(inmate: Inmate, zygote: Zygote) -> list[str]:
    """The forbidden acts that work in a process forked as a candidate's is."""

    def body() -> None:
        zygote.confine()
        report = json.dumps(acts.attempt(inmate.syscall)).encode()
        zygote.page[16 : 16 + len(report)] = report
        zygote.page[0:4] = len(report).to_bytes(4, "little")
        os._exit(0)

    pid, pidfd = zygote.fork(body)
    os.waitpid(pid, 0)
    os.close(pidfd)
    size = int.from_bytes(zygote.page[0:4], "little")
    worked: list[str] = json.loads(zygote.page[16 : 16 + size])
    zygote.page[0:4096] = bytes(4096)
    return worked


def forker(inmate: Inmate, role: str) -> Zygote | None:
    """What forks the programs of a role, if it runs any."""
    limits = inmate.config["limits"]
    if role == "pair":
        from autotelic.sandbox.inside.pair import Pairs

        return Pairs(inmate.syscall, limits, READER, tuple(inmate.config["modules"]))
    return Zygote(inmate.syscall, limits, READER) if role == "zygote" else None


def live(inmate: Inmate) -> None:
    """The life of the process inside: prepare, seal, prove, serve."""
    inmate.prepare()
    role = inmate.config["role"]
    zygote = forker(inmate, role)
    inmate.shut()
    worked = []
    if inmate.ceiling >= 1:
        worked = prove(inmate, zygote) if zygote else acts.attempt(inmate.syscall)
    gc.collect()
    gc.freeze()
    hello = {
        "facts": inmate.facts,
        "missing": inmate.missing,
        "worked": worked,
        "core": inmate.core is not None and role != "pair",
    }
    say(hello)
    if zygote and inmate.core is not None and role == "zygote":
        zygote.close()
        inmate.core.serve(READER, WRITER)
    elif zygote:
        zygote.serve(WRITER)
    else:
        compiler.serve(READER, WRITER)


def say(greeting: dict[str, Any]) -> None:
    """The first frame: what the engine learns about this process before it trusts it with a program."""
    body = json.dumps(greeting).encode()
    os.write(WRITER, len(body).to_bytes(4, "little") + body)


def guard(child: int, engine: int) -> int:
    """Wait for the child's end, the engine's end or a SIGTERM; then end and bury the child.

    Not PR_SET_PDEATHSIG: that would fire when the engine's *thread* that opened the sandbox ends.
    """
    os.closerange(READER, 256)
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    signal.set_wakeup_fd(tell)
    signal.signal(signal.SIGTERM, lambda *_: None)
    inside, poll = os.pidfd_open(child), select.poll()
    poll.register(inside, select.POLLIN)
    poll.register(told, select.POLLIN)
    with contextlib.suppress(ProcessLookupError):  # the engine may be gone already
        poll.register(os.pidfd_open(engine), select.POLLIN)
        if os.getppid() == engine:
            poll.poll()
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(inside, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) & 0xFF


def main() -> None:
    config = json.loads(sys.argv[1])
    # Off the standard descriptors, which a candidate keeps, as /dev/null.
    for old, new in ((0, READER), (1, WRITER)):
        os.dup2(old, new, inheritable=False)
    null = os.open(os.devnull, os.O_RDWR)  # not before: it could be given the number of one of those
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.close(null)
    if config["cpu"] is not None:
        os.sched_setaffinity(0, {config["cpu"]})
    inmate = Inmate(config)
    inmate.leave()
    child = os.fork()
    if child:
        os._exit(guard(child, config["engine"]))
    code = 70
    try:
        live(inmate)
        code = 0
    except Exception as error:
        say({"error": f"{type(error).__name__}: {error}"})
    finally:
        os._exit(code)


main()
