"""Answers: what a solver wrote, brought to the one canonical text of each value, or refused.

An answer is a value and not a calculation: `84/12` is no answer to 84/12, and `6/4` is not finished. LaTeX
and the prose that language models write around a number are taken off first. Nothing is evaluated but the
trees of the domain's own parser.
"""

from __future__ import annotations

import re
from fractions import Fraction

from autotelic.domains.math import exact
from autotelic.domains.math.language import ProblemError, parse, text
from autotelic.domains.math.problem import Problem, Shape, normal, spell

MAX_ANSWER = 400
_TAIL = 4_000
"""Only so much of the end of a completion is searched for its answer."""

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,11})(?:/[1-9][0-9]{0,11})?")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,8})\.[0-9]{0,8}[1-9]")
_NOISE = re.compile(
    r"\$|\\\(|\\\)|\\\[|\\\]|\\left|\\right|\\[,;:! ]|\\(?:text|mathrm|mathbf)(?=\{)|\\displaystyle|`"
)
_FRACTION = re.compile(r"(?<![0-9])\\[dt]?frac\{(-?[0-9]+)\}\{([0-9]+)\}")
_INTRODUCTION = re.compile(
    r"^.*?\b(?:answer|result|value|solutions?|roots?)\b[^0-9:=]{0,20}(?:\bis|\bare|:|=)\s*",
    re.IGNORECASE | re.DOTALL,
)


def find_answer(completion: str) -> str:
    r"""The part of a completion that is judged: the last `\boxed{...}`, or else its last line.

    >>> find_answer("(3+4)*6\n7*6\n42")
    '42'
    """
    tail = completion[-_TAIL:]
    at = tail.rfind("\\boxed{")
    if at >= 0:
        depth = 0
        for end in range(at + len("\\boxed"), len(tail)):
            depth += {"{": 1, "}": -1}.get(tail[end], 0)
            if depth == 0:
                return tail[at + len("\\boxed{") : end].strip()
    lines = tail.rstrip().rsplit("\n", 1)
    return lines[-1].strip()


def plain(answer: str) -> str:
    r"""An answer without LaTeX, introductions and a full stop: `The answer is $\frac{1}{2}$.` is `1/2`."""
    if answer.isascii() and not _MARKED.search(answer):
        return answer.strip()
    shown = answer.replace("\u2212", "-").replace("\u00d7", "*").replace("\u00b7", "*").replace("\u00f7", "/")
    shown = _INTRODUCTION.sub("", shown.replace("**", "").strip())
    shown = _FRACTION.sub(r"\1/\2", _NOISE.sub("", shown))
    shown = shown.replace("\\cdot", "*").replace("\\times", "*").replace("\\{", "{").replace("\\}", "}")
    return re.sub(r"\^\{([0-9]+)\}", r"^\1", shown).strip().removesuffix(".").strip()


_MARKED = re.compile(r"[\\$`.:{]|\*\*|[A-Za-z]{3}")


def read_answer(shape: Shape, answer: str) -> str:
    """The canonical text of an answer.

    Raises `ProblemError`: `format` for what is no value, `unfinished` for a value that is still to be worked
    out or reduced.
    """
    if len(answer) > MAX_ANSWER:
        raise ProblemError("format", f"{len(answer)} characters")
    shown = plain(answer)
    if shape == "number":
        if re.fullmatch(r"-?[0-9]{1,3}(,[0-9]{3})+", shown):
            shown = shown.replace(",", "")
        return spell(_number(shown.removeprefix("x=").removeprefix("x =")))
    if shape == "polynomial":
        return _polynomial(shown)
    parts = [part.strip() for part in re.split(r",|;|\bor\b|\band\b", shown.strip("{}() "))]
    if shape == "roots":
        return spell(*sorted({_number(_unlabelled("x", part)) for part in parts}))
    return _pair(parts)


def _pair(parts: list[str]) -> str:
    if len(parts) != 2:
        raise ProblemError("format", f"expected x and y, got {len(parts)} parts")
    if re.match(r"y\s*=", parts[0]):
        parts.reverse()
    first, second = parts
    return spell(_number(_unlabelled("x", first)), _number(_unlabelled("y", second)))


def _unlabelled(name: str, part: str) -> str:
    return re.sub(rf"^{name}(?:_\{{?[0-9]\}}?)?\s*=\s*", "", part)


def _number(shown: str) -> exact.Value:
    shown = shown.replace(" ", "") if "/" in shown else shown.strip()
    if _DECIMAL.fullmatch(shown):
        return Fraction(shown)
    if not _NUMBER.fullmatch(shown):
        parse(shown)  # raises `syntax` for what is no expression either
        raise ProblemError("unfinished", f"{shown} is still to be worked out")
    top, _, bottom = shown.partition("/")
    reduced = Fraction(int(top), int(bottom or 1))
    if bottom and str(reduced) != shown:
        raise ProblemError("unfinished", f"{shown} is {reduced}")
    return exact.tidy(reduced)


def _polynomial(shown: str) -> str:
    tree = parse(shown)
    canonical = exact.tree_of(exact.poly(tree))
    if normal(Problem("expand", (tree,))) != normal(Problem("expand", (canonical,))):
        raise ProblemError("unfinished", f"{shown} is {text(canonical)}")
    return text(canonical)


def is_value(answer: str) -> bool:
    r"""Whether a text that `read_answer` cannot read may be a value in other dress, such as `\frac12`.

    It holds digits and no operation but a leading minus and one quotient in lowest terms, so that nothing
    which is still to be worked out is handed to a reader that would work it out; and no decimal point,
    because that reader takes 0.333333 for 1/3.
    """
    if len(answer) > MAX_ANSWER:
        return False
    shown = plain(answer)
    if not re.search("[0-9]", shown):
        return False
    if re.search(r"[*^!+%.]|\\(?!d?frac)[a-zA-Z]|[0-9)}]\s*-", shown):
        return False
    if shown.count("/") + shown.count("frac") > 1:
        return False
    quotient = re.search(r"([0-9]+)\s*/\s*([0-9]+)", shown)
    return quotient is None or Fraction(int(quotient[1]), int(quotient[2]) or 1).numerator == int(quotient[1])
