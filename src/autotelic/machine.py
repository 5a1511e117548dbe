"""What belongs to the machine and not to the charter: how many threads, how many workers, which server.

It is recorded, and it is outside the charter's digest: the same charter names the same run on any machine. It
comes from the command line or from a TOML file:

    threads = 2
    workers = 4
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import ValidationError, model_validator

from autotelic import charter_text
from autotelic.charter import Charter
from autotelic.errors import CharterError
from autotelic.settings import Section, knob

FILE = Path("machine.toml")
"""Read from the current folder when no other file is named."""


class Machine(Section):
    """The settings of one machine. See docs/charters.md."""

    threads: int = knob(
        0, "threads", "models", "As many give the same bits again. 0 is that of the cores.", ge=0, le=1024
    )
    workers: int = knob(
        2, "processes", "sandbox", "Programs run at once. Raise it to the number of cores.", ge=1, le=1024
    )
    server: str = knob(
        "", "address", "models", "A server that samples, or several with commas. Empty samples here."
    )
    checkpointing: bool = knob(
        False, "yes or no", "learn", "Activations are computed twice. Set it where memory is short."
    )
    verifier: Literal["auto", "math-verify", "none"] = knob(
        "auto",
        "name",
        "domains",
        "A second reader of mathematical answers. auto takes it where it is installed.",
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = knob(
        "cpu", "name", "models", "What the model computes on. auto takes a GPU where torch finds one."
    )
    engine: Literal["local", "ray"] = knob(
        "local", "name", "engine", "Where stages run: this process, or the workers of a Ray cluster."
    )
    address: str = knob(
        "", "address", "engine", "The head of a Ray cluster (host:port), or auto. Empty starts Ray here."
    )
    samplers: int = knob(
        1,
        "workers",
        "engine",
        "Workers of a cluster that sample. They share out `threads` parts.",
        ge=1,
        le=4096,
    )
    judges: int = knob(
        1, "workers", "engine", "Workers of a cluster that judge, a sandbox each.", ge=1, le=4096
    )
    auditors: tuple[str, ...] = knob(
        (), "names", "oversee", "Who must approve: exam, rate, safety, module:Class. Empty is exam and rate."
    )
    overseer: str = knob("", "address", "oversee", "Somebody else's. Empty starts a child of the run.")
    brake: str = knob(
        "", "public key", "oversee", "Of that overseer, as `autotelic auditor --keys` prints it."
    )
    pinned: str = knob("", "file", "oversee", "The certificate of an overseer at an https address, in PEM.")

    @model_validator(mode="after")
    def _server_is_an_address(self) -> Self:
        for one in self.server.split(",") if self.server else ():
            if not one.strip().startswith(("http://", "https://")):
                raise ValueError(f"server = {one.strip()!r} is no address; write http://127.0.0.1:8000/v1")
        return self

    @model_validator(mode="after")
    def _address_is_of_a_cluster(self) -> Self:
        if self.address and self.engine == "local":
            raise ValueError(f'address = {self.address!r} is of a Ray cluster; write engine = "ray" too')
        return self

    @model_validator(mode="after")
    def _overseer_is_known(self) -> Self:
        if bool(self.overseer) != bool(self.brake):
            raise ValueError(
                "overseer and brake are of one overseer, and one of them is missing; give its address and its key"
            )
        if self.overseer and self.auditors:
            raise ValueError(
                "auditors are those of a child, and overseer is somebody else's; give one of the two"
            )
        return self

    @classmethod
    def load(cls, path: str | Path | None = None, overrides: Mapping[str, Any] | None = None) -> Machine:
        """The machine of a TOML file, with what the command line gave in `overrides` in its place.

        Without a path it reads `machine.toml` in the current folder, if there is one. An override of None was
        not given. Raises `CharterError` on the first problem.
        """
        file = FILE if path is None and FILE.is_file() else path
        values = {} if file is None else charter_text.read(Path(file), "machine.toml")
        machine = cls.of(values, where="the machine" if file is None else str(file))
        given = {key: value for key, value in (overrides or {}).items() if value is not None}
        return cls.of({**machine.canonical(), **given}, where="the command line") if given else machine

    @classmethod
    def of(cls, values: Mapping[str, Any], where: str = "the machine") -> Machine:
        """The machine that these values spell; `where` is what an error calls them."""
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            raise charter_text.problems(error, schema(), where)[0] from None


def fits(machine: Machine, charter: Charter) -> None:
    """Raises `CharterError` where a run of this charter cannot be had on this machine."""
    if machine.server and not charter.model.lora_rank:
        raise CharterError(
            f"server = {machine.server!r} needs an adapter after each update; model.lora_rank = 0 makes none",
            "set model.lora_rank = 16 in the charter, or sample without a server",
        )


@cache
def schema() -> dict[str, Any]:
    """The JSON schema of a machine. Shared: not to be changed."""
    return Machine.model_json_schema()
