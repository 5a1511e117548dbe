"""The code blocks of the README and of docs/, with what is said about each in a comment above it.

`<!-- not run: REASON -->` leaves a block out, `<!-- fails: REASON -->` expects its last command to fail.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
_FENCE = re.compile(
    r"^(?P<mark><!-- (?P<what>not run|fails): (?P<why>[^>]+) -->\n)?"
    r"(?P<indent>[ ]*)```(?P<language>[^\n]*)\n(?P<body>.*?)^(?P=indent)```[ ]*$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One block. `mark` is `not run`, `fails` or empty, `why` its reason."""

    page: Path
    line: int
    language: str
    body: str
    mark: str
    why: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def commands(self) -> list[str]:
        """The command lines of ours in it, joined where a backslash ends a line; without prompts and comments."""
        lines = self.body.replace("\\\n", " ").splitlines()
        found = [line.strip().removeprefix("$ ") for line in lines]
        return [line for line in found if re.match(r"(?:sudo -u \w+ )?autotelic\b", line)]


def blocks_of(page: Path) -> list[Block]:
    """The blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            page=page,
            line=text.count("\n", 0, found.start("language")) + 1,
            language=found["language"].strip().split(" ")[0],
            body=found["body"],
            mark=found["what"] or "",
            why=found["why"] or "",
        )
        for found in _FENCE.finditer(text)
    ]


def pages() -> list[Path]:
    """README and docs/, without the results, which tell of what was run elsewhere."""
    found = sorted((ROOT / "docs").rglob("*.md"))
    return [ROOT / "README.md", *(page for page in found if "results" not in page.parts)]


def all_blocks() -> Iterator[Block]:
    """Every block of every page."""
    for page in pages():
        yield from blocks_of(page)
