"""The texts: what a solver and a proposer are shown, and what they would write if they were right.

Texts are compact because a model of a million parameters reads them. Every prompt begins with the special
token of its mode and ends with a newline; every completion ends where its answer ends.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from autotelic.domains.literal import LiteralError, canonical, parse_literal
from autotelic.domains.programs.admission import Evidence, proposal_text
from autotelic.domains.programs.behaviour import behaviour, cluster, digest, form_of
from autotelic.domains.programs.execution import Outcome
from autotelic.domains.programs.modes import PROGRAMS, SHOWN
from autotelic.domains.programs.source import ProgramError
from autotelic.domains.python.program import Program, parse_program
from autotelic.errors import DomainError
from autotelic.types import Cell, Json, Lineage, Task, Verdict, text_of

NAME = "python"
_CALL = re.compile(r"^(?:<\|induction\|>)?f\(.*\)==(.*\n)", re.MULTILINE)
"""A call as prompts show it, and what it returns."""
_WRITTEN = re.compile(r"f\((.*)\)\s*==?\s*(.*)")
"""A call as a person may write it."""
REPAIR = "<|repair|>"
"""Between a failed program and what it printed."""
SPECIAL = ("<|deduction|>", "<|abduction|>", "<|induction|>", REPAIR, "<|propose|>", "<|task|>")
"""Tokens of their own in a tokenizer trained for this domain."""
MAX_FEEDBACK = 60
"""Characters of one value in what a failed program printed; longer ones read `!long`."""


def make_task(evidence: Evidence[Program], failed: str = "", *, common: bool = False) -> Task:
    """The task of a draft that passed. `failed` is the failed turn that a repair shows; `common` says that a
    single operation behaves like the program.
    """
    cell, program, kind = evidence.cell, evidence.draft.program, evidence.draft.kind
    pairs, probed = evidence.pairs, evidence.probed
    given, output = pairs[0]
    about: list[Json] = [given] if cell.mode == "deduction" else [output] if cell.mode == "abduction" else []
    if common and cell.mode in PROGRAMS:
        about = [a for a, _ in pairs[:SHOWN]]
    if cell.mode == "deduction":
        prompt = f"<|deduction|>{program}\nf({canonical(given)})\n"
    elif cell.mode == "abduction":
        prompt = f"<|abduction|>{program}\nf(?)=={canonical(output)}\n"
    else:
        prompt = _induction_prompt(pairs) + failed
    return Task(
        domain=NAME,
        mode=cell.mode,
        level=cell.level,
        prompt=prompt,
        secret={
            "program": str(program),
            "kind": kind,
            "pairs": [[a, b] for a, b in pairs],
            "trace": list(evidence.trace),
        },
        signature=_signature(cell.mode, behaviour(kind, probed), about),
        cluster=cluster(kind, probed),
        form=form_of(kind, probed),
        lineage=evidence.draft.lineage,
    )


def repair_of(task: Task, answer: str, verdict: Verdict, lineage: Lineage) -> Task | None:
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
    whence = replace(lineage, references=(task.id,))
    return replace(task, mode="repair", prompt=prompt, is_repair=True, lineage=whence, id="")


def posed(text: str) -> Task:
    """The induction of these calls, as a person writes them. All are shown, so none is held back.

    Raises DomainError for a line that is no call, and for more calls than are shown.
    """
    pairs: list[list[Json]] = []
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for line in lines:
        found = _WRITTEN.fullmatch(line)
        try:
            pairs.append([parse_literal(found[1]), parse_literal(found[2])] if found else [])
        except LiteralError as error:
            raise DomainError(f"{line!r} has a value that is no JSON: {error}", "write f([1,2])==3") from None
        if not found:
            raise DomainError(f"{line!r} is no call with its output", "write one a line, as in f([1,2])==3")
    if not 1 <= len(pairs) <= SHOWN:
        raise DomainError(f"{len(pairs)} calls", f"give 1 to {SHOWN}, one a line, as in f([1,2])==3")
    return Task(
        domain=NAME, mode="induction", level=1, prompt=_induction_prompt(pairs), secret={"pairs": pairs}
    )


def proposal_of(task: Task) -> str:
    """The text that would have proposed this task."""
    return proposal_text(task.secret["program"], task.secret["pairs"][0][0])


def ask_text(cell: Cell, references: Sequence[Task]) -> str:
    """The prompt that asks a proposer for a task of this cell, after at most two programs to depart from."""
    shown = "".join(f"{task.secret['program']}\n" for task in references[:2])
    return f"<|propose|>{cell.mode} {cell.level}\n{shown}<|task|>"


def demonstration_text(task: Task) -> str:
    """A completion that is right, with what x is on the way, from the trace in the secret."""
    secret: Mapping[str, Any] = task.secret
    values = [canonical(value) for value in secret["trace"]]
    if task.mode == "deduction":
        return "\n".join(values)
    if task.mode == "abduction":
        return "\n".join([*reversed(values[:-1]), canonical(secret["pairs"][0][0])])
    return parse_program(secret["program"]).annotated(tuple(values))


def bare_answer(task: Task) -> str:
    """What answers a task, without the working that a demonstration shows."""
    if task.mode in PROGRAMS:
        return str(task.secret["program"])
    given, output = task.secret["pairs"][0]
    return canonical(output if task.mode == "deduction" else given)


def answer_text(mode: str, completion: str) -> str:
    """The part of a completion that is judged: its last line, or all of it where it is a program."""
    return completion if mode in PROGRAMS else completion.rpartition("\n")[2]


def learned_spans(task: Task) -> tuple[tuple[int, int], ...]:
    """The outputs that an induction shows, from the second on, in characters of the prompt. They follow from
    the solution, and are learned beside it. A repair shows them too; prompts of other modes show none.
    """
    if task.mode not in PROGRAMS:
        return ()
    shown = list(_CALL.finditer(text_of(task.prompt)))[1:SHOWN]
    return tuple(match.span(1) for match in shown)


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


def _signature(mode: str, does: str, about: list[Json]) -> str:
    """What is asked, by behaviour. A deduction and an abduction are about one input or output. An induction
    is about the behaviour alone, so that a sealed one is never practised on any pairs; only where a single
    operation behaves so is it about the shown inputs too, because of such behaviours there are about a
    hundred, and sealing some would take the operations themselves away. A repair asks for the same program as
    the induction it began as, so that a sealed induction also seals its repairs.
    """
    return digest(["induction" if mode == "repair" else mode, does, about])[:32]
