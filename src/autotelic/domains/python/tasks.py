"""The texts: what a solver and a proposer are shown, and what they would write if they were right.

Texts are compact because a model of a million parameters reads them. Every prompt begins with the special
token of its mode and ends with a newline; every completion ends where its answer ends.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from autotelic.domains.literal import canonical
from autotelic.domains.python.execution import Outcome
from autotelic.domains.python.inputs import PROBES, kind_of
from autotelic.domains.python.program import Program, ProgramError, parse_program
from autotelic.types import Cell, Json, Lineage, Task, Verdict

NAME = "python"
_CALL = re.compile(r"^(?:<\|induction\|>)?f\(.*\)==(.*\n)", re.MULTILINE)
"""A call as prompts show it, and what it returns."""
MODES = ("deduction", "abduction", "induction", "repair")
PROGRAMS = ("induction", "repair")
"""The modes whose answer is a program."""
REPAIR = "<|repair|>"
"""Between a failed program and what it printed."""
SPECIAL = ("<|deduction|>", "<|abduction|>", "<|induction|>", REPAIR, "<|propose|>", "<|task|>")
"""Tokens of their own in a tokenizer trained for this domain."""
SHOWN = 4
"""Pairs an induction shows."""
HELD_BACK = 4
"""Pairs that it holds back, and that decide."""
MAX_FEEDBACK = 60
"""Characters of one value in what a failed program printed; longer ones read `!long`."""


def make_task(
    cell: Cell,
    program: Program,
    pairs: Sequence[tuple[Json, Json]],
    trace: Sequence[Json],
    probed: Outcome,
    lineage: Lineage,
    failed: str = "",
    *,
    common: bool = False,
) -> Task:
    """A task of the cell's mode. `trace` holds the values after each line on the first pair's input, `probed`
    what the program does on the probes of its kind of input, `failed` the failed turn that a repair shows.
    `common` says that a single operation behaves like the program.
    """
    (given, output), kind = pairs[0], kind_of(pairs[0][0])
    about: list[Json] = [given] if cell.mode == "deduction" else [output] if cell.mode == "abduction" else []
    if common and cell.mode in PROGRAMS:
        about = [a for a, _ in pairs[:SHOWN]]
    if cell.mode == "deduction":
        prompt = f"<|deduction|>{program}\nf({canonical(given)})\n"
    elif cell.mode == "abduction":
        prompt = f"<|abduction|>{program}\nf(?)=={canonical(output)}\n"
    else:
        prompt = _induction_prompt(pairs) + failed
    secret = {
        "program": str(program),
        "kind": kind,
        "pairs": [[a, b] for a, b in pairs],
        "trace": list(trace),
    }
    return Task(
        id=id_of(cell.mode, prompt),
        domain=NAME,
        mode=cell.mode,
        level=cell.level,
        prompt=prompt,
        secret=secret,
        signature=_signature(cell.mode, behaviour(kind, probed), about),
        cluster=cluster(kind, probed),
        lineage=lineage,
    )


def mending(task: Task, answer: str, verdict: Verdict, lineage: Lineage) -> Task | None:
    """The repair that starts from a failed answer to an induction or a repair: its pairs, the program as it
    was written, comments included, and what its tests printed. It keeps the secret and the signature.

    None where no repair can start: the answer was right, belongs to another mode, is no program, or spells
    what could be read as a special token.
    """
    if task.mode not in PROGRAMS or verdict.passed or not verdict.feedback or "<|" in answer:
        return None
    try:
        parse_program(answer)
    except ProgramError:
        return None
    prompt = _induction_prompt(task.secret["pairs"]) + answer.strip("\n") + verdict.feedback
    return replace(task, id=id_of("repair", prompt), mode="repair", prompt=prompt, lineage=lineage)


def proposal_text(program: Program | str, given: Json) -> str:
    """How a proposer writes a task down: the program, and an input."""
    return f"{program}\nf({canonical(given)})"


def proposal_of(task: Task) -> str:
    """The text that would have proposed this task."""
    return proposal_text(task.secret["program"], task.secret["pairs"][0][0])


def ask_text(cell: Cell, references: Sequence[Task]) -> str:
    """The prompt that asks a proposer for a task of this cell, after at most two programs to depart from."""
    shown = "".join(f"{task.secret['program']}\n" for task in references[:2])
    return f"<|propose|>{cell.mode} {cell.level}\n{shown}<|task|>"


def worked_text(task: Task) -> str:
    """A completion that is right, with what x is on the way, from the trace in the secret."""
    secret: Mapping[str, Any] = task.secret
    values = [canonical(value) for value in secret["trace"]]
    if task.mode == "deduction":
        return "\n".join(values)
    if task.mode == "abduction":
        return "\n".join([*reversed(values[:-1]), canonical(secret["pairs"][0][0])])
    return parse_program(secret["program"]).annotated(tuple(values))


def answer_text(mode: str, completion: str) -> str:
    """The part of a completion that is judged: its last line, or all of it where it is a program."""
    return completion if mode in PROGRAMS else completion.rpartition("\n")[2]


def told_spans(task: Task) -> list[tuple[int, int]]:
    """The outputs that an induction shows, from the second on: who has seen from the first what the program does can
    say them. In a repair too; in prompts of other modes there are none.
    """
    if task.mode not in PROGRAMS:
        return []
    shown = list(_CALL.finditer(task.prompt))[1:SHOWN]
    return [match.span(1) for match in shown]


def feedback_text(task: Task, outcome: Outcome) -> str:
    """What a failed program's own tests printed: its outputs, or `!` and why there is none, on the shown
    pairs in their order. Nothing of the pairs held back.
    """
    shown = task.secret["pairs"][:SHOWN]
    return printed_tests([given for given, _ in shown], outcome)


def printed_tests(inputs: Sequence[Json], outcome: Outcome) -> str:
    """The first rows of an outcome as the lines of a failed test run."""
    lines = [f"f({canonical(given)})=={_printed(outcome, i)}\n" for i, given in enumerate(inputs)]
    return REPAIR + "".join(lines)


def _printed(outcome: Outcome, i: int) -> str:
    if outcome.stop:
        return f"!{outcome.stop}"
    row = outcome.rows[i]
    if isinstance(row, str):
        return f"!{row}"
    text = canonical(row[-1])
    return text if len(text) <= MAX_FEEDBACK else "!long"


def _induction_prompt(pairs: Sequence[Sequence[Json]]) -> str:
    shown = (f"f({canonical(given)})=={canonical(output)}\n" for given, output in pairs[:SHOWN])
    return "<|induction|>" + "".join(shown)


def id_of(mode: str, prompt: str) -> str:
    """A task's id: whoever is asked the same has the same task."""
    return digest([NAME, mode, prompt])[:16]


