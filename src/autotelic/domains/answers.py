"""Values as language models write them: labelled, emphasised, in Python's spelling; read as JSON."""

from __future__ import annotations

import json
import re

from autotelic.domains.fences import pieces, without_thought
from autotelic.domains.literal import LiteralError, parse_literal, python_literal

_LABEL = re.compile(
    r"(?:so |thus |hence |therefore,? )?(?:the )?(?:final |last |returned |correct )*"
    r"(?:answer|output|result|value|return value|argument|input|returns?|x|it returns)"
    r"\s*(?:is|was|=|:|->|==)?\s*:?\s*",
    re.IGNORECASE,
)
_RESULT = re.compile(r"f\(.*\)\s*(?:==|=|->|→|returns|is|gives)\s*(.+)")
_CALL = re.compile(r"f\((.*)\)(?:\s*(?:==|=|->|→|returns|is|gives)\s*.+)?")
_DRESS = " \t*_`$"


def value_line(mode: str, completion: str) -> str:
    """The value that a completion ends with, as JSON if it can be read as one.

    That is its last line, or, where this is none, the last line of its last fenced block. For an `abduction` a call
    stands for its argument, else for what it returns.

    >>> value_line("deduction", "It is sorted.\\n**Answer: [1, 2]**")
    '[1, 2]'
    >>> value_line("abduction", "f([3, 1])")
    '[3, 1]'
    """
    found = [piece for piece in pieces(without_thought(completion)) if piece.line.strip()]
    last = max((piece.block for piece in found), default=0)
    fenced = [piece.line for piece in found if last and piece.block == last]
    lines = [piece.line for piece in found[-1:]] + fenced[-1:]
    for line in lines:
        value = _value(mode, line)
        if value:
            return value
    return lines[0].strip(" `") if lines else ""


def _value(mode: str, line: str) -> str:
    """The value on a line, as JSON; empty where there is none."""
    text = line.strip(_DRESS)
    for _ in range(4):
        if _is_json(text):
            return text
        call = (_CALL if mode == "abduction" else _RESULT).fullmatch(text)
        label = _LABEL.match(text)
        if call:
            text = call[1].strip(_DRESS)
        elif label and label.end() < len(text) and not re.match(r"\w", text[label.end() - 1 : label.end()]):
            text = text[label.end() :].strip(_DRESS)
        else:
            break
    text = text.removesuffix(".").strip(_DRESS)
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
