"""`autotelic domain`: a domain of one's own, begun and checked."""

from __future__ import annotations

import json
import keyword
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from autotelic.commands import Json
from autotelic.errors import DomainError

if TYPE_CHECKING:
    from autotelic.domains.registry import Settings

app = App(
    name="domain",
    help="Begin a domain of your own, check one, or serve one to other trainers.",
    help_epilogue="Example: autotelic domain check python",
)
_TEMPLATES = ("domain.py", "test_domain.py", "domain.toml")


@app.command
def check(
    name: str,
    *,
    levels: Annotated[tuple[int, int] | None, Parameter(negative="")] = None,
    style: str = "",
    tasks: int = 32,
    seed: int = 0,
    as_json: Json = False,
) -> int:
    """Try a domain: right answers, garbage, cheaters, guesses, determinism, levels, speed.

    The exit code is 1 where something fails.

    Parameters
    ----------
    name
        A built-in domain, an entry point, PACKAGE:ID, or module:Class.
    levels
        The lowest and the highest; by default up to three.
    style
        compact or natural; by default the first that the domain accepts.
    tasks
        Tasks drawn of each cell.
    seed
        Of the tasks and of the guesses.
    """
    from autotelic.domains import load_domain
    from autotelic.domains.check import check_domain
    from autotelic.sandbox import Limits, Sandbox

    if tasks < 2:
        raise DomainError(f"--tasks {tasks} is too few to compare", "give 2 or more")
    with Sandbox(Limits(wall_s=1.0)) as sandbox:
        wanted: Settings = _Choice(name, (1, 1), style or "compact")
        failure: DomainError | None = None
        for span in [levels] if levels else [(1, 3), (1, 2), (1, 1)]:
            for words in [style] if style else ["compact", "natural"]:
                wanted = _Choice(name, span, words)
                try:
                    domain = load_domain(wanted, sandbox=sandbox)
                except DomainError as error:
                    failure = failure or error
                    continue
                found = check_domain(domain, seed=seed, tasks=tasks)
                break
            else:
                continue
            break
        else:
            assert failure is not None
            raise failure
    bad = sum(finding.ok is False for finding in found)
    if as_json:
        rows = [asdict(finding) for finding in found]
        print(json.dumps({"domain": name, "levels": list(wanted.levels), "findings": rows}, indent=2))
        return 1 if bad else 0
    for finding in found:
        mark = {True: "ok", False: "FAILS", None: "-"}[finding.ok]
        print(f"{mark:<6} {finding.name:<20} {finding.said}")
        if finding.ok is False:
            print(f"       mend: {finding.mend}")
    print(f"{name}: {'all is well' if not bad else f'{bad} to mend'}")
    return 1 if bad else 0


class _Choice:
    """The `[domain]` of a charter that a check stands for."""

    def __init__(self, name: str, levels: tuple[int, int], style: str) -> None:
        self.name, self.levels, self.style = name, levels, style
        self.modes: tuple[str, ...] = ()


@app.command
def serve(
    name: str,
    *,
    levels: Annotated[tuple[int, int], Parameter(negative="")] = (1, 1),
    style: str = "natural",
    host: str = "127.0.0.1",
    port: int = 8000,
    seed: int = 0,
) -> None:
    """Serve a domain as an environment of OpenEnv, for other people's trainers, until Ctrl-C.

    Parameters
    ----------
    name
        A built-in domain, an entry point, PACKAGE:ID, or module:Class.
    levels
        The lowest and the highest that are asked.
    style
        compact or natural.
    host
        The address to listen at. There is no password, so keep it to this machine.
    port
        The port; 0 takes a free one.
    seed
        Of tasks whose client gives no seed.
    """
    from autotelic.domains import load_domain
    from autotelic.domains.adapters.export import Exported
    from autotelic.domains.adapters.openenv_server import serve as serve_openenv
    from autotelic.sandbox import Limits, Sandbox

    with Sandbox(Limits(wall_s=1.0)) as sandbox:
        domain = load_domain(_Choice(name, levels, style), sandbox=sandbox)
        serve_openenv(Exported(domain, seed), host, port)


@app.command
def new(name: str, *, into: Path = Path()) -> None:
    """Write a small domain that works, its tests, and a charter that trains on it.

    Parameters
    ----------
    name
        A Python name in small letters, such as `room`: the files are room.py, test_room.py and room.toml.
    into
        The folder to write into; the current one by default.
    """
    if not (name.isidentifier() and name.isascii() and name.islower()) or keyword.iskeyword(name):
        raise DomainError(
            f"{name!r} cannot be the name of a module", "use small letters, digits and _, such as room"
        )
    from importlib.resources import files

    if not into.is_dir():
        raise DomainError(f"{into} is no folder", "give one that is there")
    paths = {into / template.replace("domain", name): template for template in _TEMPLATES}
    there = [path for path in paths if path.exists()]
    if there:
        raise DomainError(f"{there[0]} exists already", "choose another name, or remove it")
    camel = "".join(part.capitalize() for part in name.split("_"))
    for path, template in paths.items():
        text = (files("autotelic.commands") / "templates" / f"{template}.txt").read_text(encoding="utf-8")
        path.write_text(text.replace("NAME", name).replace("CLASS", camel), encoding="utf-8")
        print(path)
    inside = "" if into.resolve() == Path.cwd() else f"cd {os.fspath(into)} && "
    print(f"try it:   {inside}autotelic domain check {name}:{camel}")
    print(f"train it: {inside}autotelic run {name}.toml --out runs/{name}")
