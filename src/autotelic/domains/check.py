"""Whether a domain keeps what every domain promises, found by using it: right answers, garbage, cheaters, guesses."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from autotelic.domains.guard import Guarded
from autotelic.protocols import Answering, Demonstrating, Domain, Interactive, Proposable, Shaped
from autotelic.scale import scaled
from autotelic.streams import stream
from autotelic.types import Episode, Proposal, Rejection, Step, Task, Turn, Verdict, text_of

TURNS = 64
"""Turns after which an episode that goes on is cut off."""
GUESSED = 0.25
"""Share of tasks that a right answer to another task, or a random one, may pass at most."""
DISTINCT = 0.5
"""Share of drawn tasks that must be different questions: an exam seals a quarter of what there is."""
SLOWEST = 5.0
"""Answers a second that a judge must manage on one core: a generation has hundreds."""
GARBAGE = (
    "", " ", "\n" * 50, "x" * 5000, "9" * 4000, "[" * 2000, "(" * 500, "\x00", "\ud800", "٣ ５ ½", "nan", "-1e999",
    "None", "True", "__import__('os').system('true')", "def f(x):\n    while True: pass", '{"reward": 1}',
    "<|end|>", "I do not know.", "right",
)  # fmt: skip
"""Answers that are right nowhere: empty, long, deep, code, numbers that are none, and words that flatter."""
REPEATED = "its id is given twice"
"""What the guard says of a task that was drawn before: no fault of a call, but a want of variety."""
_TURN = Turn(prompt_ids=(0,), completion_ids=(0,), logprobs=(0.0,), weights="check", stop="eos")
Answer = tuple[Task, str]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `ok` is None where nothing was there; `mend` is what an author does."""

    name: str
    ok: bool | None
    said: str
    mend: str = ""


def check_domain(domain: Domain, *, seed: int = 0, tasks: int = 32) -> list[Finding]:
    """Everything that is found about a domain with so many tasks a cell. Nothing is trained or written.

    What raises, hangs or leaves the scale is a finding and no exception.
    """
    held = domain if isinstance(domain, Guarded) else Guarded(domain)
    return list(_Check(held, seed, tasks).findings())


