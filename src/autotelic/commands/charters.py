"""`autotelic charter`: what a human decides, shown, checked and described."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from autotelic.commands import Json

if TYPE_CHECKING:
    from autotelic.errors import AutotelicError

app = App(
    name="charter",
    help="Show, check or describe charters.",
    help_epilogue="Example: autotelic charter show > mine.toml",
)


@app.command
def show(
    charter: Path | None = None,
    *,
    whole: Annotated[bool, Parameter(name="--all", negative="")] = False,
    as_json: Json = False,
) -> None:
    """Print a charter with everything it leaves out filled in, as commented TOML.

    Parameters
    ----------
    charter
        A TOML file; none means the built-in default.
    whole
        Show rare settings that have their default too, and the sizes of `tiny` for other models.
    """
    from autotelic.charter import Charter

    given = Charter.load(charter)
    if as_json:
        print(json.dumps({"digest": given.digest, **given.canonical()}, indent=2))
        return
    print(given.toml(whole=whole))
    if not whole and (hidden := given.hidden()):
        place = "" if charter is None else f" {charter}"
        print(f"# {len(hidden)} settings are hidden; see them with: autotelic charter show{place} --all")


@app.command
def check(charter: Path, *, as_json: Json = False) -> int:
    """Say everything that is wrong with a charter, a line each; the exit code is 2 if anything is.

    That its domain, modes, levels and model are here is part of it. Nothing is written or trained.

    Parameters
    ----------
    charter
        A TOML file.
    """
    from autotelic.charter import Charter
    from autotelic.charter import check as misspelt
    from autotelic.commands.preflight import problems_of

    problems: list[AutotelicError] = [*misspelt(charter)]
    if not problems:
        problems = problems_of(Charter.load(charter))
    digest = "" if problems else Charter.load(charter).digest
    if as_json:
        found = [{"cause": problem.cause, "fix": problem.fix} for problem in problems]
        print(json.dumps({"digest": digest or None, "problems": found}, indent=2))
    else:
        for problem in problems:
            print(f"autotelic: {problem}", file=sys.stderr)
        if not problems:
            print(f"{charter} is right: {digest}")
    return 2 if problems else 0


@app.command
def schema() -> None:
    """Print the JSON schema of a charter, for editors that complete and check TOML."""
    from autotelic.charter import schema as schema_of

    print(json.dumps(schema_of(), indent=2))
