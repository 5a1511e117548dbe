"""The class: pictures as tasks, programs and answers judged by what they draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autotelic.domains.cells import check_cell, check_spec
from autotelic.domains.scenes import changes, judging, words
from autotelic.domains.scenes.questions import LEVELS as QUESTIONS
from autotelic.domains.scenes.questions import answer_of, draw_question
from autotelic.domains.scenes.render import check_renderer, picture
from autotelic.domains.scenes.rules import LEVELS, draw_scene, misfit
from autotelic.domains.scenes.scene import ProgramError, Scene, graph_of, in_order, parse, program
from autotelic.domains.texts import corpus_of
from autotelic.pictures import Gallery
from autotelic.types import (
    Cell,
    Demonstration,
    Episode,
    Image,
    Lineage,
    Proposal,
    Range,
    Rejection,
    Spec,
    Task,
    Verdict,
)


class ScenesDomain:
    """See pictures and draw them. A scene is a program, its picture is drawn from it, and the truth is exact.

    `describe` asks for the program of a picture, `answer` for the answer to a question about one, `draw` for the
    program of a description, `spot` for what changed between two pictures. `pictures` is where pictures are kept.
    Raises DomainError for other levels or modes, and where the renderer draws otherwise than its version says.
    """

    special: tuple[str, ...] = words.SPECIAL

    def __init__(
        self,
        levels: tuple[int, ...] = (1, 2, 3),
        modes: tuple[str, ...] = words.MODES,
        style: str = "compact",
        pictures: Gallery | None = None,
    ) -> None:
        self.versions: Mapping[str, str] = {"scenes renderer": check_renderer()}
        self.style = style
        self.pictures = pictures if pictures is not None else Gallery()
        scale = Range(low=0.0, high=1.0)
        self.spec = check_spec(
            Spec(name="scenes", modes=tuple(modes), levels=tuple(levels), scale=scale),
            modes=words.MODES,
            levels=LEVELS,
        )

    # ── tasks ────────────────────────────────────────────────────────────────────────────────────────────────

    def tasks(self, rng: np.random.Generator, cells: Sequence[Cell]) -> list[Task]:
        """A random scene a cell, with a question or a change where the mode asks for one."""
        for cell in cells:
            check_cell(self.spec, cell)
        drawn = [self._draw(cell, rng) for cell in cells]
        return [task for task in drawn if task is not None]

    def _draw(self, cell: Cell, rng: np.random.Generator, kind: str = "") -> Task | None:
        found: tuple[Scene, str] | None
        if cell.mode == "answer":
            found = draw_question(cell.level, rng, kind)
        elif cell.mode == "spot":
            found = changes.draw_change(cell.level, rng)
        else:
            scene = draw_scene(cell.level, rng)
            found = None if scene is None else (scene, "")
        return None if found is None else self._task(cell, *found, Lineage())

    def _task(self, cell: Cell, scene: Scene, asked: str, lineage: Lineage) -> Task:
        """The task of a scene; `asked` is the question of `answer` and the change of `spot`."""
        if cell.mode != "draw":  # a description tells the order, a picture does not
            scene = in_order(scene)
        secret: dict[str, Any] = {"program": program(scene)}
        pictures: tuple[Image, ...] = (self._shown(scene),)
        text = ""
        if cell.mode == "answer":
            secret |= {"question": asked, "answer": answer_of(scene, asked)}
            text = words.question_text(asked, self.style)
        elif cell.mode == "spot":
            secret |= {"change": asked}
            pictures += (self._shown(changes.changed(scene, asked)),)
        elif cell.mode == "draw":
            pictures, text = (), words.description(scene, self.style)
        graph = graph_of(scene)
        return Task(
            domain=self.spec.name,
            mode=cell.mode,
            level=cell.level,
            prompt=words.prompt(cell.mode, self.style, pictures, text),
            secret=secret,
            # Behaviour is what is seen: two programs of one scene graph are one task.
            signature=" ".join(filter(None, (cell.mode, graph, asked))),
            cluster=f"{cell.mode} {len(scene)} {' '.join(sorted(thing.shape for thing in scene))}",
            form=asked.partition(" ")[0] if cell.mode == "answer" else cell.mode,
            lineage=lineage,
        )

    def _shown(self, scene: Scene) -> Image:
        return self.pictures.put(picture(scene))

    # ── answers ──────────────────────────────────────────────────────────────────────────────────────────────

    def judge(self, episodes: Sequence[tuple[Task, Episode]]) -> list[Verdict]:
        """1 for what draws the same picture, or is the right answer; less for a scene that is partly right."""
        return [judging.verdict(task, episode.answer) for task, episode in episodes]

    def answer(self, mode: str, completion: str) -> str:
        """The program or the line itself; in `answer`, what follows the one `= ` after the working."""
        return judging.read(mode, completion)

    def demonstrate(self, tasks: Sequence[Task]) -> list[Demonstration | None]:
        """The program, the change, or the program and the answer that follows from it."""
        return [Demonstration(completion=_right(task)) for task in tasks]

    def answers(self, tasks: Sequence[Task], rng: np.random.Generator) -> list[str | None]:
        """What is right for another random task of the cell and of the same kind of question."""
        known = [task.form if task.form in QUESTIONS.get(task.level, ()) else "" for task in tasks]
        drawn = [self._draw(task.cell, rng, kind) for task, kind in zip(tasks, known, strict=True)]
        return [None if other is None else _right(other) for other in drawn]

    def form(self, mode: str) -> str:
        """The pattern of right completions of a mode."""
        return judging.FORMS[mode]

    def same(self, mode: str, answer: str) -> str:
        """The scene graph of a program, or the answer itself; empty for a program that cannot be read."""
        return judging.spelling(mode, answer)

    # ── proposals ────────────────────────────────────────────────────────────────────────────────────────────

    def ask(self, cell: Cell, references: Sequence[Task]) -> str:
        """The mode and the level, after the proposals of tasks that are known."""
        return words.ask(cell, self.style, [self.proposal(task) for task in references])

    def proposal(self, task: Task) -> str:
        """The program, and below it the question or the change."""
        secret = task.secret
        asked = f"? {secret['question']}\n" if "question" in secret else ""
        change = f"{secret['change']}\n" if "change" in secret else ""
        return f"{secret['program']}{asked}{change}"

    def admit(self, proposals: Sequence[Proposal]) -> list[Task | Rejection]:
        """A task for each scene that is one of its level, with a question that has one answer."""
        return [self._admitted(proposal) for proposal in proposals]

    def _admitted(self, proposal: Proposal) -> Task | Rejection:
        cell, text = proposal.cell, proposal.text.strip()
        check_cell(self.spec, cell)
        asked = ""
        if cell.mode in ("answer", "spot"):
            text, _, asked = text.rpartition("\n")
            if cell.mode == "answer":
                mark, asked = asked[:2], asked[2:]
                if mark != "? ":
                    return Rejection(reason="question", detail="the last line is `? ` and a question")
        try:
            scene = parse(text)
        except ProgramError as error:
            return Rejection(reason=error.reason, detail=error.detail)
        reason, detail = misfit(cell.level, scene)
        if not reason and cell.mode == "answer":
            kind = asked.partition(" ")[0]
            if kind not in QUESTIONS[cell.level] or answer_of(in_order(scene), asked) is None:
                reason, detail = "question", f"{asked[:40]!r} has no one answer at level {cell.level}"
        if not reason and cell.mode == "spot":
            reason, detail = changes.misfit(cell.level, in_order(scene), asked)
        if reason:
            return Rejection(reason=reason, detail=detail)
        return self._task(cell, scene, asked, proposal.lineage)

    # ── texts ────────────────────────────────────────────────────────────────────────────────────────────────

    def corpus(self, rng: np.random.Generator, count: int) -> list[str]:
        """Prompts with their right completions, and proposals."""
        return corpus_of(self, rng, count, self.spec.cells)


def _right(task: Task) -> str:
    """The completion that is right: working first, where there is any."""
    secret = task.secret
    if task.mode == "spot":
        return f"{secret['change']}\n"
    if task.mode == "answer":
        return f"{secret['program']}= {secret['answer']}\n"
    return str(secret["program"])
