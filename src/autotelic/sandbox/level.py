"""`Level`: what isolation is in force, as the sealed processes proved it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from autotelic.errors import SandboxError

LAYERS: dict[int, tuple[str, ...]] = {1: ("seccomp",), 2: ("landlock",), 3: ("namespaces", "empty root")}
"""What each level adds to the one below."""
REMEDY = {
    "seccomp": "use a Linux kernel with CONFIG_SECCOMP_FILTER, and a container runtime that lets it be used",
    "landlock": "use Linux 5.13 or newer with `landlock` among the lsm= of the kernel command line",
    "namespaces": (
        "allow user namespaces (sysctl kernel.unprivileged_userns_clone=1, "
        "kernel.apparmor_restrict_unprivileged_userns=0, user.max_user_namespaces>0; in a container, "
        "--security-opt seccomp=unconfined or --cap-add SYS_ADMIN)"
    ),
    "empty root": "allow mounts in the namespace (in a container, --security-opt apparmor=unconfined)",
    "uid": "run as a user other than root, or keep CAP_SETUID and CAP_SETGID",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """The verified level and its evidence; `str` gives `L3` .. `L0`.

    `facts` is what was sealed and how, `missing` what could not be and why, `worked` the forbidden acts that
    nevertheless worked when tried from the inside. `core` is whether the C core serves.
    """

    number: int
    facts: Mapping[str, str] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    worked: tuple[str, ...] = ()
    core: bool = False

    def __str__(self) -> str:
        return f"L{self.number}"


def parse(name: str) -> int:
    """3 for `L3`."""
    if name not in ("L0", "L1", "L2", "L3"):
        raise SandboxError(f"level is {name!r}", 'give "L3", "L2", "L1" or "L0"')
    return int(name[1])


def verified(greeting: Mapping[str, Any]) -> Level:
    """The level that a process's own greeting bears out."""
    facts, worked = greeting["facts"], tuple(greeting["worked"])
    number = 0
    if not worked:
        for level, layers in LAYERS.items():
            if not all(layer in facts for layer in layers):
                break
            number = level
    return Level(
        number=number, facts=facts, missing=greeting["missing"], worked=worked, core=greeting["core"]
    )


def demand(level: Level, require: int, ceiling: int) -> None:
    """Raise, naming what is missing and how to get it, if `level` is below what is required."""
    if level.number >= require:
        return
    if ceiling < require:
        raise SandboxError(f"L{require} is required and at most L{ceiling} was allowed", "raise the ceiling")
    lacks = [f"{name} ({why})" for name, why in level.missing.items()]
    lacks += [f"`{act}` worked inside" for act in level.worked]
    remedies = [REMEDY[name] for name in level.missing if name in REMEDY]
    if "fork" in level.worked:  # root is exempt from the limit that forbids it
        remedies.insert(0, REMEDY["uid"])
    raise SandboxError(
        f"L{require} is required and this machine gives {level}: {'; '.join(lacks) or 'nothing was sealed'}",
        "; ".join([*remedies, "or accept less with `require`, or run the whole engine in a virtual machine"]),
    )