class _Check:
    def __init__(self, domain: Guarded, seed: int, count: int) -> None:
        self.domain = domain
        self.seed = seed
        self.cells = [cell for cell in domain.spec.cells for _ in range(count)]
        self.scale = domain.spec.scale
        self.tasks: list[Task] = []
        self._repeated = 0
        self._dropped: list[tuple[str, int, str]] = []

    def findings(self) -> Iterator[Finding]:
        looks: Sequence[Callable[[], Iterator[Finding]]] = (
            self._tasks, self._oracle, self._garbage, self._cheater, self._guesses, self._determinism,
            self._levels, self._proposals, self._speed,
        )  # fmt: skip
        for look in looks:
            yield from look()
            dropped = self._dropped + self.domain.take_dropped()
            self._dropped = []
            if dropped:
                what, n, why = dropped[0]
                more = f" (and {len(dropped) - 1} more)" if len(dropped) > 1 else ""
                name = look.__name__.strip("_")
                yield Finding(f"{name}: calls", False, f"{n} {what}: {why}{more}", "correct what fails")
            if not self.tasks:
                return

    # ── tasks ────────────────────────────────────────────────────────────────────────────────────────────────

    def _tasks(self) -> Iterator[Finding]:
        self.tasks = self._draw()
        asked, got, repeated = len(self.cells), len(self.tasks), self._repeated
        yield Finding(
            "tasks", got + repeated >= asked / 2, f"{got + repeated} of {asked} that were asked for",
            "give a task for most cells",
        )  # fmt: skip
        if not got:
            return
        again = self._draw()
        same = [task.id for task in again] == [task.id for task in self.tasks]
        yield Finding(
            "tasks: determinism",
            same,
            "the same stream gives the same tasks" if same else "the same stream gave other tasks",
            "take all randomness from `rng`",
        )
        share = len({task.signature for task in self.tasks}) / (got + repeated)
        yield Finding(
            "tasks: variety",
            share >= DISTINCT,
            f"{share:.0%} of the tasks behave differently",
            "make more tasks: an exam keeps a quarter of them from training",
        )

    def _draw(self) -> list[Task]:
        found = self.domain.tasks(stream(self.seed, "check"), self.cells)
        dropped = self.domain.take_dropped()
        self._repeated = sum(n for _, n, why in dropped if why == REPEATED)
        self._dropped += [row for row in dropped if row[2] != REPEATED]
        return found

    # ── answers ──────────────────────────────────────────────────────────────────────────────────────────────

    def _oracle(self) -> Iterator[Finding]:
        right = self._right()
        if not isinstance(self.domain, Demonstrating):
            yield Finding("oracle", None, "the domain holds no solutions; reward alone teaches")
            return
        if not right:
            yield Finding(
                "oracle", False, "`demonstrate` gave no solution", "give a right completion, or remove it"
            )
            return
        verdicts = self._judged(right)
        failed = [pair for pair, verdict in zip(right, verdicts, strict=True) if not self._passed(verdict)]
        shown = f"; the first is of {failed[0][0].cell}: {failed[0][1][:60]!r}" if failed else ""
        yield Finding(
            "oracle",
            not failed,
            f"{len(right) - len(failed)} of {len(right)} demonstrations are judged right{shown}",
            "make `demonstrate` and `judge` agree",
        )

    def _garbage(self) -> Iterator[Finding]:
        sample = self._some(16)
        asked = [(task, text) for task in sample for text in GARBAGE]
        yield from self._wrong(
            "garbage", asked, "refuse what is no answer with the lowest reward and a reason"
        )

    def _cheater(self) -> Iterator[Finding]:
        asked = [(task, text_of(task.prompt)) for task in self._some(64)]
        right = self._right()[:64]
        texts = [text.strip() for _, text in right]
        # Every answer at once, the right one in the middle: a judge that looks for it inside accepts this.
        for at, (task, text) in enumerate(right):
            others = [
                other
                for other in texts[max(0, at - 3) : at] + texts[at + 1 : at + 4]
                if other != text.strip()
            ]
            if len(others) > 1:
                asked.append((task, " ".join([*others[:1], text.strip(), *others[1:]])))
        leaks = [
            task for task, text in self._right() if len(text.strip()) > 12 and text in text_of(task.prompt)
        ]
        yield Finding(
            "cheater: prompt",
            not leaks,
            f"{len(leaks)} prompts hold their own right completion",
            "do not show the solution",
        )
        mend = "do not accept a copy of the prompt, or many answers at once"
        yield from self._wrong("cheater: copies", asked, mend)

    def _wrong(self, name: str, asked: Sequence[Answer], mend: str) -> Iterator[Finding]:
        verdicts = self._judged(asked)
        passed = [(task, text) for (task, text), v in zip(asked, verdicts, strict=True) if self._passed(v)]
        silent = sum(not verdict.reason for verdict in verdicts)
        shown = f", such as {passed[0][1][:30]!r} for {passed[0][0].cell}" if passed else ""
        free = len(passed) / max(1, len(asked))
        yield Finding(name, free <= 0.02, f"{len(passed)} of {len(asked)} pass{shown}", mend)
        if silent:
            yield Finding(
                f"{name}: reasons", False, f"{silent} verdicts have no reason", "say why in one word"
            )

    def _guesses(self) -> Iterator[Finding]:
        asked = self._guessed(self.tasks)
        if not asked:
            yield Finding("guess rate", None, "nobody knows an answer of the right form", "")
            return
        verdicts = self._judged(asked)
        reward = float(np.mean([scaled(self.scale, v.reward) for v in verdicts]))
        if all(verdict.passed is None for verdict in verdicts):
            yield Finding(
                "guess rate", reward < 0.95, f"guesses earn {reward:.0%} of the scale", "spread the scale"
            )
            return
        passed = float(np.mean([bool(verdict.passed) for verdict in verdicts]))
        yield Finding(
            "guess rate",
            passed <= GUESSED,
            f"{passed:.1%} of {len(asked)} guesses pass, and they earn {reward:.0%} of the scale",
            "make tasks that an answer to another one does not solve",
        )

    def _determinism(self) -> Iterator[Finding]:
        asked = (self._right() + self._guessed(self.tasks))[:96]
        asked += [(task, GARBAGE[at % len(GARBAGE)]) for at, task in enumerate(self._some(16))]
        first, turned = self._judged(asked), self._judged(asked[::-1])[::-1]
        alone = [self._judged([pair])[0] for pair in asked[:2]]
        ends = all(a == b for a, b in zip(first, turned, strict=True)) and alone == first[:2]
        yield Finding(
            "judge: determinism",
            ends,
            f"{len(asked)} answers judged {'alike' if ends else 'differently'} in another order and alone",
            "make a verdict a function of the task and the answer alone",
        )

    # ── the rest ─────────────────────────────────────────────────────────────────────────────────────────────

    def _levels(self) -> Iterator[Finding]:
        if len(self.domain.spec.levels) < 2:
            yield Finding("levels", None, "there is one level")
            return
        longer = isinstance(self.domain, Demonstrating) and bool(self._right())
        what = "the length of right completions" if longer else "what guesses earn, which should fall"
        sizes = self._sizes(longer)
        worst = [
            f"{mode} from level {a} to {b}"
            for mode, row in sizes.items()
            for (a, (low, e)), (b, (high, f)) in pairwise(sorted(row.items()))
            if high < low - 2 * (e + f)
        ]
        yield Finding(
            "levels",
            not worst,
            f"{what}: {'harder or alike at every step' if not worst else 'easier in ' + ', '.join(worst)}",
            "let a higher level be harder",
        )

    def _sizes(self, longer: bool) -> Mapping[str, Mapping[int, tuple[float, float]]]:
        """How hard each level of a mode is, and the standard error of that."""
        asked = self._right() if longer else self._guessed(self.tasks)
        hard = (
            [float(len(text)) for _, text in asked]
            if longer
            else [-scaled(self.scale, verdict.reward) for verdict in self._judged(asked)]
        )
        rows: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
        for (task, _), size in zip(asked, hard, strict=True):
            rows[task.mode][task.level].append(size)
        return {
            mode: {k: (float(np.mean(v)), float(np.std(v)) / len(v) ** 0.5) for k, v in row.items()}
            for mode, row in rows.items()
        }

    def _proposals(self) -> Iterator[Finding]:
        if not isinstance(self.domain, Proposable):
            yield Finding("proposals", None, "the model writes no tasks of this domain")
            return
        proposals = [
            Proposal(text=self.domain.proposal(task), cell=task.cell, lineage=task.lineage)
            for task in self.tasks
        ]
        admitted = self.domain.admit(proposals)
        wrong = [
            got.reason if isinstance(got, Rejection) else "another task"
            for task, got in zip(self.tasks, admitted, strict=True)
            if isinstance(got, Rejection) or got.signature != task.signature
        ]
        yield Finding(
            "proposals",
            not wrong,
            f"{len(self.tasks) - len(wrong)} of {len(self.tasks)} tasks come back from their own proposal"
            + (f"; the first became: {wrong[0]}" if wrong else ""),
            "let `admit` undo `proposal`, with all it draws from a stream that the text names",
        )

    def _speed(self) -> Iterator[Finding]:
        began = time.perf_counter()
        drawn = self._draw()
        making = len(drawn) / max(1e-9, time.perf_counter() - began)
        asked = self._right() or self._guessed(self.tasks)
        began = time.perf_counter()
        self._judged(asked)
        judging = len(asked) / max(1e-9, time.perf_counter() - began)
        yield Finding(
            "speed",
            min(making, judging) >= SLOWEST,
            f"{making:,.0f} tasks and {judging:,.0f} verdicts a second of wall time, in one batch",
            "judge a batch together: array operations, or one process for many answers",
        )

    def _passed(self, verdict: Verdict) -> bool:
        return verdict.reward >= self.scale.high if verdict.passed is None else verdict.passed

    def _some(self, n: int) -> list[Task]:
        """Up to n tasks, of all cells in turn."""
        return self.tasks[:: max(1, len(self.tasks) // n)][:n]

    def _right(self) -> list[Answer]:
        if not isinstance(self.domain, Demonstrating):
            return []
        shown = self.domain.demonstrate(self.tasks)
        pairs = zip(self.tasks, shown, strict=True)
        return [(task, one.completion) for task, one in pairs if one is not None]

    def _guessed(self, tasks: Sequence[Task]) -> list[Answer]:
        """An answer of the right form to each task, made for another or at random; digits where nobody has any."""
        rng = stream(self.seed, "check", "guesses")
        if isinstance(self.domain, Shaped):
            drawn = self.domain.answers(list(tasks), rng)
            return [(task, text) for task, text in zip(tasks, drawn, strict=True) if text is not None]
        pool: dict[tuple[str, str], list[Answer]] = defaultdict(list)
        for task, text in self._right():
            pool[task.mode, task.form].append((task, text))
        if not pool:
            return [(task, str(int(rng.integers(10)))) for task in tasks]
        found: list[Answer] = []
        for some in pool.values():
            for (task, _), (other, text) in zip(some, some[1:] + some[:1], strict=True):
                if other.signature != task.signature:
                    found.append((task, text))
        return found

    def _judged(self, asked: Sequence[Answer]) -> list[Verdict]:
        """The verdicts on completions; where an episode has several turns, the same is replied in each."""
        return self.domain.judge(_episodes(self.domain, asked)) if asked else []


def _episodes(domain: Guarded, asked: Sequence[Answer]) -> list[tuple[Task, Episode]]:
    def read(task: Task, text: str) -> str:
        return domain.answer(task.mode, text) if isinstance(domain, Answering) else text

    bare = [(task, Episode(task_id=task.id, steps=(), answer=read(task, text))) for task, text in asked]
    if not isinstance(domain, Interactive):
        return bare
    sessions: Any = domain.open([task for task, _ in asked], [0] * len(asked))
    steps: list[list[Step]] = [[] for _ in asked]
    live = set(range(len(asked)))
    for _ in range(TURNS):
        shown = sessions.step([e.answer if at in live else None for at, (_, e) in enumerate(bare)])
        for at in list(live):
            if shown[at] is None:
                live.discard(at)
                continue
            steps[at].append(Step(turn=_TURN, reply=shown[at][0], reward=shown[at][1]))
            if not shown[at][0]:
                live.discard(at)
        if not live:
            break
    failed = getattr(sessions, "failed", ())
    return [
        (task, replace(e, steps=tuple(steps[at]), ending="failed" if at in failed else "done"))
        for at, (task, e) in enumerate(bare)
    ]
