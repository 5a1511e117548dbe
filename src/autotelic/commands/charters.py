"""`autotelic charter`: what a human decides, shown, checked and described."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from cyclopts import App

from autotelic.commands import Json

app = App(name="charter", help="Show, check or describe charters.")


@app.command
def show(charter: Path | None = None, *, as_json: Json = False) -> None:
    """Print a charter with everything it leaves out filled in, as commented TOML.

    Parameters
    ----------
    charter
        A TOML file; none means the built-in default.
    """
    from autotelic.charter import Charter

    given = Charter.load(charter)
    print(json.dumps({"digest": given.digest, **given.canonical()}, indent=2) if as_json else given.toml())


@app.command
def check(charter: Path, *, as_json: Json = False) -> int:
    """Say everything that is wrong with a charter, a line each; the exit code is 2 if anything is.

    Parameters
    ----------
    charter
        A TOML file.
    """
    from autotelic.charter import Charter
    from autotelic.charter import check as problems_of

    problems = problems_of(charter)
    digest = "" if problems else Charter.load(charter).digest
    if as_json:
        told = [{"cause": problem.cause, "fix": problem.fix} for problem in problems]
        print(json.dumps({"digest": digest or None, "problems": told}, indent=2))
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
