"""A domain without programs and a sampler without weights, for tests of exams.

A task asks to double a number (`double`), or to call a coin (`coin`), which every other answer gets right.
Token ids are the code points of the text, and 0 ends a completion.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from autotelic.types import RULES, Cell, Lineage, Request, Task, Turn, Verdict

END = 0


def task(mode: str, level: int, number: int, author: str = RULES) -> Task:
    answer = str(2 * number) if mode != "coin" else "heads" if number % 2 else "tails"
    return Task(
        id=f"{mode}-{level}-{number}",
        domain="schoolroom",
        mode=mode,
        level=level,
        prompt=f"{mode} {level} {number}\n",
        secret={"answer": answer, "notes": [number, 0.5, None]},
        signature=f"{mode} {number}",
        cluster=f"int>{mode} some",
        lineage=Lineage(author=author, generation=3, references=("a", "b")),
    )


class Schoolroom:
    """Numbers of a cell lie below `behaviours` (by default, or by cell), above those of lower levels."""

    name = "schoolroom"
    modes = ("double", "coin", "mend")
    special = ()

    def __init__(self, behaviours: int = 10_000, **by_mode: int) -> None:
        self.behaviours = behaviours
        self.by_mode = by_mode
        self.batches: list[list[tuple[Task, str]]] = []

    def rules(self, rng: np.random.Generator, cells: Sequence[Cell]) -> list[Task]:
        drawn = []
        for cell in cells:
            below = self.by_mode.get(cell.mode, self.behaviours)
            if below:
                drawn.append(task(cell.mode, cell.level, 100_000 * cell.level + int(rng.integers(below))))
        return drawn

    def judge(self, answers: Sequence[tuple[Task, str]]) -> list[Verdict]:
        self.batches.append(list(answers))
        return [self._verdict(task.secret["answer"] == answer, answer) for task, answer in answers]

    def _verdict(self, right: bool, answer: str) -> Verdict:
        said = "" if right else f"not {answer}"
        return Verdict(reward=float(right), passed=right, reason="right" if right else "wrong", feedback=said)

    def worked(self, task: Task) -> str:
        return f"so\n{task.secret['answer']}"

    def answer(self, mode: str, completion: str) -> str:
        return completion.rpartition("\n")[2]

    def repair(self, task: Task, answer: str, verdict: Verdict, lineage: Lineage) -> Task | None:
        if not answer:
            return None
        return Task(
            id=f"mend {task.id} {answer}",
            domain=task.domain,
            mode="mend",
            level=task.level,
            prompt=f"mend {task.prompt.strip()} {verdict.feedback}\n",
            secret=task.secret,
            signature=task.signature,
            lineage=lineage,
        )


class Letters:
    """A tokenizer of one token a character."""

    end_id = END

    def encode(self, texts: Sequence[str]) -> list[tuple[int, ...]]:
        return [tuple(map(ord, text)) for text in texts]

    prompts = encode

    def decode(self, ids: Sequence[int]) -> str:
        return "".join(chr(id) for id in ids if id != END)


Script = Callable[[str, Request], Sequence[str]]


class Scripted:
    """A sampler that says what its script says: `script(prompt, request)` gives a completion a sibling."""

    def __init__(self, script: Script, weights: str = "w1") -> None:
        self.script = script
        self.weights = weights
        self.requests: list[Request] = []

    def sample(self, requests: Sequence[Request]) -> list[list[Turn]]:
        self.requests += requests
        return [[self._turn(r, text) for text in self._said(r)] for r in requests]

    def _said(self, request: Request) -> Sequence[str]:
        said = self.script(Letters().decode(request.prompt_ids), request)
        assert len(said) == request.n
        return said

    def _turn(self, request: Request, text: str) -> Turn:
        ids = (*map(ord, text), END)
        return Turn(
            prompt_ids=request.prompt_ids,
            completion_ids=ids,
            logprobs=(0.0,) * len(ids),
            weights=self.weights,
            stop="eos",
        )

    def load(self, weights: object) -> str:
        self.weights = str(weights)
        return self.weights


def right(prompt: str) -> str:
    """The answer to a prompt of `double`."""
    return str(2 * int(prompt.split()[-1]))
