"""Functions of the rules: blocks of statements composed at random.

A block takes one variable and leaves another, as a line of the straight-line grammar does, in one or two decisions
(`if`, `for`, `while`). A function of level k is made of blocks that take k decisions together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from autotelic.domains.functions.source import Function, parse_function
from autotelic.domains.programs.inputs import draw_kind
from autotelic.domains.programs.source import HEADER

NAMES = {"int": ("total", "n", "best"), "ints": ("out", "kept", "made"), "str": ("text", "word", "left")}
"""What blocks call what they leave, by its kind: the first that is not in use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Statements in which `{x}` is what is taken, `{y}` what is left, and `{e}`, `{p}`, ... are drawn from `PARTS`.

    `since` is the first level at which the rules use it.
    """

    takes: str
    gives: str
    decisions: int
    text: str
    since: int = 1


def _digit(low: int, high: int) -> Callable[[Random], str]:
    return lambda random: str(random.randint(low, high))


def _one_of(*templates: str) -> Callable[[Random], str]:
    """One of these, its `#` a digit from 1 to 9 (from 2 after a `*`, `//` or `%`)."""

    def draw(random: Random) -> str:
        chosen = random.choice(templates)
        low = 2 if any(mark in chosen for mark in ("* #", "// #", "% #")) else 1
        return chosen.replace("#", str(random.randint(low, 9)))

    return draw


PARTS: dict[str, Callable[[Random], str]] = {
    # of an element
    "e": _one_of("v + #", "v - #", "v * #", "v * v", "v % #", "v // #", "abs(v - #)", "# - v"),
    "g": _one_of("v", "v", "v + #", "v * #", "v * v", "v % #"),
    "p": _one_of("v > #", "v < #", "v % 2 == 0", "v % 2 == 1", "v % # == 0", "v != #"),
    # of a list
    "q": _one_of(
        "len(x) > 3", "sum(x) % 2 == 0", "x[0] > #", "x[-1] < #", "x[0] < x[-1]", "max(x) > #", "# in x"
    ),
    "l": _one_of(
        "x[::-1]", "sorted(x)", "x[1:]", "x[:-1]", "x + x[:1]", "x[1:] + x[:1]", "[v * # for v in x]"
    ),
    # of a whole number
    "r": _one_of("x > #0", "x % 2 == 0", "x % # == 0", "x < #0"),
    "n": _one_of("x + #", "x * #", "x - #", "x // #", "x % #"),
    "d": _digit(2, 9),
    # of a letter, and of a text
    "c": _one_of("c in 'ae'", "c > 'c'", "c == 'b'", "c != 'a'"),
    "t": _one_of("x[::-1]", "x.upper()", "x[1:]", "x + x[:1]", "x[1:] + x[:1]"),
    "w": _one_of("len(x) > 3", "x[0] == x[-1]", "x[0] < x[-1]", "'a' in x"),
}
"""What may stand in a block, by the letter in its text."""

BLOCKS: tuple[Block, ...] = (
    Block(takes="ints", gives="int", decisions=1, text="{y} = 0\nfor v in {x}:\n    {y} += {g}"),
    Block(takes="ints", gives="int", decisions=2, text="{y} = 0\nfor v in {x}:\n    if {p}:\n        {y} += {g}"),
    Block(takes="ints", gives="int", decisions=2, text="{y} = 0\nfor v in {x}:\n    if {p}:\n        {y} += 1"),
    Block(takes="ints", gives="int", decisions=2,
          text="{y} = {x}[0]\nfor v in {x}:\n    if v > {y}:\n        {y} = v"),
    Block(takes="ints", gives="int", decisions=2,
          text="{y} = 0\nfor i in range(len({x}) - 1):\n    if {x}[i] < {x}[i + 1]:\n        {y} += 1"),
    Block(takes="ints", gives="ints", decisions=1, text="{y} = []\nfor v in {x}:\n    {y}.append({e})"),
    Block(takes="ints", gives="ints", decisions=2,
          text="{y} = []\nfor v in {x}:\n    if {p}:\n        {y}.append({g})"),
    Block(takes="ints", gives="ints", decisions=2,
          text="{y} = []\nfor v in {x}:\n    if {p}:\n        {y}.append({e})\n    else:\n        {y}.append(v)"),
    Block(takes="ints", gives="ints", decisions=2,
          text="{y} = []\nfor v in {x}:\n    if {p}:\n        break\n    {y}.append({g})"),
    Block(takes="ints", gives="ints", decisions=1,
          text="{y} = []\nfor i, v in enumerate({x}):\n    {y}.append(v * i)"),
    Block(takes="ints", gives="ints", decisions=1,
          text="s = 0\n{y} = []\nfor v in {x}:\n    s += v\n    {y}.append(s)"),
    Block(takes="ints", gives="ints", decisions=1,
          text="{y} = []\nfor i in range(len({x}) - 1):\n    {y}.append({x}[i + 1] - {x}[i])"),
    Block(takes="ints", gives="ints", decisions=1, text="if {q}:\n    {y} = {l}\nelse:\n    {y} = {l}"),
    Block(takes="ints", gives="ints", decisions=2,
          text="{y} = []\nfor v in {x}:\n    if v not in {y}:\n        {y}.append(v)"),
    Block(takes="int", gives="int", decisions=1, text="if {r}:\n    {y} = {n}\nelse:\n    {y} = {n}"),
    Block(takes="int", gives="int", decisions=1,
          text="m = {x}\n{y} = 0\nwhile m > 0:\n    {y} += m % 10\n    m //= 10"),
    Block(takes="int", gives="int", decisions=1, text="m = {x}\n{y} = 0\nwhile m > {d}:\n    m //= 2\n    {y} += m"),
    Block(takes="int", gives="int", decisions=1, text="{y} = 0\nfor i in range({x} % {d} + 1):\n    {y} += i * {d}"),
    Block(takes="int", gives="ints", decisions=1,
          text="m = {x}\n{y} = []\nwhile m > 0:\n    {y}.append(m % {d})\n    m //= 10"),
    Block(takes="int", gives="ints", decisions=2,
          text="{y} = []\nfor v in range({x} % 9 + 2):\n    if {p}:\n        {y}.append({g})"),
    Block(takes="str", gives="int", decisions=2,
          text="{y} = 0\nfor c in {x}:\n    if {c}:\n        {y} += 1", since=4),
    Block(takes="str", gives="str", decisions=2,
          text="{y} = ''\nfor c in {x}:\n    if {c}:\n        {y} += c", since=4),
    Block(takes="str", gives="str", decisions=1, text="{y} = ''\nfor c in {x}:\n    {y} = c + {y}", since=4),
    Block(takes="str", gives="str", decisions=1, text="if {w}:\n    {y} = {t}\nelse:\n    {y} = {t}", since=4),
    Block(takes="str", gives="ints", decisions=1,
          text="{y} = []\nfor c in {x}:\n    {y}.append(ord(c) - 97)", since=4),
)  # fmt: skip


def draw_function(random: Random, level: int) -> tuple[str, Function]:
    """A kind of input, and a function of `level` decisions on it."""
    kind = first = draw_kind(random, level)
    name, lines, left = "x", [], level
    while left:
        fitting = [b for b in BLOCKS if b.takes == kind and b.decisions <= left and b.since <= level]
        block = random.choice(fitting)
        given, name = name, next(n for n in NAMES[block.gives] if n != name)
        lines += _filled(random, block, given, name)
        kind, left = block.gives, left - block.decisions
    body = "".join(f"    {line}\n" for line in lines)
    return first, parse_function(f"{HEADER}\n{body}    return {name}")


def _filled(random: Random, block: Block, taken: str, left: str) -> list[str]:
    text = block.text
    for letter, draw in PARTS.items():
        while f"{{{letter}}}" in text:
            part = draw(random)
            # Parts of a list, a number or a text are written with `x` for what the block takes.
            text = text.replace(f"{{{letter}}}", _of(part, taken) if letter in "qlrntw" else part, 1)
    return text.replace("{x}", taken).replace("{y}", left).split("\n")


def _of(part: str, name: str) -> str:
    """The part with `name` in place of the variable `x`."""
    return "".join(
        name if letter == "x" and not _inside_word(part, at) else letter for at, letter in enumerate(part)
    )


def _inside_word(text: str, at: int) -> bool:
    return text[at - 1 : at].isalpha() or text[at + 1 : at + 2].isalpha()
