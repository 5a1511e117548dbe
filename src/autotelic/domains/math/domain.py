"""`MathDomain`: exact mathematics behind the `Domain` seam."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from autotelic.domains.cells import check_cell, check_spec
from autotelic.domains.math.answers import MAX_ANSWER, read_answer, read_hole, read_model, readings
from autotelic.domains.math.holes import MAX_FILL, check_hole, cover, hidden, produces, unhiding
from autotelic.domains.math.language import Hole, ProblemError
from autotelic.domains.math.problem import LEVELS, Problem, Shape, check, normal, read, skeleton
from autotelic.domains.math.rules import hide, problem_text
from autotelic.domains.math.texts import MODES, SPECIAL, Compact, Natural, Texts
from autotelic.domains.math.verify import Verifier, may_be_value
from autotelic.domains.math.word_problems import compare, numbers_in, read_word_problem
from autotelic.domains.math.word_rules import word_problem_text
from autotelic.domains.math.working import working
from autotelic.domains.texts import corpus_of
from autotelic.errors import DomainError
from autotelic.types import (
    Cell,
    Demonstration,
    Episode,
    Lineage,
    Proposal,
    Rejection,
    Spec,
    Task,
    Verdict,
)

NAME = "math"
SHAPES: tuple[Shape, ...] = ("number", "pair", "roots", "polynomial")
"""The shapes of answers, in the order in which an answer of unknown shape is read."""
_REASONS = ("unfinished", "size", "wrong")
"""Reasons of the reader of answers that verdicts give as they are; all others are `format`."""
_DRAWS = 40
"""How often the rules draw before they leave a task out."""
_STYLES: dict[str, type[Compact] | type[Natural]] = {"compact": Compact, "natural": Natural}


class MathDomain:
    """Arithmetic to counting in eight levels, exactly.

    `solve`: work out a problem. `invert`: find a number that gives a problem its answer. `model`: turn a word
    problem into an expression or equations. Nothing here runs a program: every problem is data in a small
    language. `levels` are those that may be asked for, `modes` those that are practised. `style` is `compact`
    for small models or `natural` for language models, or `chat`, which leaves the instruction to a system
    turn. `verifier` reads what the domain's own reader of answers cannot, and stays the caller's to close.
    Raises DomainError for a level, a mode or a style that there is not.
    """

    special = SPECIAL

    def __init__(
        self,
        levels: Sequence[int] = tuple(LEVELS),
        style: Literal["compact", "natural"] = "compact",
        modes: Sequence[str] = MODES,
        verifier: Verifier | None = None,
    ) -> None:
        spec = Spec(name=NAME, modes=tuple(modes), levels=tuple(levels))
        self.spec = check_spec(spec, modes=MODES, levels=LEVELS)
        if style not in _STYLES:
            raise DomainError(f"style={style!r} of the math domain", "give 'compact' or 'natural'")
        self.texts: Texts = _STYLES[style]()
        self.verifier = verifier

    def tasks(self, rng: np.random.Generator, cells: Sequence[Cell]) -> list[Task]:
        """One task of the rules a cell, in order; fewer where they found none."""
        for cell in cells:
            check_cell(self.spec, cell)
        drawn = (self._draw(rng, cell) for cell in cells)
        return [task for task in drawn if task is not None]

    def _draw(self, rng: np.random.Generator, cell: Cell) -> Task | None:
        for _ in range(_DRAWS):
            try:
                return self._task(self._write(rng, cell), cell, Lineage())
            except ProblemError:
                continue
        return None

    def _write(self, rng: np.random.Generator, cell: Cell) -> str:
        """A proposal of the rules."""
        if cell.mode == "model":
            words = word_problem_text(rng, cell.level)
            return f"{words}\n{read_word_problem(words).text}"
        written = problem_text(rng, cell.level)
        return hide(rng, read(written)).text if cell.mode == "invert" else written

    def admit(self, proposals: Sequence[Proposal]) -> list[Task | Rejection]:
        """A task or the reason why not, for each proposal."""
        return [self._admit_one(proposal) for proposal in proposals]

    def _admit_one(self, proposal: Proposal) -> Task | Rejection:
        check_cell(self.spec, proposal.cell)
        try:
            return self._task(self.texts.proposed(proposal.text), proposal.cell, proposal.lineage)
        except ProblemError as error:
            return Rejection(reason=error.reason, detail=error.detail)

    def _task(self, written: str, cell: Cell, lineage: Lineage) -> Task:
        """The task that a proposal makes; raises `ProblemError` where it makes none."""
        if cell.mode == "model":
            problem, shown, proposal = _read_model(written)
        else:
            problem = read(written)
            shown = proposal = problem.text
            if cell.mode == "solve" and any(isinstance(leaf, Hole) for leaf in problem.leaves):
                raise ProblemError("hole", "a problem to solve hides nothing")
            if cell.mode == "invert":
                hidden(problem)
        answer = check(problem, cell.level)
        if cell.mode == "invert":
            check_hole(problem, answer)
            shown = cover(problem).text
        prompt = self.texts.prompt(cell.mode, problem.kind, shown, answer)
        form = {"solve": problem.shape, "invert": "number", "model": problem.kind}[cell.mode]
        return Task(
            domain=NAME,
            mode=cell.mode,
            level=cell.level,
            prompt=prompt,
            secret={"proposal": proposal, "answer": answer, "shape": problem.shape},
            signature=_digest([cell.mode, normal(problem), answer])[:32],
            cluster=f"{cell.mode} {skeleton(problem)}",
            form=form,
            lineage=lineage,
        )

    def judge(self, episodes: Sequence[tuple[Task, Episode]]) -> list[Verdict]:
        """Is each answer right? Exactly; what cannot be read here goes to the verifier, if there is one."""
        answers = [(task, episode.answer) for task, episode in episodes]
        verdicts = [_verdict(_reason(task, answer)) for task, answer in answers]
        if self.verifier is None:
            return verdicts
        unread = [
            at
            for at, (task, answer) in enumerate(answers)
            if task.mode == "solve"
            and verdicts[at].reason == "format"
            and may_be_value(answer, str(task.secret["answer"]))
        ]
        pairs = [(latex(answers[at][0].secret), answers[at][1].strip().strip("$")) for at in unread]
        for at, reason in zip(unread, self.verifier.compare(pairs), strict=True):
            verdicts[at] = _verdict(reason)
        return verdicts

    def ask(self, cell: Cell, references: Sequence[Task]) -> str:
        """The prompt for a proposer."""
        check_cell(self.spec, cell)
        return self.texts.ask(cell, [self.proposal(task) for task in references])

    def proposal(self, task: Task) -> str:
        """The completion with which a proposer would have made this task."""
        return str(task.secret["proposal"])

    def demonstrate(self, tasks: Sequence[Task]) -> list[Demonstration | None]:
        """A right completion of each task, one operation a line."""
        return [Demonstration(completion=self.texts.demonstration(self._lines(task))) for task in tasks]

    def _lines(self, task: Task) -> list[str]:
        if task.mode == "model":
            return [_word_problem_of(task)[1].text]
        problem = read(self.proposal(task))
        return working(problem) if task.mode == "solve" else unhiding(problem, str(task.secret["answer"]))

    def answer(self, mode: str, completion: str) -> str:
        r"""The part of a completion that `judge` takes: the last `\boxed{}`, or else the last line."""
        return self.texts.answer(completion)

    def form(self, mode: str) -> str:
        """The pattern that right completions of a mode match as a whole, for constrained decoding."""
        return self.texts.form(mode)

    def same(self, mode: str, answer: str) -> str:
        """One spelling for equal answers: the number or polynomial, or the problem that a model writes. What
        cannot be read has no vote.
        """
        try:
            if mode == "model":
                return normal(read_model(answer))
            if mode == "invert":
                return str(read_hole(answer))
        except ProblemError:
            return ""
        for shape in SHAPES:
            try:
                return f"{shape} {read_answer(shape, answer)}"
            except ProblemError:
                continue
        return ""

    def corpus(self, rng: np.random.Generator, count: int) -> list[str]:
        """`count` texts of the rules, of every mode and level, of solver and proposer in turn."""
        return corpus_of(self, rng, count, self.spec.cells)


def _read_model(written: str) -> tuple[Problem, str, str]:
    """The problem, the words and the proposal of a word problem with what it comes to on the next line."""
    words, _, model = written.strip().partition("\n")
    words, model = " ".join(words.split()), model.strip()
    problem = read_word_problem(words)
    if compare(problem, read(model), numbers_in(words)) != "right":
        raise ProblemError("mismatch", f"the words come to {problem.text}, not {model}")
    return problem, words, f"{words}\n{problem.text}"


def _word_problem_of(task: Task) -> tuple[str, Problem]:
    words = str(task.secret["proposal"]).partition("\n")[0]
    return words, read_word_problem(words)


def _reason(task: Task, answer: str) -> str:
    """Why an answer is `right` or not, in one stable word."""
    secret = task.secret
    if task.mode == "solve" and answer == secret["answer"]:
        return "right"
    if len(answer) > MAX_ANSWER:
        return "format"
    shape: Shape = secret["shape"]
    try:
        if task.mode == "solve":
            return "right" if secret["answer"] in readings(shape, answer) else "wrong"
        if task.mode == "invert":
            number = read_hole(answer)
            if abs(number) > MAX_FILL:
                return "format"
            return "right" if produces(read(secret["proposal"]), number, secret["answer"]) else "wrong"
        words, truth = _word_problem_of(task)
        return compare(truth, read_model(answer), numbers_in(words))
    except ProblemError as error:
        return error.reason if error.reason in _REASONS else "format"


def _verdict(reason: str) -> Verdict:
    passed = reason == "right"
    return Verdict(reward=float(passed), passed=passed, reason=reason)


def latex(secret: Any) -> str:
    """The answer in the secret of a task, as LaTeX that math-verify reads: roots are a set, a pair is a tuple."""
    answer, shape = str(secret["answer"]), secret["shape"]
    if shape == "roots" and "," in answer:
        return f"\\{{{answer}\\}}"
    return f"({answer})" if shape == "pair" else answer


def _digest(parts: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps(list(parts)).encode()).hexdigest()
