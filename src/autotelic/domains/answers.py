"""Values as language models write them: labelled, emphasised, in Python's spelling; read as JSON."""

from __future__ import annotations

import json
import re

from autotelic.domains.fences import own_turn, pieces
from autotelic.domains.literal import LiteralError, parse_literal, python_literal

_LABEL = re.compile(
    r"(?:[0-9]{1,2}[.)] |step [0-9]{1,2}: )?(?:(?:so|thus|hence|therefore),? )?(?:the )?"
    r"(?:final |last |returned |correct |expected )*"
    r"(?:answer|output|result|value|return value|argument|input|returns?|x|(?:it|function|program) returns"
    r"|(?<=[0-9:.)] ))"
    r"[*_]*\s*(?:is|was|becomes|=|:|->|==)?\s*:?[*_]*\s*",
    re.IGNORECASE,
)
_RESULT = re.compile(
    r"(?:(?:so|thus|hence),? )?(?:assert\s+|print\()?f\(.*?\)+\s*(?:==|=|->|→|#|returns|is|gives)\s*(.+)",
    re.IGNORECASE,
)
_CALL = re.compile(r"(?:assert\s+)?f\((.*)\)(?:\s*(?:==|=|->|→|returns|is|gives)\s*.+)?")
_AROUND = re.compile(
    r"(?:\\(?:boxed|text\w*|mathtt)\s*\{|<(answer|output|result)>|print\(|\\[(\[]|\[ANSWER\])(.*?)"
    r"(?:\}|</(?:answer|output|result)>|\)|\\[)\]]|\[/ANSWER\])",
    re.DOTALL,
)
_BEFORE = re.compile(r"(?:[=-]>|→|⇒|•|#+|>+|-(?=\s*[\[{\"'(]))\s*")
_DRESS = " \t*_`$\u200b\u200c\u200d\u2060\ufeff"
_TRIES = 40
"""Lines on which a value is looked for, from the end."""
_LINES = 200
"""Lines over which one value may go. Both bound what a hostile answer can cost."""


def value_line(mode: str, completion: str) -> str:
    """The value that a completion ends with, as JSON if it can be read as one.

    That is its last line, or, where this is none, the last line of its last fenced block, or the last line that is
    a value or ends one. For an `abduction` a call stands for its argument, else for what it returns.

    >>> value_line("deduction", "It is sorted.\\n**Answer: [1, 2]**")
    '[1, 2]'
    >>> value_line("abduction", "f([3, 1])")
    '[3, 1]'
    """
    found = [piece for piece in pieces(own_turn(completion)) if piece.line.strip()]
    last = max((piece.block for piece in found), default=0)
    outside = [piece.line for piece in found]
    fenced = [piece.line for piece in found if last and piece.block == last]
    for lines in (outside, fenced):
        if value := _ending(mode, lines):
            return value
    for end in range(len(outside) - 1, max(0, len(outside) - _TRIES), -1):
        if value := _ending(mode, outside[:end]):
            return value
    return outside[-1].strip(" `") if outside else ""


def _ending(mode: str, lines: list[str]) -> str:
    """The value that is the last of some lines, or that closes there after lines of its own; empty for none."""
    if not lines:
        return ""
    if value := _value(mode, lines[-1]):
        return value
    depth = 0
    for at in range(len(lines) - 1, max(-1, len(lines) - _LINES), -1):
        depth += sum(map(lines[at].count, ")]}")) - sum(map(lines[at].count, "([{"))
        if depth <= 0:
            value = _value(mode, " ".join(map(str.strip, lines[at:]))) if at < len(lines) - 1 else ""
            return json.dumps(parse_literal(value), separators=(",", ":")) if value else ""
    return ""


def _value(mode: str, line: str) -> str:
    """The value on a line, as JSON; empty where there is none."""
    text = line.strip(_DRESS)
    for _ in range(5):
        if _is_json(text):
            return text
        text = _BEFORE.sub("", text, count=1) if _BEFORE.match(text) else text
        if around := _AROUND.fullmatch(text.rstrip(" .;$")):
            text = around[2].strip(_DRESS)
            continue
        call = (_CALL if mode == "abduction" else _RESULT).fullmatch(text)
        label = _LABEL.match(text)
        if call:
            text = call[1].strip(_DRESS)
        elif label and label.end() < len(text) and not re.match(r"\w", text[label.end() - 1 : label.end()]):
            text = text[label.end() :].strip(_DRESS)
        else:
            break
    text = re.sub(r"\s+(?://|#).*", "", text).rstrip(".;").strip(_DRESS)
    try:
        return json.dumps(python_literal(text), separators=(",", ":"))
    except LiteralError:
        return ""


def _is_json(text: str) -> bool:
    try:
        parse_literal(text)
    except LiteralError:
        return False
    return True
