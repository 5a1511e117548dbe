"""Code fences, which language models put around what they were asked to write alone.

Only the natural style of a domain reads through them: a model trained on compact texts that writes a fence has
written something else than it was taught.
"""

from __future__ import annotations

_FENCE = "```"


def without_fences(text: str) -> str:
    """The lines that are neither fences nor blank.

    >>> without_fences("```python\\n[6,4]\\n```\\n\\n10")
    '[6,4]\\n10'
    """
    kept = [line for line in text.split("\n") if line.strip() and not _is_fence(line)]
    return "\n".join(kept)


def last_block(text: str) -> str:
    """What the last fenced block holds, closed or cut off; all of a text that has none. Blank lines are left out.

    >>> last_block("Here it is:\\n```python\\ndef f(x):\\n    return x\\n```\\nIt works.")
    'def f(x):\\n    return x'
    """
    lines = text.split("\n")
    fences = [at for at, line in enumerate(lines) if _is_fence(line)]
    if len(fences) % 2:
        lines = lines[fences[-1] + 1 :]
    elif fences:
        lines = lines[fences[-2] + 1 : fences[-1]]
    return without_fences("\n".join(lines))


def _is_fence(line: str) -> bool:
    return line.lstrip().startswith(_FENCE)
