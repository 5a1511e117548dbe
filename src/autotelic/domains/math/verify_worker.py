"""The process that reads LaTeX answers with math-verify: a JSON request a line in, a word a line out.

It is run by path, imports nothing of autotelic, and is killed when it takes too long. Only math-verify's
LaTeX reader is used: its reader of plain expressions hands text to Python's `eval`.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import sys


def main() -> None:
    """Answer each `{"gold": LaTeX, "answer": LaTeX}` with `right`, `wrong` or `format` until input ends."""
    logging.disable(logging.CRITICAL)
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a library prints must not be taken for a reply
    from math_verify import LatexExtractionConfig, parse, verify

    # After the imports, which need more than an answer does.
    resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))
    reader = (LatexExtractionConfig(boxed_match_priority=0),)
    # The first use of the parser loads its tables, which is no answer's time.
    half = parse("\\boxed{\\frac{1}{2}}", reader, fallback_mode="no_fallback", parsing_timeout=None)
    verify(half, half, strict=True, timeout_seconds=None)
    print("ready", file=replies)
    for line in sys.stdin:
        request = json.loads(line)
        gold, answer = (
            parse(f"\\boxed{{{request[key]}}}", reader, fallback_mode="no_fallback", parsing_timeout=None)
            for key in ("gold", "answer")
        )
        if not gold or not answer:
            print("format", file=replies)
        else:
            right = verify(gold, answer, strict=True, timeout_seconds=None)
            print("right" if right else "wrong", file=replies)


if __name__ == "__main__":
    main()
