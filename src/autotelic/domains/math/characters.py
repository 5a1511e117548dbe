"""Characters as models write them, brought to ASCII: signs, fractions and digits, and HTML's entities and tags."""

from __future__ import annotations

import html
import re
import unicodedata
from fractions import Fraction

_VULGAR = {
    char: f"\\frac{{{value.numerator}}}{{{value.denominator}}}"
    for char in "¼½¾⅐⅑⅒⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞↉"
    for value in [Fraction(unicodedata.numeric(char)).limit_denominator(10)]
}
_CHARACTERS = str.maketrans(
    {
        **_VULGAR,
        **dict.fromkeys("−‒‐‑﹣", "-"),
        **dict.fromkeys("×·⋅∙∗•", "*"),
        **dict.fromkeys("÷∕", " \\div "),
        **dict.fromkeys("∶", ":"),
        **dict.fromkeys("\u2009\u202f\u2008\u200a", "\\,"),
        **dict.fromkeys("\u00a0\u2002\u2003\u2004\u2005\u2006\u2007\u3000\t\r", " "),
        **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff\u2061\u2062\u2064", ""),
        **dict.fromkeys("€£¥₹¢", " "),
        **dict.fromkeys('“”„«»"', " "),
        **dict.fromkeys("’‘′ʹ´", "'"),
        **dict.fromkeys("⇒⟹→⟶↦⇔⟺∴", " \\to "),
        "≡": "=",
        **dict.fromkeys("∎■", " "),
        "±": " \\pm ",
        "∓": " \\mp ",
        "√": " \\sqrt ",
        "≈": " \\approx ",
        "∈": " \\in ",
        "∨": " or ",
        "∧": " and ",
        "∪": " \\cup ",
        "—": " \\to ",
        "―": " \\to ",
        "°": " \\degree ",
        "º": " \\degree ",
        "…": " \\dots ",
        "，": ",",
        "、": ",",
        "。": ". ",
        **dict.fromkeys("□▢☐", "?"),
    }
)
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾", "0123456789+-()")
_LOWERED = str.maketrans("₀₁₂₃₄₅₆₇₈₉₊₋₍₎", "0123456789+-()")
_COMPATIBLE = re.compile("[\uff01-\uff5e\U0001d400-\U0001d7ff]")
_ORNAMENT = re.compile(
    "[\u2605-\u260f\u2611\u2614-\u2660\u2666-\u2716\u2719-\u274b\u2756-\u27af\U0001f300-\U0001faff\ufe0f]"
)
"""Pictures, but for crosses, which say that a number is wrong."""
_TAG = re.compile(
    r"</?(?:(?:final[_ ]?)?answer|final|result|output|solution|b|i|em|strong|p|span|div|code|math|boxed|mark|u)>"
    r"|\[/?ANSWER\]",
    re.IGNORECASE,
)
_ENTITY = re.compile(r"&(?:[A-Za-z]{2,8}[0-9]{0,2}|#[0-9]{1,6}|#x[0-9A-Fa-f]{1,6});")

GROUPED = re.compile(r"(?<![0-9,.])([1-9][0-9]{0,2})((?:,[0-9]{3})+)(?![0-9,])")
_CONTINENTAL = re.compile(r"(?<![0-9,.])([1-9][0-9]{0,2})((?:[. ][0-9]{3})+),([0-9]+)(?![0-9,.])")
_DOTTED = re.compile(r"(?<![0-9,.])([1-9][0-9]{0,2})((?:\.[0-9]{3}){2,})(?![0-9,.])")
COMMA = re.compile(r"(?<![0-9,.(\[{])([0-9]+),([0-9]+)(?![0-9,.)\]}])")
_AND_A_PART = re.compile(r"(?<![0-9/.,])([1-9][0-9]*)\s(?:and|&)\s(?=[1-9][0-9]*/[1-9][0-9]*(?![0-9/.,]))")
"""`3 and 1/2` is 3 1/2 where one number is asked for."""


def characters(text: str) -> str:
    """The text in ASCII where it can be, without pictures and tags."""
    if text.isascii() and not re.search('[<"\t\r]|&[A-Za-z#]|\\[/?ANSWER', text, re.IGNORECASE):
        return text
    text = _ENTITY.sub(lambda match: html.unescape(match[0]), text)
    text = _COMPATIBLE.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text)
    text = re.sub(r"<sup>([0-9]+)</sup>", r"^{\1}", re.sub(r"<br\s*/?>", "\n", text))
    text = _ORNAMENT.sub(" ", _TAG.sub(" ", text))
    text = re.sub(r"^\s*[•‣◦]\s", "", text)
    text = re.sub(r"(?<=[A-Za-z:])\s+–\s+", " \\\\to ", text).replace("–", "-")
    text = re.sub(
        "([⁰¹²³⁴⁵⁶⁷⁸⁹]+)⁄([₀₁₂₃₄₅₆₇₈₉]+)",
        lambda m: f"\\frac{{{m[1].translate(_RAISED)}}}{{{m[2].translate(_LOWERED)}}}",
        text,
    )
    text = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾]+", lambda m: f"^{{{m[0].translate(_RAISED)}}}", text)
    text = re.sub("[₀₁₂₃₄₅₆₇₈₉₊₋₍₎]+", lambda m: f"_{{{m[0].translate(_LOWERED)}}}", text)
    return text.translate(_CHARACTERS).replace("⁄", "/")


def grouped(answer: str) -> str:
    """The text with `15,504` as one number."""
    return GROUPED.sub(lambda m: m[1] + m[2].replace(",", ""), answer)


def joined(answer: str, single: bool) -> str:
    """The text with commas and points within numbers taken for what they mean where one number is expected."""
    answer = _CONTINENTAL.sub(lambda m: f"{m[1]}{re.sub('[. ]', '', m[2])}.{m[3]}", answer)
    answer = grouped(_DOTTED.sub(lambda m: m[1] + m[2].replace(".", ""), answer))
    return COMMA.sub(r"\1.\2", _AND_A_PART.sub(r"\1 ", answer)) if single else answer