def digest(parts: Json) -> str:
    """A hash of plain data, in hexadecimal."""
    return hashlib.sha256(canonical(parts).encode()).hexdigest()


def behaviour(kind: str, probed: Outcome) -> str:
    """A key of what a program does: its outputs on the probes of its kind of input."""
    outputs: list[Json] = [row if isinstance(row, str) else [row[-1]] for row in probed.rows]
    return digest([kind, outputs])[:32]


def _signature(mode: str, does: str, about: list[Json]) -> str:
    """What is asked, by behaviour. A deduction and an abduction are about one input or output. An induction is
    about the behaviour alone, so that a sealed one is never practised on any pairs; only where a single
    operation behaves so is it about the shown inputs too, because of such behaviours there are about a
    hundred, and sealing some would take the operations themselves away. A repair asks for the same program as the
    induction it began as, so that a sealed induction also seals its repairs.
    """
    return digest(["induction" if mode == "repair" else mode, does, about])[:32]


def cluster(kind: str, probed: Outcome) -> str:
    """A coarse key of behaviour, such as `ints>ints shorter kept`."""
    pairs = [
        (given, row[-1])
        for given, row in zip(PROBES[kind], probed.rows, strict=True)
        if not isinstance(row, str)
    ]
    kinds = sorted({kind_of(output) or type(output).__name__ for _, output in pairs})
    marks = [f"{kind}>{'|'.join(kinds)}"]
    if all(isinstance(given, list | str) and isinstance(output, list | str) for given, output in pairs):
        sizes = {(len(output) > len(given)) - (len(output) < len(given)) for given, output in pairs}  # type: ignore[arg-type]
        marks.append("longer" if 1 in sizes else "shorter" if -1 in sizes else "same length")
        kept = all(set(map(str, output)) <= set(map(str, given)) for given, output in pairs)  # type: ignore[arg-type]
        marks.append("kept" if kept else "changed")
    elif kinds == ["int"]:
        outputs = [abs(output) for _, output in pairs if isinstance(output, int)]
        marks.append("digit" if max(outputs) < 10 else "hundred" if max(outputs) < 1000 else "large")
        if kind == "ints" and all(isinstance(given, list) and output in given for given, output in pairs):
            marks.append("kept")
    return " ".join(marks)
