"""The reader of mathematical answers against what nobody here wrote, and against what is written to break it.

    python -m bench.answers suite                 # math-verify's own test-suite, fetched with pip, about a minute
    python -m bench.answers suite --sdist FILE    # the same from an archive that is here already
    python -m bench.answers hostile               # 700 answers none of which is right, about ten minutes

`suite` takes the cases (gold, answer, expected) of math-verify's tests whose gold the domain can hold: a number, a
pair, a list of roots or a polynomial in x, written out, without units, percent or prose. It prints every
disagreement.

`hostile` judges each string three times: by the domain alone, by the domain with math-verify behind it, and by the
worker of math-verify without the guard before it, which only has to survive. Nothing in it is a right answer, so that
every `right` is a false accept.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import random
import re
import subprocess
import sys
import tarfile
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from autotelic.domains.math import MathDomain, Verifier
from autotelic.domains.math.answers import read_answer, readings
from autotelic.domains.math.language import ProblemError
from autotelic.domains.math.passages import find_answer
from autotelic.domains.math.problem import Shape
from autotelic.types import Cell, Episode, Lineage, Proposal, Task

SDIST = "math_verify-0.9.0.tar.gz"
SHA256 = "45ac6c61344ba056b9e99a660a4bc8d044ed408f730aed68c60435aa5eec4645"
SHAPES: tuple[Shape, ...] = ("number", "polynomial", "pair", "roots")
GOLD = re.compile(r"[-+0-9.,;/ (){}=xy^]*|.*\\(?:frac|pm|begin\{pmatrix\}).*")
"""What a gold looks like that the domain can hold: digits, signs and fractions."""


def fetched(given: Path | None) -> Path:
    """The archive of math-verify, verified by its hash."""
    if given is None:
        folder = Path(tempfile.mkdtemp())
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:"]
        subprocess.run([*command, "-d", str(folder), "math-verify==0.9.0"], check=True)
        given = folder / SDIST
    found = hashlib.sha256(given.read_bytes()).hexdigest()
    if found != SHA256:
        raise SystemExit(f"{given} has the hash {found}, expected {SHA256}: fetch it again")
    return given


def cases(archive: Path) -> Iterator[tuple[str, str, bool]]:
    """Every (gold, answer, expected) that its tests are parametrised with."""
    with tarfile.open(archive) as tar:
        for member in tar.getmembers():
            source = tar.extractfile(member) if "/tests/test_" in member.name else None
            if source is None:
                continue
            for node in ast.walk(ast.parse(source.read())):
                for decorator in node.decorator_list if isinstance(node, ast.FunctionDef) else ():
                    yield from _rows(decorator)


def _rows(decorator: ast.expr) -> Iterator[tuple[str, str, bool]]:
    if not (isinstance(decorator, ast.Call) and len(decorator.args) == 2):
        return
    try:
        rows = ast.literal_eval(decorator.args[1])
    except ValueError:
        return
    for row in rows:
        if len(row) >= 3 and isinstance(row[0], str) and isinstance(row[1], str) and row[2] in (0, 1):
            yield row[0], row[1], bool(row[2])


def held(gold: str) -> tuple[Shape, str] | None:
    """The shape and the canonical text of a gold, or None where the domain cannot hold it."""
    shown = gold.strip().strip("$").strip()
    boxed = re.fullmatch(r"\\?\\?\\boxed\{([^{}]*)\}", shown)
    shown = boxed[1] if boxed else shown
    words = re.sub(r"\\[a-z]+|\{pmatrix\}", "", shown)
    if not GOLD.fullmatch(shown) or "%" in shown or re.search("[a-wzA-Z]{2}", words):
        return None
    for shape in SHAPES:
        try:
            return shape, read_answer(shape, shown)
        except ProblemError:
            continue
    return None


def suite(archive: Path) -> None:
    """Print the counts, and each disagreement with what the domain says of it."""
    counts: Counter[str] = Counter()
    apart = []
    every = list(cases(archive))
    for gold, answer, expected in every:
        if (hold := held(gold)) is None:
            continue
        try:
            reason = "right" if hold[1] in readings(hold[0], find_answer(answer)) else "another value"
        except ProblemError as error:
            reason = f"{error.reason}: {error.detail}"
        right = reason == "right"
        counts["agree" if right == expected else "false accept" if right else "false reject"] += 1
        if right != expected:
            apart.append(f"gold {gold!r}, answer {answer[-90:]!r}: {reason}")
    print(f"{len(every)} cases, {sum(counts.values())} with a gold that the domain can hold: {dict(counts)}")
    print("\n".join(apart))


READERS = ("alone", "behind", "worker")
TASKS = (
    ("solve", 1, "84/12"),
    ("solve", 3, "9/2-1"),
    ("solve", 6, "x^2-5x+6=0"),
    ("solve", 5, "2x+3y=13;x-y=-1"),
    ("solve", 7, "expand (x+2)*(x-3)"),
    ("solve", 8, "C(20,5)"),
)
SAID_AGAIN = {
    "84/12": (
        "84/12",
        r"\frac{84}{12}",
        r"\frac {84} {12}",
        r"\dfrac{{84}}{12}",
        r"84 \div 12",
        "84:12",
        "⁸⁴⁄₁₂",
    ),
    "9/2-1": (
        "9/2-1",
        r"\frac92-1",
        r"\frac{9}{2} - 1",
        "4½-1",
        "4.5-1",
        r"-1+\tfrac{9}{2}",
        r"4\frac12 - 1",
    ),
    "x^2-5x+6=0": ("x^2-5x+6=0", "(x-2)(x-3)=0", r"x=\frac{5\pm1}{2}", r"x=\frac{4}{2}, x=\frac{6}{2}"),
    "2x+3y=13;x-y=-1": ("2x+3y=13, x-y=-1", r"\begin{cases}2x+3y=13\\x-y=-1\end{cases}", "x=4/2, y=6/2"),
    "expand (x+2)*(x-3)": ("(x+2)(x-3)", r"(x+2)\cdot(x-3)", r"\left(x-3\right)\left(x+2\right)", "x(x-1)-6"),
    "C(20,5)": ("C(20,5)", r"\binom{20}{5}", r"{20 \choose 5}", r"{}_{20}C_5", "20 choose 5", "C_{20}^5"),
}
WRAPPERS = (
    "{}", r"\text{{{}}}", r"\boxed{{{}}}", r"\mathbf{{{}}}", r"\left({}\right)", r"${}$", r"\[{}\]",
    "{{{}}}", "**{}**",
    r"\displaystyle {}", r"\textbf{{{}}}", "The answer is {}.", r"\boxed{{\text{{{}}}}}",
    r"\color{{red}}{}", "= {}",
    r"\begin{{align*}}{}\end{{align*}}", "`{}`", r"\mathrm{{{}}}", r"\underline{{{}}}", r"\quad {} \quad",
)  # fmt: skip
DENIED = (
    "not 7", "7 or 8", "7, 8", "-7", "−7", "minus 7", "7!", "7^7", "|-7|", "[7]", "[7, 7]", "7'", "7_8",
    "7e0", "0x7",
    "13=7", "7=8", "7 < 8", r"\neg 7", r"\not= 7", "7...", "7?", "twice 7", "7 squared", "7 million",
    "half of 14",
    r"\frac{7}{0}", "7/0", "7%", r"\sqrt{7}", r"\overline{7}", "7i", r"7\infty", "1/7", "7/2/1", "07",
    "7 8", "{7", "7}",
    r"\boxed{7", "7**7", "7//1", "int(7)", "lambda: 7+0", "7 if 1 else 8", "True*7", "chr(55)", "len('seven')",
    "int(7)", "sqrt(49)", "14 by 7", "9 take away 7", "subtract 1 from 7 + 1", "7 - 0", "7(1)",
    "(7)(1)", "x7", "7k", "A7B",
    r"\lfloor 7 \rfloor", r"\det(7)", r"\max(7,1)", "7:1:1", "7 > 6", "at most 7",
    "somewhere near 8 or 7", r"7 \approx 8",
)  # fmt: skip
BOMBS = (
    "9^{9^{9^{9}}}", "9**9**9**9", "(((9!)!)!)!", r"\sum_{n=1}^{10^{12}} n^{n}", r"\prod_{n=1}^{10^9} n",
    r"\int_0^\infty e^{-x^{x^{x}}}dx", r"\lim_{x\to 0} x^{x^{x}}", r"\sqrt[99]{99^{99^{99}}}",
    r"\binom{10^9}{10^8}",
    r"(x+y)^{10000}", r"\frac{1}{1-\frac{1}{1-\frac{1}{x}}}", r"\sin(\cos(\tan(9^{9^9})))", "10^10^10",
    "1e999999999",
    r"\begin{pmatrix}" + r"1&2\\" * 40 + r"\end{pmatrix}^{99}", "9" * 390, "0." + "3" * 390, r"x^{9999999999}",
    r"\gcd(2^{9999}-1,3^{9999}-1)", r"2^{2^{2^{2^{2^{2}}}}}", "__import__('os').system('id')",
    "().__class__.__bases__",
    r"\operatorname{factorint}(10^{60}+7)", r"(1+x)^{(1+x)^{(1+x)}}", "x=" * 190, r"\zeta(99!)",
    r"\Gamma(10^9)",
)  # fmt: skip
SOUP = (
    "{", "}", "(", ")", "[", "]", "\\", "^", "_", "$", "&", "\\\\", "\\frac", "\\text{", "\\left",
    "\\right", "\\boxed{", "1",
    "4", "9", "/", "-", "+", "*", "=", ",", ";", " ", "\n", "x", "\\sqrt", "\\binom", "\\pm",
    "\\overline", "or", "and",
    "%", "!", ".", ":", "?", "½", "²", "⁄", "\u202e", "\u200b", "\x00", "\x07", "\x1b[0m", "é",
    "e\u0301", "🎲", "ﷺ", "𝟗",
)  # fmt: skip


def hostile(seed: int, count: int) -> Iterator[tuple[tuple[str, int, str], str, str]]:
    """(task, kind, answer), as many of each kind as of any other."""
    rng = random.Random(seed)
    kinds: tuple[tuple[str, Callable[[str], str]], ...] = (
        ("said again", lambda problem: _wrapped(rng, rng.choice(SAID_AGAIN[problem]))),
        ("denied", lambda problem: rng.choice(DENIED)),
        ("bomb", lambda problem: _wrapped(rng, rng.choice(BOMBS))),
        ("nested", lambda problem: _nested(rng)),
        ("soup", lambda problem: "".join(rng.choices(SOUP, k=rng.randint(3, 120)))),
        ("repeated", lambda problem: rng.choice(SOUP) * rng.choice((50, 399, 5_000, 100_000))),
        ("unicode", lambda problem: "".join(chr(rng.randint(1, 0x2FFF)) for _ in range(rng.randint(1, 390)))),
    )
    for at in range(count):
        kind, make = kinds[at % len(kinds)]
        task = TASKS[0] if kind == "denied" else TASKS[rng.randrange(len(TASKS))]
        yield task, kind, make(task[2])


def _wrapped(rng: random.Random, text: str) -> str:
    for _ in range(rng.randint(0, 4)):
        text = rng.choice(WRAPPERS).format(text)
    return text


def _nested(rng: random.Random) -> str:
    opening, inside, closing = rng.choice(
        (("{", "9", "}"), ("(", "9", ")"), (r"\frac{1}{", "9", "}"), (r"\text{", "9", "}"), ("x^{", "9", "}"))
    )
    depth = rng.choice((5, 20, 60, 300))
    return opening * depth + inside + closing * (depth - rng.randint(0, 1))


def attack(count: int, seed: int, names: list[str]) -> None:
    """Print how many were taken for right, and how long the slowest took, for each of the three readers."""
    alone = MathDomain(style="natural")
    with Verifier(wall_s=2.0) as verifier:
        behind = MathDomain(style="natural", verifier=verifier)
        verifier.compare([("1", "1")])  # the start of the worker is no answer's time
        counts: Counter[tuple[str, str, str]] = Counter()
        slowest = dict.fromkeys(names, (0.0, "", ""))
        for (mode, level, problem), kind, answer in hostile(seed, count):
            cell = Cell(mode=mode, level=level)
            (task,) = alone.admit([Proposal(text=problem, cell=cell, lineage=Lineage())])
            assert isinstance(task, Task)
            readers: dict[str, Callable[[], str]] = {
                "alone": lambda task=task, answer=answer: _reason(alone, task, answer),
                "behind": lambda task=task, answer=answer: _reason(behind, task, answer),
                "worker": lambda answer=answer: verifier.compare([("7", answer[:400])])[0],
            }
            for name in names:
                judge = readers[name]
                start = time.perf_counter()
                said = judge()
                taken = time.perf_counter() - start
                counts[name, kind, said] += 1
                slowest[name] = max(slowest[name], (taken, kind, answer[:60]))
                if name != "worker" and said == "right":
                    print(f"FALSE ACCEPT ({name}): {problem} {answer[:200]!r}")
    print(f"{count} answers, seed {seed}")
    for name, (taken, kind, answer) in slowest.items():
        said: Counter[str] = Counter()
        for (who, _, reason), n in counts.items():
            said[reason] += n if who == name else 0
        print(f"{name:<7} slowest {taken:.3f} s ({kind}: {answer!r}); right {said['right']} of {dict(said)}")


def _reason(domain: MathDomain, task: Task, answer: str) -> str:
    reply = domain.answer(task.mode, answer)
    (verdict,) = domain.judge([(task, Episode(task_id=task.id, steps=(), answer=reply))])
    return verdict.reason


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=("suite", "hostile"))
    parser.add_argument("--sdist", type=Path)
    parser.add_argument("--count", type=int, default=700)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--readers", nargs="+", choices=READERS, default=list(READERS))
    given = parser.parse_args()
    if given.what == "suite":
        suite(fetched(given.sdist))
    else:
        attack(given.count, given.seed, given.readers)


if __name__ == "__main__":
    main()
