"""Settings as text: reading TOML, saying what is wrong with it, and writing it with its comments.

Everything here works from the JSON schema of a charter or of a machine, so that a new setting needs no line
in this file. A setting that goes needs one in `RENAMED`.
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

LARGEST = 1 << 20
"""Bytes of a file of settings: whole charters have ten thousand. `/dev/zero` has no end."""
SHOWN = "`autotelic charter show` prints one that is right"
_NOUNS = {"integer": "an integer", "number": "a number", "string": "text", "boolean": "true or false"}
_CONTROLS = "controls belong to `python -m bench.controls`"
RENAMED: Mapping[str, tuple[str | None, str]] = {
    "gate.level": (
        "gate.alpha",
        "a gate certifies what is better now: give the chance of a false certificate",
    ),
    "model.width": ("model.tiny.width", "write width under [model.tiny]"),
    "model.depth": ("model.tiny.depth", "write depth under [model.tiny]"),
    "model.heads": ("model.tiny.heads", "write heads under [model.tiny]"),
    "model.context": (
        "model.tiny.context",
        "write context under [model.tiny]; the context of other models is their own",
    ),
    "model.vocabulary": ("model.tiny.vocabulary", "write vocabulary under [model.tiny]"),
    "model.checkpointing": (
        None,
        "it belongs to the machine: give --checkpointing, or set it in machine.toml",
    ),
    "model.server": (None, "it belongs to the machine: give --server, or set it in machine.toml"),
    "model.from": (None, "give the folder on the command line: autotelic run --from FOLDER"),
    "roles.repair_turns": ("repair.share", "repair takes up to 3 turns; set repair.share = 0 for none"),
    "roles.proposer_temperature": ("roles.temperature", "proposer, solver and exam share one temperature"),
    "roles.solver_temperature": ("roles.temperature", "proposer, solver and exam share one temperature"),
    "feedback.shuffle": (None, _CONTROLS),
    "feedback.baseline": (None, _CONTROLS),
    "feedback.critic_width": (None, "leave it out; the critic has one size"),
    "feedback.critic_lr": (None, "leave it out; the critic has one learning rate"),
    "feedback.max_ece": ("feedback.trust", "the largest ECE is (1 - trust) / 3; 0.7 allows 0.1"),
    "feedback.min_auroc": ("feedback.trust", "it is the least AUROC, and also bounds the ECE"),
    "curriculum.retention": ("curriculum.spread", "write retention + explore; each is half of it"),
    "curriculum.explore": ("curriculum.spread", "write retention + explore; each is half of it"),
    "curriculum.cluster_quota": (None, "leave it out; at most a quarter of the tasks may behave alike"),
    "curriculum.drafted": ("repair.share", "write share under [repair]"),
    "curriculum.unlock": ("curriculum.mastery", "all levels are open from the start; mastery opens modes"),
    "curriculum.lead": ("curriculum.mastery", "it has the same meaning"),
    "learn.momentum": (None, "leave it out; the momentum of muon is 0.8"),
    "learn.warmup_steps": (None, "leave it out; the learning rate rises over the first 20 updates"),
    "learn.clip_low": ("learn.clip", "the ratio is clipped at 1 - clip and 1 + 1.4 clip"),
    "learn.clip_high": ("learn.clip", "the ratio is clipped at 1 - clip and 1 + 1.4 clip"),
    "learn.normalise": (None, "leave it out; every token counts alike"),
    "learn.anchor_every": (None, "leave it out; the reference policy is the champion"),
    "learn.max_grad_norm": (None, "leave it out; gradients longer than 1 are scaled down to it"),
    "exam.temperature": ("roles.temperature", "proposer, solver and exam share one temperature"),
    "exam.free_answers": (None, "leave it out; 64 answers are tried at each item"),
    "limits.wall_s": ("limits.seconds", "it limits wall time and processor time alike"),
    "limits.cpu_s": ("limits.seconds", "it limits wall time and processor time alike"),
    "limits.output_kb": (None, "leave it out; 64 KiB of output are read"),
    "limits.workers": (None, "it belongs to the machine: give --workers, or set it in machine.toml"),
    "budget.threads": (None, "it belongs to the machine: give --threads, or set it in machine.toml"),
}
"""Settings that charters had once: the one that says it now, or None, and what to write instead."""


def read(path: Path, what: str) -> dict[str, Any]:
    """The tables of a TOML file that spells `what`. Raises `CharterError` when there is no such text."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise CharterError(
                f"{path} is larger than {LARGEST >> 10} KiB", f"give the path of a {what}, a TOML file"
            )
        text = content.decode()
    except FileNotFoundError:
        raise CharterError(f"{path} does not exist", f"give the path of a {what}, or none") from None
    except IsADirectoryError:
        raise CharterError(f"{path} is a folder", f"give the path of a {what}, a TOML file") from None
    except UnicodeDecodeError as error:
        raise CharterError(
            f"{path} is not UTF-8 text (byte {error.start} is {error.object[error.start]:#04x})",
            f"save it as UTF-8; a {what} is a TOML file",
        ) from None
    except OSError as error:
        raise CharterError(f"{path} cannot be read: {error.strerror}", "check its permissions") from None
    try:
        # A byte order mark is what some editors put before UTF-8; TOML has no place for it.
        return tomllib.loads(text.removeprefix("\ufeff"))
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        fix = f"correct it; {SHOWN}" if what == "charter" else "correct it"
        raise CharterError(f"{path} is not TOML: {error}", fix) from None


def problems(error: ValidationError, schema: Schema, where: str) -> list[CharterError]:
    """One line of cause and fix for each thing that pydantic found, in the order of the schema."""
    return [_problem(detail, schema, where) for detail in error.errors()]


