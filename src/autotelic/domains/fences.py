"""Code fences, and what else language models put around what they were asked to write alone.

Only the natural style of a domain reads through them: a model trained on compact texts that writes a fence has
written something else than it was taught.
"""

from __future__ import annotations

import ast
import re
import textwrap
import warnings
from dataclasses import dataclass

_MARK = re.compile(r"`{3,}|(?<!\S)~{3,}")
_LANGUAGE = re.compile(r"[A-Za-z][\w+#.-]*(?=\s|$)")
LANGUAGES = frozenset(
    ["python", "py", "python3", "py3", "pycon", "json", "text", "txt", "plaintext", "console", "output"]
)
"""Names of languages behind which a block's own text may stand on the line of its fence."""
_THOUGHT = re.compile(
    r"\A.*(?:</(?:think(?:ing)?|thought|reasoning|scratchpad)>|<\|channel\|>final<\|message\|>)", re.DOTALL
)
_END = re.compile(
    r"(?<!['\"])(?:<\|(?:im_end|endoftext|eot_id|eom_id|end|return|end_of_text|im_start|EOT)\|>|</s>|<eos>|<end_of_turn>"
    r"|<｜end▁of▁sentence｜>|\[/INST\]).*",
    re.DOTALL,
)
"""Where a turn ends, in the marks of a model's template, and what it wrote on behind them."""
_QUOTED = re.compile(r"^[ \t]*(?:>>>|\.\.\.|>)(?: |$)", re.MULTILINE)
"""What a console, or a mail, puts before a line."""
_SHELL = re.compile(
    r"(?<!['\"])</?(?:answer|solution|code|python|pre)(?:\s[^<>\n]*)?>|[\u200b\u2060\ufeff]"
    r"|^(?:final )?answer:[ \t]+(?=def )",
    re.IGNORECASE | re.MULTILINE,
)
"""What may stand on a program's own line: tags, a label, what cannot be seen."""
_DEFINITION = re.compile(r"[ \t]*(?:async[ \t]+)?def[ \t]+f[ \t]*\(")


def source_text(text: str) -> str:
    r"""Text with the line ends that Python reads as one, and without a byte order mark.

    >>> source_text("\ufeffa\r\nb\rc")
    'a\nb\nc'
    """
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


@dataclass(frozen=True, slots=True)
class Piece:
    """A line, and the number of the block that it is in; 0 outside of blocks."""

    line: str
    block: int


def pieces(text: str) -> list[Piece]:
    """The lines of a text without its fences, which may open and close anywhere on a line."""
    found: list[Piece] = []
    mark, block = "", 0
    for line in source_text(text).split("\n"):
        rest = line
        while True:
            match = _closing(rest, mark) if mark else _MARK.search(rest)
            if match is None:
                found.append(Piece(rest, block if mark else 0))
                break
            before, after = rest[: match.start()], rest[match.end() :]
            if before.strip():
                found.append(Piece(before, block if mark else 0))
            if mark and not _LANGUAGE.match(after):
                mark, rest = "", after
            else:  # a fence opens, even where the last one was left open
                mark, block, rest = match[0], block + 1, _without_language(after)
            if not rest.strip():
                break
    return found


def _closing(line: str, mark: str) -> re.Match[str] | None:
    """Where a block ends on a line: a run of its own mark, at least as long."""
    return re.search(f"{re.escape(mark)}{re.escape(mark[0])}*", line)


def _without_language(text: str) -> str:
    """What stands on the line of a fence, without the name of a language and what is said about the block."""
    text = text.strip()
    name, _, rest = text.partition(" ")
    if name.lower() in LANGUAGES:
        return "" if re.match(r"[{\w.-]+=", rest) else rest
    return "" if not rest and _LANGUAGE.fullmatch(name) else text


def without_fences(text: str) -> str:
    """The lines that are neither fences nor blank.

    >>> without_fences("```python\\n[6,4]\\n```\\n\\n10")
    '[6,4]\\n10'
    """
    return "\n".join(piece.line for piece in pieces(text) if piece.line.strip())


def own_turn(text: str) -> str:
    """A turn without the thinking before it, where that is marked and closed, and without the mark of its end.

    >>> own_turn("<think>It may be 3.</think>4<|im_end|>")
    '4'
    """
    return _END.sub("", _THOUGHT.sub("", text))


def last_block(text: str) -> str:
    """What the last fenced block holds, closed or cut off; all of a text that has none. Blank lines are left out.

    >>> last_block("Here it is:\\n```python\\ndef f(x):\\n    return x\\n```\\nIt works.")
    'def f(x):\\n    return x'
    """
    found = [piece for piece in pieces(text) if piece.line.strip()]
    last = max((piece.block for piece in found), default=0)
    return "\n".join(piece.line for piece in found if piece.block == last)


def program_block(text: str, *, tests: bool = False, call: bool = False) -> str:
    """The function `f` that a text defines last, out of its fence, without what else stands there.

    That is thinking, sentences and imports before it, and what uses it after it. With `tests` the assert statements
    that follow are kept, with `call` the last line that calls it; both may stand in a block of their own. A text
    that defines no `f` gives its last block.

    >>> program_block("So:\\n```\\ndef f(x):\\n    return x\\n```\\nUse it:\\n```\\nprint(f(1))\\n```")
    'def f(x):\\n    return x'
    """
    text = _SHELL.sub("\n", own_turn(source_text(text)))
    found = pieces(text)
    starts = [at for at, piece in enumerate(found) if _DEFINITION.match(piece.line)]
    if not starts and re.search(r"^[ \t]*>+ (?:async[ \t]+)?def[ \t]", text, re.MULTILINE):
        return program_block(_QUOTED.sub("", text), tests=tests, call=call)
    if not starts:
        return last_block(text)
    start = starts[-1]
    while start and found[start - 1].line.lstrip().startswith("@"):
        start -= 1
    block = found[start].block
    lines = textwrap.dedent("\n".join(p.line for p in found[start:] if p.block == block)).split("\n")
    end = _function_end(lines)
    kept = [line for line in lines[:end] if line.strip()]
    rest = [*lines[end:], *(p.line for p in found[start:] if p.block != block)]
    if tests:
        kept += _asserts(rest)
    if call:
        kept += [line.strip(" `") for line in rest if re.fullmatch(r"[ `]*f\(.*\)[ `]*", line)][-1:]
    return "\n".join(kept)


def _function_end(lines: list[str]) -> int:
    """How many lines a function takes that begins with the first: to where Python reads a whole one."""
    decorated = next((at for at, line in enumerate(lines) if _DEFINITION.match(line)), 0)
    ends = [
        at for at, line in enumerate(lines) if at > decorated and line.strip() and line[0] not in " \t#)]}\f"
    ]
    for end in [*ends, len(lines)]:
        if _is_source("\n".join(lines[:end])):
            return end
    return (ends or [len(lines)])[0]


def _is_source(text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd Python is not the user's concern
            ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _asserts(lines: list[str]) -> list[str]:
    """The assert statements among lines, each on one."""
    found: list[str] = []
    held = ""
    for line in lines:
        if not held and not re.match(r"assert\b", line):
            continue
        held = f"{held} {line.strip()}" if held else line
        if _is_source(held):
            found.append(held)
            held = ""
    return [*found, held] if held else found
