"""`MathDomain`: exact mathematics behind the `Domain` seam."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from autotelic.domains.math.answers import MAX_ANSWER, is_value, plain, read_answer
from autotelic.domains.math.holes import check_hole, cover, hidden, produces, read_number, unhiding
from autotelic.domains.math.language import Hole, ProblemError
from autotelic.domains.math.problem import LEVELS, Problem, Shape, check, normal, read, skeleton
from autotelic.domains.math.rules import hide, problem_text
from autotelic.domains.math.stories import compare, numbers_in, read_story
from autotelic.domains.math.tales import story_text
from autotelic.domains.math.texts import MODES, SPECIAL, Chat, Compact, Natural, Texts, instructions
from autotelic.domains.math.verify import Verifier
from autotelic.domains.math.working import working
from autotelic.errors import DomainError
from autotelic.types import Cell, Lineage, Proposal, Rejection, Task, Verdict

NAME = "math"
_DRAWS = 40
"""How often the rules draw before they leave a task out."""
_STYLES: dict[str, type[Compact] | type[Chat]] = {"compact": Compact, "natural": Natural, "chat": Chat}


class MathDomain:
    """Arithmetic to counting in eight levels, exactly.

    `solve`: work out a problem. `invert`: find a number that gives a problem its answer. `model`: turn a
    story into an expression or equations. `box` is not used: nothing here runs a program, every problem is
    data in a small language. `style` is `compact` for small models or `natural` for language models, or
    `chat`, which leaves the instruction to a system turn. `verifier` reads what the domain's own reader of answers
    cannot, and stays the caller's to close.
    """

    name = NAME
    modes = MODES
    special = SPECIAL

    def __init__(
        self,
        box: object = None,
        levels: Sequence[int] = tuple(LEVELS),
        style: Literal["compact", "natural", "chat"] = "compact",
        verifier: Verifier | None = None,
    ) -> None:
        if not levels or not set(levels) <= set(LEVELS):
            raise DomainError(f"levels={list(levels)} of the math domain", f"give some of 1 to {max(LEVELS)}")
        if style not in _STYLES:
            known = "give 'compact', 'natural' or 'chat'"
            raise DomainError(f"style={style!r} of the math domain", known)
        self.levels = tuple(levels)
        self.texts: Texts = _STYLES[style]()
        self.verifier = verifier

    def rules(self, rng: np.random.Generator, cells: Sequence[Cell]) -> list[Task]:
        """One first task a cell, in order; fewer where the rules found none."""
        for cell in cells:
            self._check(cell)
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
            story = story_text(rng, cell.level)
            return f"{story}\n{read_story(story).text}"
        written = problem_text(rng, cell.level)
        return hide(rng, read(written)).text if cell.mode == "invert" else written

    def admit(self, proposals: Sequence[Proposal]) -> list[Task | Rejection]:
        """A task or the reason why not, for each proposal."""
        return [self._admit_one(proposal) for proposal in proposals]

    def _admit_one(self, proposal: Proposal) -> Task | Rejection:
        self._check(proposal.cell)
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
        return Task(
            id=_digest([NAME, cell.mode, prompt])[:16],
            domain=NAME,
            mode=cell.mode,
            level=cell.level,
            prompt=prompt,
            secret={"proposal": proposal, "answer": answer, "shape": problem.shape},
            signature=_digest([cell.mode, normal(problem), answer])[:32],
            cluster=f"{cell.mode} {skeleton(problem)}",
            lineage=lineage,
        )

    def judge(self, answers: Sequence[tuple[Task, str]]) -> list[Verdict]:
        """Is each answer right? Exactly; what cannot be read here goes to the verifier, if there is one."""
        verdicts = [_verdict(_reason(task, answer)) for task, answer in answers]
        if self.verifier is None:
            return verdicts
        unread = [
            at
            for at, (task, answer) in enumerate(answers)
            if task.mode == "solve" and verdicts[at].reason in ("format", "syntax") and is_value(answer)
        ]
        pairs = [(_latex(answers[at][0].secret), plain(answers[at][1])) for at in unread]
        for at, reason in zip(unread, self.verifier.compare(pairs), strict=True):
            verdicts[at] = _verdict(reason)
        return verdicts

    def ask(self, cell: Cell, references: Sequence[Task]) -> str:
        """The prompt for a proposer."""
        self._check(cell)
        return self.texts.ask(cell, [self.proposal(task) for task in references])

    def proposal(self, task: Task) -> str:
        """The completion with which a proposer would have made this task."""
        return str(task.secret["proposal"])

    def worked(self, task: Task) -> str:
        """A right completion, one operation a line."""
        return self.texts.worked(self._lines(task))

    def _lines(self, task: Task) -> list[str]:
        if task.mode == "model":
            return [_story_of(task)[1].text]
        problem = read(self.proposal(task))
        return working(problem) if task.mode == "solve" else unhiding(problem, str(task.secret["answer"]))

    def answer(self, mode: str, completion: str) -> str:
        r"""The part of a completion that `judge` takes: the last `\boxed{}`, or else the last line."""
        return self.texts.answer(completion)

    def form(self, mode: str) -> str:
        """The pattern that right completions of a mode match as a whole, for constrained decoding."""
        return self.texts.form(mode)

    def repair(self, task: Task, answer: str, verdict: Verdict, lineage: Lineage) -> Task | None:
        """None: being told that one number is wrong only invites another guess."""
        return None

    def retry(self, task: Task, verdict: Verdict) -> str:
        """Nothing: being told "wrong" about one number invites a guess, so no mode has a second turn."""
        return ""

    def corpus(self, rng: np.random.Generator, count: int) -> list[str]:
        """`count` texts of the rules: prompt and completion as one, by turns of every mode, level, role."""
        cells = [Cell(mode=mode, level=level) for level in self.levels for mode in self.modes]
        texts: list[str] = []
        while len(texts) < count:
            tasks = self.rules(rng, [cells[at % len(cells)] for at in range((count + 1) // 2)])
            for at, task in enumerate(tasks):
                texts.append(task.prompt + self.worked(task))
                references = [tasks[at - back] for back in range(1, 1 + int(rng.integers(3)))]
                texts.append(self.ask(task.cell, references) + self.proposal(task))
        return texts[:count]

    def instructions(self, mode: str) -> str:
        """The system turn for a language model that solves tasks of a mode."""
        return instructions(mode)

    def _check(self, cell: Cell) -> None:
        if cell.mode not in self.modes:
            raise DomainError(f"the math domain has no mode {cell.mode!r}", f"use {', '.join(self.modes)}")
        if cell.level not in self.levels:
            raise DomainError(
                f"the math domain was given no level {cell.level}",
                f"use {min(self.levels)} to {max(self.levels)}",
            )


def _read_model(written: str) -> tuple[Problem, str, str]:
    """The problem, the story and the proposal of a story with what it comes to on the next line."""
    story, _, model = written.strip().partition("\n")
    story, model = " ".join(story.split()), model.strip()
    problem = read_story(story)
    if compare(problem, read(model), numbers_in(story)) != "right":
        raise ProblemError("mismatch", f"the story comes to {problem.text}, not {model}")
    return problem, story, f"{story}\n{problem.text}"


def _story_of(task: Task) -> tuple[str, Problem]:
    story = str(task.secret["proposal"]).partition("\n")[0]
    return story, read_story(story)


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
            return "right" if read_answer(shape, answer) == secret["answer"] else "wrong"
        if task.mode == "invert":
            number = read_number(plain(answer))
            if number is None:
                return "format"
            return "right" if produces(read(secret["proposal"]), number, secret["answer"]) else "wrong"
        story, truth = _story_of(task)
        return compare(truth, read(plain(answer)), numbers_in(story))
    except ProblemError as error:
        return error.reason if error.reason in ("unfinished", "size") else "format"


def _verdict(reason: str) -> Verdict:
    passed = reason == "right"
    return Verdict(reward=float(passed), passed=passed, reason=reason)


def _latex(secret: Any) -> str:
    answer, shape = str(secret["answer"]), secret["shape"]
    if shape == "roots" and "," in answer:
        return f"\\{{{answer}\\}}"
    return f"({answer})" if shape == "pair" else answer


def _digest(parts: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps(list(parts)).encode()).hexdigest()
