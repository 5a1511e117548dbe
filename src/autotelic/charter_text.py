"""A charter as text: reading TOML, saying what is wrong with it, and writing it with its comments.

Everything here works from the charter's JSON schema, so that a new knob needs no line in this file.
"""

from __future__ import annotations

import json
import textwrap
import tomllib
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from autotelic.errors import CharterError

Schema = Mapping[str, Any]

_NOUNS = {"integer": "an integer", "number": "a number", "string": "text", "boolean": "true or false"}
_SHOWN = "`autotelic charter show` prints one that is right"


def read(path: Path) -> dict[str, Any]:
    """The tables of a TOML file. Raises `CharterError` when there is no such text."""
    try:
        text = path.read_bytes().decode()
    except FileNotFoundError:
        raise CharterError(f"{path} does not exist", "give the path of a charter, or none") from None
    except IsADirectoryError:
        raise CharterError(f"{path} is a folder", "give the path of a charter, a TOML file") from None
    except UnicodeDecodeError as error:
        raise CharterError(
            f"{path} is not UTF-8 text (byte {error.start} is {error.object[error.start]:#04x})",
            "save it as UTF-8; a charter is a TOML file",
        ) from None
    except OSError as error:
        raise CharterError(f"{path} cannot be read: {error.strerror}", "check its permissions") from None
    try:
        # A byte order mark is what some editors put before UTF-8; TOML has no place for it.
        values = tomllib.loads(text.removeprefix("\ufeff"))
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise CharterError(f"{path} is not TOML: {error}", f"correct it; {_SHOWN}") from None
    if not values:
        raise CharterError(f"{path} is empty", f"write at least a purpose, or give no charter; {_SHOWN}")
    return values


def problems(error: ValidationError, schema: Schema, where: str) -> list[CharterError]:
    """One line of cause and fix for each thing that pydantic found, in the order of the charter."""
    return [_problem(detail, schema, where) for detail in error.errors()]


def render(values: Mapping[str, Any], schema: Schema) -> str:
    """TOML with a comment for each key: why one would turn it, its unit, its range, who reads it."""
    lines: list[str] = []
    for key, value in values.items():
        place = _resolve(schema, (key,))
        if isinstance(value, dict):
            lines += [*_comment(place.get("description", "")), f"[{key}]"]
            for name, inner in value.items():
                lines += [*_comment(_about(_resolve(schema, (key, name)))), f"{name} = {toml_value(inner)}"]
        else:
            lines += [*_comment(_about(place)), f"{key} = {toml_value(value)}"]
        lines.append("")
    return "\n".join(lines)


def toml_value(value: Any) -> str:
    """A scalar or a list as TOML writes it. JSON's words are TOML's, except that DEL is escaped."""
    if isinstance(value, list):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _problem(detail: ErrorDetails, schema: Schema, where: str) -> CharterError:
    path = tuple(part for part in detail["loc"] if isinstance(part, str))
    key = ".".join(path)
    if detail["type"] == "extra_forbidden":
        near = _nearest(path, isinstance(detail["input"], dict), schema)
        return CharterError(f"{where}: {key} is no key of the charter", f"the nearest is {near}")
    if detail["type"] == "value_error":  # a check of our own, which names its keys and its fix
        cause, _, fix = str(detail["ctx"]["error"]).partition("; ")
        return CharterError(f"{where}: {cause}", fix)
    place = _resolve(schema, path)
    got = json.dumps(detail["input"], default=str, ensure_ascii=False)
    got = got if len(got) <= 60 else got[:57] + "..."
    if "properties" in place:
        return CharterError(f"{where}: {key} = {got}, expected a table", f"write its keys under [{key}]")
    if len(detail["loc"]) > len(path):
        got = f"{got} in its list"
    return CharterError(
        f"{where}: {key} = {got}, expected {_expected(place)}",
        f"the default is {toml_value(place['default'])}: {place['description']}",
    )


def _nearest(path: tuple[str, ...], is_table: bool, schema: Schema) -> str:
    """The key most like an unknown one; a misspelling in the right section beats a likeness in another."""

    def likeness(candidate: tuple[str, ...]) -> float:
        ratio = SequenceMatcher(None, path[-1].lower(), candidate[-1].lower()).ratio()
        return ratio + 0.3 * (path[:-1] == candidate[:-1])

    best = max((k for k in _keys(schema) if (len(k) == 1 and _is_table(schema, k)) == is_table), key=likeness)
    return f"[{best[0]}]" if is_table else ".".join(best)


def _keys(schema: Schema) -> Iterator[tuple[str, ...]]:
    for key in schema["properties"]:
        yield (key,)
        if _is_table(schema, (key,)):
            yield from ((key, name) for name in _resolve(schema, (key,))["properties"])


def _is_table(schema: Schema, path: tuple[str, ...]) -> bool:
    return "properties" in _resolve(schema, path)


def _resolve(schema: Schema, path: tuple[str, ...]) -> Schema:
    """The schema of the key at `path`, its reference followed."""
    place = schema
    for name in path:
        place = place["properties"][name]
        if "$ref" in place:
            place = schema["$defs"][place["$ref"].rsplit("/", 1)[1]]
    return place


def _expected(place: Schema) -> str:
    """What a value may be, in words: `an integer, 2 to 1024`."""
    if "enum" in place:
        return _range(place)
    if "prefixItems" in place:
        return f"a list of {len(place['prefixItems'])}, each {_expected(place['prefixItems'][0])}"
    if place["type"] == "array":
        least = f"{place['minItems']} or more of " if "minItems" in place else ""
        return f"a list of {least}{_expected(place['items'])}"
    return ", ".join(filter(None, (_NOUNS[place["type"]], _range(place))))


def _range(place: Schema) -> str:
    """The bounds alone: `2 to 1024`, `above 0, at most 1`, `1 or more`; empty where there are none."""
    if "enum" in place:
        return " or ".join(map(toml_value, place["enum"]))
    if "prefixItems" in place:
        return _range(place["prefixItems"][0])
    if place.get("minLength"):
        return "not empty"
    low, high = place.get("minimum"), place.get("maximum")
    if low is not None and high is not None:
        return f"{low} to {'2**53' if high == 2**53 else high}"
    bounds = [] if low is None else [f"{low} or more"]
    bounds += [
        f"{word} {place[name]}"
        for name, word in (
            ("exclusiveMinimum", "above"),
            ("maximum", "at most"),
            ("exclusiveMaximum", "below"),
        )
        if name in place
    ]
    return ", ".join(bounds)


def _about(place: Schema) -> str:
    return ": ".join(filter(None, (place["description"], _range(place).replace(" to 2**53", " or more"))))


def _comment(text: str) -> list[str]:
    return textwrap.wrap(" ".join(text.split()), 108, initial_indent="# ", subsequent_indent="# ")
