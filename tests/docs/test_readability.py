"""The mean sentence of each page has at most 20 words: most readers are not native speakers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from blocks import ROOT, pages

MOST = 20.0


def sentences(markdown: str) -> list[list[str]]:
    """The sentences of a page as words: of its paragraphs and items, not of code, tables, headings and comments."""
    text = re.sub(r"^[ ]*```.*?^[ ]*```[ ]*$", "\n", markdown, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"<!--.*?-->", "\n", text, flags=re.DOTALL)
    text = re.sub(r"^    .*$|^\s*\|.*$|^#.*$|^:::.*$", "\n", text, flags=re.MULTILINE)
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)", "", text)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"`[^`]*`", "code", text)
    text = re.sub(r"^\s*(?:[-*]|\d+\.)\s+", "\n\n", text, flags=re.MULTILINE)
    found = []
    for paragraph in re.split(r"\n\s*\n", text):
        for sentence in re.split(r"(?<=[.!?])[\"')*]*\s+", " ".join(paragraph.split())):
            words = re.findall(r"[A-Za-zÀ-ÿ][\w'’-]*|\d[\d.,]*", sentence)
            if len(words) > 1:
                found.append(words)
    return found


def mean(markdown: str) -> float:
    """Words a sentence."""
    found = sentences(markdown)
    return sum(map(len, found)) / len(found) if found else 0.0


def test_the_measure_counts_words() -> None:
    page = (
        "# A heading\n\nOne two three. Four `five six` seven!\n\n```\nnot this one\n```\n\n| nor | this |\n"
    )
    page += "\n- Eight nine.\n"
    assert [len(words) for words in sentences(page)] == [3, 3, 2]
    assert mean("word " * 30 + ".") > MOST


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_sentences_are_short(page: Path) -> None:
    found = mean(page.read_text(encoding="utf-8"))
    longest = max(sentences(page.read_text(encoding="utf-8")), key=len, default=[])
    assert 4 <= found <= MOST, (
        f"{found:.1f} words a sentence; the longest has {len(longest)}: {' '.join(longest)[:200]}"
    )
