"""Levels are what was proved, and a machine that gives less is refused by name."""

import os
import sys
from typing import Any

import pytest

from autotelic.errors import SandboxError
from autotelic.sandbox import Limits, Sandbox
from autotelic.sandbox.inside import seccomp
from autotelic.sandbox.inside.syscalls import AUDIT_ARCH, numbers
from autotelic.sandbox.level import demand, verified

FULL = {"seccomp": "done", "landlock": "Landlock 7", "namespaces": "as root", "empty root": "done"}


def greeting(*without: str, worked: tuple[str, ...] = ()) -> dict[str, Any]:
    facts = {name: text for name, text in FULL.items() if name not in without}
    return {
        "facts": facts,
        "missing": dict.fromkeys(without, "refused"),
        "worked": list(worked),
        "core": True,
    }


@pytest.mark.parametrize(
    ("without", "level"),
    [((), 3), (("empty root",), 2), (("namespaces", "empty root"), 2), (("landlock",), 1), (("seccomp",), 0)],
)
def test_a_level_needs_every_layer_below_it(without: tuple[str, ...], level: int) -> None:
    assert verified(greeting(*without)).number == level


def test_an_act_that_worked_leaves_no_level_at_all() -> None:
    assert str(verified(greeting(worked=("fork",)))) == "L0"


def test_a_refusal_names_what_is_missing_and_how_to_get_it() -> None:
    level = verified(greeting("landlock", "namespaces", "empty root"))
    demand(level, 1, 3)
    with pytest.raises(SandboxError, match=r"L2 is required and this machine gives L1.*landlock.*lsm="):
        demand(level, 2, 3)


def test_a_ceiling_below_what_is_required_is_refused() -> None:
    with pytest.raises(SandboxError, match="ceiling"):
        Sandbox(workers=1, require="L2", ceiling="L1")


@pytest.mark.parametrize("name", ["L4", "", "2", "l3"])
def test_an_unknown_level_is_refused(name: str) -> None:
    with pytest.raises(SandboxError, match="level is"):
        Sandbox(workers=1, require=name)


@pytest.mark.parametrize("ceiling", ["L1", "L2", "L3"])
@pytest.mark.parametrize("core", [False, True])
def test_each_level_runs_programs(ceiling: str, core: bool) -> None:
    with Sandbox(Limits(wall_s=5.0, cpu_s=5.0), workers=1, require="L0", ceiling=ceiling, core=core) as box:
        assert str(box.level) <= ceiling
        assert box.run("def f(x): return [x]", entry="f", inputs=[[1]]).outputs == ("[1]",)


class Machine:
    """Runs classic BPF as the kernel does: enough of it for the filter."""

    def __init__(self, code: bytes) -> None:
        self.code = [
            (int.from_bytes(code[at : at + 2], "little"), code[at + 2], code[at + 3],
             int.from_bytes(code[at + 4 : at + 8], "little"))
            for at in range(0, len(code), 8)
        ]  # fmt: skip

    def judge(self, number: int, *arguments: int, arch: int = AUDIT_ARCH["x86_64"]) -> int:
        data = number.to_bytes(4, "little") + arch.to_bytes(4, "little") + bytes(8)
        data += b"".join((a & (1 << 64) - 1).to_bytes(8, "little") for a in (*arguments, *[0] * 6)[:6])
        at = value = 0
        while True:
            kind, true, false, constant = self.code[at]
            at += 1
            if kind == seccomp.RETURN:
                return constant
            if kind == seccomp.LOAD:
                value = int.from_bytes(data[constant : constant + 4], "little")
                continue
            holds = {
                seccomp.JUMP_EQUAL: value == constant,
                seccomp.JUMP_AT_LEAST: value >= constant,
                seccomp.JUMP_ANY_BIT: bool(value & constant),
            }[kind]
            at += true if holds else false


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_allows_only_its_list(machine: str) -> None:
    table, arch = numbers(machine), AUDIT_ARCH[machine]
    judge = Machine(seccomp.program(table, machine, forks=True)).judge
    allowed = {table[name] for name in seccomp.PLAIN.split() if name in table}
    conditional = {table[name] for name in (*seccomp.CONDITIONAL, *seccomp.ZYGOTE_ONLY)}
    for number in range(600):
        if number not in conditional:
            verdict = judge(number, arch=arch)
            assert verdict == (seccomp.ALLOW if number in allowed else seccomp.REFUSE), number
    assert judge(table["read"], arch=0) == seccomp.KILL


@pytest.mark.parametrize(
    ("name", "arguments", "allowed"),
    [
        ("mmap", (0, 4096, 3, 0x22, -1, 0), True),
        ("mmap", (0, 4096, 7, 0x22, -1, 0), False),
        ("mprotect", (0, 4096, 4), False),
        ("clone", (seccomp.FORK_FLAGS,), True),
        ("clone", (17,), False),
        ("clone", (seccomp.FORK_FLAGS | 1 << 32,), False),
        ("prlimit64", (0, 9), True),
        ("prlimit64", (1, 9), False),
        ("prlimit64", (1 << 32, 9), False),
        ("prctl", (1, 9), True),
        ("prctl", (1, 0), False),
        ("prctl", (4, 1), False),
        ("pidfd_send_signal", (5, 9, 0, 0), True),
        ("pidfd_send_signal", (-10000, 9, 0, 0), False),
        ("pidfd_send_signal", (5, 19, 0, 0), False),
        ("pidfd_send_signal", (5, 9, 0, 4), False),
    ],
)
def test_the_filter_looks_at_arguments(name: str, arguments: tuple[int, ...], allowed: bool) -> None:
    table = numbers("x86_64")
    judge = Machine(seccomp.program(table, "x86_64", forks=True)).judge
    assert (judge(table[name], *arguments) == seccomp.ALLOW) is allowed


def test_only_a_zygote_may_fork() -> None:
    table = numbers("x86_64")
    judge = Machine(seccomp.program(table, "x86_64", forks=False)).judge
    assert judge(table["clone"], seccomp.FORK_FLAGS) == seccomp.REFUSE


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root has a uid to give up")
def test_root_is_given_up() -> None:
    with Sandbox(workers=1) as box:
        assert int(box.level.facts["uid"]) != 0