def summary(found: list[CharterError]) -> CharterError:
    """The first of several problems, with how many more there are."""
    first, more = found[0], len(found) - 1
    if not more:
        return first
    return CharterError(first.cause, f"{first.fix} (and {more} more: `autotelic charter check` lists them)")


def render(values: Mapping[str, Any], schema: Schema, hidden: frozenset[str] = frozenset()) -> str:
    """TOML with a comment for each key: why one would turn it, its unit, its range, who reads it.

    The keys in `hidden` (`learn.clip`) are left out, and so are tables of which nothing is left.
    """
    return "\n".join(_lines(values, schema, hidden, ""))


def flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """Every setting by its dotted key."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        found |= (
            {f"{key}.{k}": v for k, v in flat(value).items()} if isinstance(value, dict) else {key: value}
        )
    return found


def resolve(schema: Schema, key: str) -> Schema:
    """The schema of the setting or table of a dotted key, its reference followed."""
    place = schema
    for name in key.split(".") if key else ():
        place = place["properties"][name]
        if "$ref" in place:
            place = schema["$defs"][place["$ref"].rsplit("/", 1)[1]]
    return place


def toml_value(value: Any) -> str:
    """A scalar or a list as TOML writes it. JSON's words are TOML's, except that DEL is escaped."""
    if isinstance(value, list):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _lines(values: Mapping[str, Any], schema: Schema, hidden: frozenset[str], table: str) -> Iterator[str]:
    keys = {name: f"{table}.{name}" if table else name for name in values}
    tables = [name for name, value in values.items() if isinstance(value, dict)]
    shown = [name for name in values if name not in tables and keys[name] not in hidden]
    if shown and table:
        yield from _comment(resolve(schema, table)["description"])
        yield f"[{table}]"
    for name in shown:
        yield from _comment(_about(resolve(schema, keys[name])))
        yield f"{name} = {toml_value(values[name])}"
        if not table:
            yield ""
    if shown and table:
        yield ""
    for name in tables:  # after the settings, which TOML would take for those of the last table
        yield from _lines(values[name], schema, hidden, keys[name])


def _problem(detail: ErrorDetails, schema: Schema, where: str) -> CharterError:
    path = tuple(part for part in detail["loc"] if isinstance(part, str))
    key = ".".join(path)
    if detail["type"] == "extra_forbidden":
        if schema["title"] == "Charter" and key in RENAMED:
            return _renamed(key, where)
        near = _nearest(path, isinstance(detail["input"], dict), schema)
        return CharterError(
            f"{where}: {key} is no key of the {schema['title'].lower()}", f"the nearest is {near}"
        )
    if detail["type"] == "value_error":  # a check of our own, which names its keys and its fix
        cause, _, fix = str(detail["ctx"]["error"]).partition("; ")
        return CharterError(f"{where}: {cause}", fix)
    place = resolve(schema, key)
    got = json.dumps(detail["input"], default=str, ensure_ascii=False)
    got = got if len(got) <= 60 else got[:57] + "..."
    if "properties" in place:
        return CharterError(f"{where}: {key} = {got}, expected a table", f"write its keys under [{key}]")
    if len(detail["loc"]) > len(path):
        got = f"{got} in its list"
    default = place.get("follows") or toml_value(place["default"])
    return CharterError(
        f"{where}: {key} = {got}, expected {_expected(place)}",
        f"the default is {default}: {place['description']}",
    )


def _renamed(key: str, where: str) -> CharterError:
    new, fix = RENAMED[key]
    return CharterError(
        f"{where}: {key} is {f'now {new}' if new else 'no setting of a charter any more'}", fix
    )


def _nearest(path: tuple[str, ...], is_table: bool, schema: Schema) -> str:
    """The key most like an unknown one; a misspelling in the right section beats a likeness in another."""

    def likeness(key: str) -> float:
        *section, name = key.split(".")
        ratio = SequenceMatcher(None, path[-1].lower(), name.lower()).ratio()
        return ratio + 0.3 * (list(path[:-1]) == section)

    keys = list(_keys(schema))
    tables = [key for key in keys if "properties" in resolve(schema, key)]
    if is_table and tables:
        return f"[{max(tables, key=likeness)}]"
    return max((key for key in keys if key not in tables), key=likeness)


def _keys(schema: Schema, table: str = "") -> Iterator[str]:
    """The dotted key of every setting and table."""
    for name in resolve(schema, table).get("properties", ()):
        key = f"{table}.{name}" if table else name
        yield key
        yield from _keys(schema, key)


def _expected(place: Schema) -> str:
    """What a value may be, in words: `an integer, 2 to 1024`."""
    if "enum" in place:
        return range_of(place)
    if "prefixItems" in place:
        return f"a list of {len(place['prefixItems'])}, each {_expected(place['prefixItems'][0])}"
    if place["type"] == "array":
        least = f"{place['minItems']} or more of " if "minItems" in place else ""
        return f"a list of {least}{_expected(place['items'])}"
    return ", ".join(filter(None, (_NOUNS[place["type"]], range_of(place))))


def range_of(place: Schema) -> str:
    """The bounds alone: `2 to 1024`, `above 0, at most 1`, `1 or more`; empty where there are none."""
    if "enum" in place:
        return " or ".join(map(toml_value, place["enum"]))
    if "prefixItems" in place:
        return range_of(place["prefixItems"][0])
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
    return ": ".join(filter(None, (place["description"], range_of(place).replace(" to 2**53", " or more"))))


def _comment(text: str) -> list[str]:
    return textwrap.wrap(" ".join(text.split()), 108, initial_indent="# ", subsequent_indent="# ")
