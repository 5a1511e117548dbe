"""What the site adds to docs/: the reference pages, made from the code, and links to files that lie outside of docs/.

A reference page is written at each build, so it cannot be out of date.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

log = logging.getLogger("mkdocs.hooks.reference")
_LINK = re.compile(r"\[(?P<text>[^\]]+)\]\((?P<to>(?:\.\./)+[^)#\s]+)(?:#[^)]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made from the code."""
    for name, made in (
        ("commands", commands),
        ("charter", charter),
        ("messages", messages),
        ("record", record),
    ):
        files.append(File.generated(config, f"reference/{name}.md", content="\n".join(made())))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """A link to a file of the repository outside of docs/ becomes its path in words; one to no file is a warning."""
    here = Path(config.docs_dir, page.file.src_uri).parent
    root, docs = Path(config.docs_dir).parent, Path(config.docs_dir)

    def told(found: re.Match[str]) -> str:
        target = (here / found["to"]).resolve()
        if target.is_relative_to(docs.resolve()):
            return (
                found[0]
                if not target.is_dir()
                else found[0].replace(found["to"], f"{found['to'].rstrip('/')}/README.md")
            )
        if not target.exists():
            log.warning("%s links to %s, which does not exist", page.file.src_uri, found["to"])
        path = target.relative_to(root.resolve()) if target.is_relative_to(root.resolve()) else found["to"]
        text = found["text"].strip("`")
        return f"`{path}`" if text in str(path) else f"{found['text']} (`{path}`)"

    return _LINK.sub(told, markdown)


# ── pages ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def commands() -> Iterator[str]:
    """Every command, from the parser's own help."""
    from autotelic.cli import app

    yield "# Commands\n\nMade from the command line's parser: what `autotelic COMMAND --help` prints.\n"
    yield from _help(app, ("autotelic",))


def _help(app: Any, path: tuple[str, ...]) -> Iterator[str]:
    from io import StringIO

    from rich.console import Console

    said = StringIO()
    app.help_print(path[1:] and [], console=Console(file=said, width=96, no_color=True))
    yield f"{'#' * min(len(path) + 1, 4)} {' '.join(path)}\n\n```text\n{said.getvalue().strip()}\n```\n"
    for name in app:
        if not name.startswith("-"):
            yield from _help(app[name], (*path, name))


def charter() -> Iterator[str]:
    """Every setting, from the charter's own schema."""
    from autotelic.charter import Charter

    yield "# Charter\n\nMade from the code: every section and key with its default. `autotelic charter show` prints"
    yield "the same with the reason to turn each; [Charters](../charters.md) explains them.\n"
    schema = Charter.model_json_schema()
    whole = Charter()
    for name, field in Charter.model_fields.items():
        value = getattr(whole, name)
        if not hasattr(type(value), "model_fields"):
            yield f"## {name}\n\n{field.description or ''} Default: `{json.dumps(value)}`.\n"
            continue
        part = schema["$defs"].get(type(value).__name__, {})
        yield f"## [{name}]\n\n{part.get('description', '')}\n"
        yield "| key | default | unit | what it does |\n|---|---|---|---|"
        for key, inner in type(value).model_fields.items():
            extra = inner.json_schema_extra if isinstance(inner.json_schema_extra, dict) else {}
            default = getattr(value, key)
            shown = "a table" if hasattr(type(default), "model_fields") else f"`{json.dumps(default)}`"
            yield f"| `{key}` | {shown} | {extra.get('unit', '')} | {_cell(inner.description or '')} |"
        yield ""


def messages() -> Iterator[str]:
    """Every message, from its class."""
    from dataclasses import fields
    from inspect import getdoc

    from autotelic.messages import MESSAGES

    yield "# Messages\n\nMade from the code: what stages pass on and the journal has. `autotelic schema messages`"
    yield "prints the JSON schema. All have `id`, `time` (seconds since the epoch), `generation` and `span`.\n"
    for message in MESSAGES:
        yield f"## {message.kind}\n\n`{message.__name__}`. {getdoc(message) or ''}\n"
        own = [field for field in fields(message) if field.name not in ("id", "time", "generation", "span")]
        if own:
            yield "| field | type |\n|---|---|"
            yield from (f"| `{field.name}` | `{_cell(str(field.type))}` |" for field in own)
            yield ""


def record() -> Iterator[str]:
    """The tables of the journal, from their declaration."""
    from autotelic.record.journal import NAME, VERSION
    from autotelic.record.nouns import TABLES

    yield f"# Record\n\nMade from the code: the tables of `{NAME}`, version {VERSION}, as SQLite has them."
    yield "`autotelic export RUN DEST --parquet` writes each as a file.\n"
    yield "## messages\n\nid, time (seconds since the epoch), generation, kind, span, data (JSON of the others).\n"
    for table, columns in TABLES.items():
        yield f"## {table}\n\n| column | type |\n|---|---|"
        for column in ("row INTEGER", "message INTEGER", "generation INTEGER", *columns):
            name, _, kind = column.partition(" ")
            yield f"| `{name}` | {kind.lower()} |"
        yield ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
