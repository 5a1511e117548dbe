r"""What models write around mathematics, brought to tokens: Unicode, Markdown, LaTeX and plain words.

`$\dfrac{3}{4}$`, `¾` and `3/4` all say the same, and so do `\text{2 or 3}` and `2 \lor 3`. Nothing is evaluated here
and nothing is dropped but what cannot be seen or means nothing: style, spacing, delimiters and bare braces, which
LaTeX does not print. `notation` reads the tokens.

A token is a text or a `Macro`, which holds the tokens of its arguments. A text is a number (`12`, `0.75`), a letter,
a sign, `and` or `or`, a command that is not known (`\sqrt`), or a word of prose with a blank before it (` roots`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from autotelic.domains.math.characters import characters
from autotelic.domains.math.language import ProblemError

MAX_NESTING = 24
"""Arguments within arguments: far beyond what an answer needs, and far below what exhausts the stack."""


@dataclass(frozen=True, slots=True)
class Macro:
    """A command with arguments: `frac`, `binom`, `^`, `_`, or `bar`, the digits that repeat for ever."""

    name: str
    args: tuple[Tokens, ...]


Token = str | Macro
Tokens = tuple[Token, ...]
STOP = " ."
"""A word of prose that ends a sentence."""
GLUE = "\\glue"
"""Between two numbers that are printed as one: `3{1/2}` looks like 31/2 and is no mixed number."""

_QUOTED = re.compile(r"\s*'([^']*[0-9][^']*)'\s*")
_STYLE = re.compile(
    r"\\(?:text|textrm|textbf|textit|texttt|textsf|textnormal|textup|textmd|textsc|mbox|hbox|emph|mathrm|mathbf|mathit"
    r"|mathsf|mathtt|mathnormal|mathcal|boldsymbol|bm|bold|pmb|operatorname|ensuremath|boxed|fbox|framebox|underline"
    r"|(?:display|text|script|scriptscript)style|limits|nolimits|bf|rm|it|sf|tt|tiny|small|normalsize|large|Large|LARGE"
    r"|huge|Huge|normalfont|bfseries|mathstrut|strut|left|right|middle|[Bb]igg?[lr]?|therefore|(?:thin|med|thick)space"
    r"|negthinspace|enspace|hfill|nobreak|noindent|centering|blacksquare|qed|pounds|kern[0-9.]+(?:pt|em|mu)|math(?:bb|frak|scr|ord|op|bin|rel|open|close|inner|punct)|boldmath|unboldmath|dollar|euro|num|SI|qty)(?![A-Za-z])\*?"
)
_NAMED_TEXT = re.compile(
    r"\\(?:text\w*|mbox|hbox|emph|math(?:rm|bf|it|sf|tt|normal)|boldsymbol|bm|operatorname\*?)\s*\{([^{}]*)\}"
)
_WITH_ARGUMENT = re.compile(r"\\(?:color|hspace|vspace|label|tag|phantom|hphantom|vphantom)\*?\s*\{[^{}]*\}")
_ENVIRONMENT = re.compile(
    r"\\(?:begin|end)\s*\{(?:equation|align|alignat|aligned|gather|gathered|split|cases|array|p?matrix|bmatrix"
    r"|smallmatrix|center|math)\*?\}(?:\s*\[[^\]]*\])?(?:\s*\{[lcr|@ ]*\})?"
)
_SEPARATED = re.compile(
    r"(?<![0-9.,])([1-9][0-9]{0,2})((?:(?:\\[,;:! >]|~|\s?\{,\}\s?|\{\\[,;:! ]\}|,\s*\\!\s*|\\mathord\{,\}"
    r"|\\thinspace\s?|'|_|\\text\{,\}|\\mathpunct\{,\}|\{,\}\\!|,\\[;:,])[0-9]{3})+)(?![0-9])"
)
_SPACED = re.compile(
    r"(?<![0-9.,/^_}])(?<![0-9/^_}] )([1-9][0-9]{0,2})((?: [0-9]{3})+)(?![0-9]|\s*/|\s*\\frac)"
)
_UNPARTED = re.compile(r"([xy](?:_?\{?[0-9]\}?)?\s*=\s*-?[0-9./]+)\s+(?=[xy](?:_?\{?[0-9]\}?)?\s*=)")
"""`x = 2 y = 3`, with nothing but a blank between."""
_DERIVATIVE = re.compile(
    r"\\[dtc]?frac\s?\{\s?\{?\s?(?:d|\\partial)\s?\}?\s?\{?\s?[a-zA-Z]?\s?(?:\(\s?x\s?\)\s?)?\}?\s?\}"
    r"\s?\{\s?\{?\s?(?:d|\\partial)\s?\}?\s?\{?\s?x\s?\}?\s?\}"
    r"|\{\s?d\s?[a-zA-Z]?\s?\\over\s?d\s?x\s?\}"
    r"|(?<![A-Za-z])d\s?[a-zA-Z]?\s?/\s?d\s?x(?![A-Za-z])"
)
_QUOTIENT_OF_UNITS = re.compile(
    r"(?<=[0-9}] )\\[dtc]?frac\s?\{\s?(?=[a-wzA-Z])[a-zA-Z]+\s?\}\s?\{\s?(?=[a-wzA-Z])[a-zA-Z]+\s?\}"
)
r"""`\frac{km}{h}` after a number; a fraction of unknowns is none."""
_PHRASES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(rf"(?<![\\A-Za-z])(?:{pattern})(?![A-Za-z])", re.IGNORECASE), said)
    for pattern, said in (
        ("divided by|over", " / "),
        ("(?:is |are |which )?(?:equals?|equal to)(?: to)?", " = "),
        ("multiplied by|times", " * "),
        (r"plus or minus|plus\s?/\s?minus", r" \\pm "),
        ("plus", " + "),
        ("minus|negative", " - "),
        ("mod|modulo", r" \\bmod "),
        (r"(?:choose|ncr)(?!\s?\()", r" \\choosing "),
        ("as well as", " and "),
        ("(?:square|cube) root", r" \\sqrt "),
        (r"per\s?cent(?:age)?|pct", r" \\% "),
        ("degrees?", r" \\degree "),
    )
)
_SAME = {
    "times": "*", "cdot": "*", "ast": "*", "cdotp": "*", "bullet": "*", "div": "/", "slash": "/", "colon": ":",
    "bmod": "%", "mod": "%", "pmod": "%", "lor": "or", "vee": "or", "land": "and", "wedge": "and", "cup": "or",
    "langle": "(", "rangle": ")",
    "lbrace": "{", "rbrace": "}", "{": "{", "}": "}", "lparen": "(", "rparen": ")", "prime": "'", "&": "and",
    "iff": "\\to", "implies": "\\to", "Rightarrow": "\\to", "rightarrow": "\\to", "Longrightarrow": "\\to",
    "longrightarrow": "\\to", "Leftrightarrow": "\\to", "equiv": "=", "Longleftrightarrow": "\\to", "leadsto": "\\to",
    "mapsto": "\\to",
    "mp": "\\pm", "square": "?", "Box": "?", "checkmark": "\\to",
    "circ": "\\degree", "degree": "\\degree", "ldots": "\\dots", "cdots": "\\dots",
    "simeq": "\\approx", "cong": "\\approx", "ge": ">", "geq": ">", "gt": ">", "le": "<", "leq": "<", "lt": "<",
    "ne": "\\neq", "vert": "|", "lvert": "|", "rvert": "|", "mid": "|", "percent": "\\%",
}  # fmt: skip
_COUNTS = {
    "ncr": "C",
    "comb": "C",
    "combin": "C",
    "choose": "C",
    "binom": "C",
    "binomial": "C",
    "npr": "P",
    "perm": "P",
}
_FRACTIONS = {"frac", "dfrac", "tfrac", "cfrac", "sfrac", "nicefrac", "xfrac", "flatfrac"}
_BINOMIALS = {"binom", "dbinom", "tbinom"}
_BARS = {"overline", "bar"}
_LEXEME = re.compile(
    r"(?P<space>\s+)|(?P<number>[0-9]+(?:\.[0-9]+|\.(?=\s*\\(?:overline|bar)\b))?|\.[0-9]+)|\\(?P<command>[A-Za-z]+|.)"
    r"|(?P<word>[^\W\d_]+(?:'(?:s|t|re|ve|ll|m|d)\b)?)|(?P<sign>.)",
    re.DOTALL,
)


_SIMPLE = re.compile(
    r"(?!.*(?:[0-9] +[0-9xy]|==|\*\*|\+ ?/|/ ?-|->))(?:[-+*/()=?!,;0-9xyCP ]|\^(?=[0-9{])|(?<=\^)\{[0-9]+\})*"
)
"""The notation of the domain itself, which most answers of small models are in: it has no style to take off."""
_SIMPLE_TOKEN = re.compile(r"\^(?:\{([0-9]+)\}|([0-9]+))|[0-9]+|[^ ]")


@lru_cache(maxsize=4096)
def tokens(text: str) -> Tokens:
    """The tokens of an answer. Raises `ProblemError`: `format` for braces that do not match, `size` for too many."""
    if _SIMPLE.fullmatch(text):
        return tuple(
            Macro("^", ((match[1] or match[2],),)) if match[0][0] == "^" else match[0]
            for match in _SIMPLE_TOKEN.finditer(text)
        )
    return _Lexer(_plain(text)).read()


def _plain(text: str) -> str:
    """The text without its style."""
    text = characters(text)
    text = re.sub(r"^_([^_]+)_$", r"\1", text)
    text = re.sub(r"(?<=[0-9xy)}])(?:\*\*| \*\* )(?=[0-9({])", "^", text).replace("**", " ")
    text = re.sub(r"(?<![A-Za-z0-9}])(?:_{3,}|\\_)(?=\s*=)", " ? ", text).replace("__", " ")
    text = re.sub(
        r"(?<![=<>!])={2,3}(?![=>])", "=", _QUOTED.sub(r" \1 ", text) if _QUOTED.fullmatch(text) else text
    )
    text = re.sub(r"`+|^\s*#+|^\s*[*>]\s", " ", text)
    text = re.sub(r"(?<=[0-9])\.{2,}", r" \\dots ", text)
    text = re.sub(r"(?<![A-Za-z0-9])([xy])\s?(?:-+>|\\to(?![A-Za-z]))\s?(?=-?[0-9])", r"\1 = ", text)
    text = re.sub(r"(?<=[0-9])\s?\|\|?\s?(?=x\s?=)", " or ", re.sub(r"'([xy])'(?=\s?:)", r"\1", text))
    text = re.sub(r"(?<![A-Za-z.])(?:math|scipy\.special)\.(?=[a-z])", "", text)
    text = re.sub(r"\+\s?/\s?-", r" \\pm ", re.sub(r"=>|-+>", r" \\to ", text))
    return _styled(text)


def _styled(text: str) -> str:
    aligned = "\\\\" in text or "\\begin" in text
    # A command with two backslashes comes from text that was escaped twice; two before anything else end a row.
    text = re.sub(r"(?<!\\)\\\\(?=[A-Za-z]{2})", r"\\", text)
    text = re.sub(r"\\\\(?:\s*\[[^\]]*\])?|\\(?:cr|newline|q?quad)(?![A-Za-z])", "\n", text)
    text = re.sub(r"\\left\s?\[(?=\s?\\begin)", " ", text)
    text = _ENVIRONMENT.sub(" ", text).replace("\\left.", " ").replace("\\right.", " ")
    text = _SEPARATED.sub(lambda m: m[1] + re.sub("[^0-9]", "", m[2]), text)
    text = re.sub(r"(?<=[0-9])\{,\}(?=[0-9])", ".", text)
    text = re.sub(r"\\textcolor\s*\{[^{}]*\}", " ", _WITH_ARGUMENT.sub(" ", text))
    for _ in range(4):
        text, changed = _NAMED_TEXT.subn(r" \1 ", text)
        if not changed:
            break
    text = _STYLE.sub(" ", text)
    text = re.sub(r"\\\$|\$|\\[()\[\]]", " ", text)
    text = re.sub(r"(?<!\\)&", " " if aligned else " and ", re.sub(r"&\s?=", "=", text))
    text = re.sub(r",\s*\\!\s*(?=[0-9]{3})", ",", text)
    text = re.sub(r"\\[,;:! >/]|~|\\(?=\s*$|\n)|\\space(?![A-Za-z])", " ", text)
    # Without runs of blanks no pattern below has more than one way to match them.
    text = re.sub(r"\s*\n\s*", "\n", re.sub(r"[^\S\n]+", " ", text))
    text = _QUOTIENT_OF_UNITS.sub(" ", _DERIVATIVE.sub(" \\\\ddx ", text))
    text = _SPACED.sub(lambda m: m[1] + m[2].replace(" ", ""), text)
    for pattern, said in _PHRASES:
        text = pattern.sub(said, text)
    text = re.sub(r"\(\s*\\bmod\s*([0-9]+)\s*\)", r"\\bmod \1", text)
    return _UNPARTED.sub(r"\1, ", text)


class _Lexer:
    """Reads a styled text from left to right; a group in braces is spliced in where it is no argument."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0

    def read(self) -> Tokens:
        found = self.group("")
        if self.at < len(self.text):
            raise ProblemError("format", "a brace too many")
        return found

    def group(self, end: str) -> Tokens:
        """The tokens up to a closing brace, or to the end of the text."""
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise ProblemError("size", f"nested deeper than {MAX_NESTING}")
        found: list[Token] = []
        split: tuple[str, Tokens] | None = None
        spaced = True
        while self.at < len(self.text) and self.text[self.at] != "}":
            match = _LEXEME.match(self.text, self.at)
            assert match is not None
            kind = str(match.lastgroup)
            command = match["command"]
            self.at = match.end()
            if command in ("over", "atop", "choose"):
                split = ("frac" if command == "over" else "binom", tuple(found))
                found = []
            elif kind == "space":
                if "\n" in match["space"] and found:
                    found.append("\n")
                spaced = True
            else:
                new = self.lexeme(kind, match[kind], found)
                if not spaced and new and found and is_number(found[-1]) and is_number(new[0]):
                    found.append(GLUE)
                found += new
                spaced = False
        if end:
            if self.at >= len(self.text):
                raise ProblemError("format", "a brace is not closed")
            self.at += 1
        self.depth -= 1
        return (Macro(split[0], (split[1], tuple(found))),) if split else tuple(found)

    def lexeme(self, kind: str, said: str, before: list[Token]) -> Tokens:
        if kind == "number":
            return (said,)
        if kind == "command":
            return self.command(said)
        if kind == "word":
            return self.word(said, before)
        if said == "{":
            return self.group("}")
        if said in "^_":
            return (Macro(said, (self.argument(),)),)
        if said == "%":
            return (self.percent(),)
        if said == ":":
            return (self.colon(before),)
        if said == ".":
            return (STOP,)
        return (said,)

    def command(self, name: str) -> Tokens:
        if name in _FRACTIONS or name in _BINOMIALS:
            first = self.argument()
            if name == "nicefrac" or name == "sfrac":
                self.skip("/")
            return (Macro("frac" if name in _FRACTIONS else "binom", (first, self.argument())),)
        if name in _BARS:
            return (Macro("bar", (self.argument(),)),)
        if name == "%":
            return (self.percent(),)
        return (_SAME.get(name, f"\\{name}"),)

    def percent(self) -> str:
        """`%` as an operation, which is a remainder, or `\\%` after a number, which is hundredths."""
        ahead = self.text[self.at :].lstrip()[:1]
        return "%" if ahead.isdigit() or ahead in {"(", "x", "?"} else "\\%"

    def skip(self, sign: str) -> None:
        while self.text[self.at : self.at + 1].isspace():
            self.at += 1
        if sign and self.text.startswith(sign, self.at):
            self.at += 1

    def argument(self) -> Tokens:
        """What a command takes: a group, a command, or a single character."""
        self.skip("")
        if self.at >= len(self.text) or self.text[self.at] == "}":
            raise ProblemError("format", "an argument is missing")
        first = self.text[self.at]
        self.at += 1
        if first == "{":
            return self.group("}")
        if first == "\\":
            match = re.compile(r"[A-Za-z]+|.", re.DOTALL).match(self.text, self.at)
            if match is None:
                raise ProblemError("format", "an argument is missing")
            self.at = match.end()
            self.depth += 1
            if self.depth > MAX_NESTING:
                raise ProblemError("size", f"nested deeper than {MAX_NESTING}")
            found = self.command(match[0])
            self.depth -= 1
            return found
        if first == "-" or first == "(":
            raise ProblemError("format", f"an argument {first!r} without braces")
        if first.isdigit() and self.text[self.at - 2 : self.at - 1] in ("^", "_"):
            # `x^12` in plain text is a power of 12, although LaTeX would raise the 1 alone.
            match = re.compile("[0-9]*").match(self.text, self.at)
            assert match is not None
            self.at = match.end()
            return (first + match[0],)
        return (first,)

    def word(self, said: str, before: list[Token]) -> Tokens:
        low = said.lower()
        if low in ("and", "or"):
            return (low,)
        glued = self.at < len(self.text) and (self.text[self.at].isdigit() and len(said) > 1)
        if not glued and (len(said) == 1 or re.fullmatch("[xy]{2}", said)):
            return tuple(said)
        if self.text[self.at :].lstrip().startswith("(") and low in _COUNTS:
            return (_COUNTS[low],)
        if self.text.startswith("(", self.at) and low not in ("is", "are"):
            return (f"\\{low}",)  # a function of what is in the brackets
        if glued:
            match = re.compile(r"\w*").match(self.text, self.at)
            assert match is not None
            self.at = match.end()
        if low in ("is", "are") and before and _is_letter(before[-1]) and _begins(before[:-1]):
            return ("=",)
        return (f" {low}",)

    def colon(self, before: list[Token]) -> str:
        """A ratio between numbers, an equals sign after a letter, and else the end of an introduction."""
        ahead = self.text[self.at :].lstrip()[:1]
        last = before[-1] if before else STOP
        # `84:12` and `84 : 12` are ratios, `at x = 4: 16` is none.
        introduces = self.text[self.at : self.at + 1] == " " and self.text[self.at - 2 : self.at - 1] != " "
        if (is_number(last) or last == ")") and (ahead.isdigit() or ahead == "(") and not introduces:
            return "/"
        return "=" if _is_letter(last) or last in (")", "'") else " :"


def _begins(before: list[Token]) -> bool:
    """Whether a letter after these tokens stands alone, and is no factor of a term."""
    return not before or is_word(before[-1]) or before[-1] in (",", ";", "and", "or", "\n")


def is_number(token: Token) -> bool:
    """Whether a token is a number, with a decimal point or without."""
    return isinstance(token, str) and token.isascii() and token.replace(".", "", 1).isdigit()


def is_word(token: Token) -> bool:
    """Whether a token is prose, or what ends a sentence, a clause or an introduction."""
    return isinstance(token, str) and (token[0] == " " or token in ("\\to", "#"))


def _is_letter(token: Token) -> bool:
    return isinstance(token, str) and len(token) == 1 and token.isalpha() and token not in ("a", "I", "A")
