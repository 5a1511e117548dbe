"""A domain from outside cannot break a run: what it does wrong is named, counted, and costs it alone."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from autotelic.domains import Guarded, capabilities_of
from autotelic.domains.watch import Hang, deadline
from autotelic.errors import DomainError
from autotelic.protocols import Answering, Comparable, Demonstrating, Interactive, Proposable, Repairable
from autotelic.types import (
    Binary,
    Cell,
    Demonstration,
    Episode,
    Lineage,
    Observation,
    Proposal,
    Range,
    Rejection,
    Spec,
    Step,
    Task,
    Turn,
    Verdict,
)

YES_OR_NO = Binary()
CELL = Cell(mode="count", level=1)
RIGHT = Verdict(reward=1.0, passed=True, reason="right")
TURN = Turn(prompt_ids=(1,), completion_ids=(2,), logprobs=(0.0,), weights="w", stop="eos")


def task(n: int, **changes: Any) -> Task:
    made = Task(domain="odd", mode="count", level=1, prompt=f"{n}?", secret={"n": n})
    return replace(made, **({"id": ""} | changes)) if changes else made


def tried(n: int, answer: str = "") -> tuple[Task, Episode]:
    one = task(n)
    return one, Episode(task_id=one.id, steps=(Step(turn=TURN),), answer=answer)


class Odd:
    """A domain whose behaviour is given by functions."""

    def __init__(
        self,
        tasks: Callable[[Sequence[Cell]], Any] = lambda cells: [task(n) for n in range(len(cells))],
        judge: Callable[[Sequence[tuple[Task, Episode]]], Any] = lambda episodes: [RIGHT] * len(episodes),
        scale: Binary | Range = YES_OR_NO,
    ) -> None:
        self.spec = Spec(name="odd", modes=("count",), levels=(1,), scale=scale)
        self._tasks, self._judge = tasks, judge

    def tasks(self, rng: np.random.Generator, cells: Sequence[Cell]) -> Any:
        return self._tasks(cells)

    def judge(self, episodes: Sequence[tuple[Task, Episode]]) -> Any:
        return self._judge(episodes)


def drawn(domain: Guarded, count: int = 3) -> list[str | tuple[Any, ...]]:
    return [str(one.prompt) for one in domain.tasks(np.random.default_rng(0), [CELL] * count)]


def fails_on(n: int, error: BaseException) -> Callable[[Sequence[tuple[Task, Episode]]], list[Verdict]]:
    """A judge that cannot judge the task n."""

    def judge(episodes: Sequence[tuple[Task, Episode]]) -> list[Verdict]:
        if any(one.secret["n"] == n for one, _ in episodes):
            raise error
        return [RIGHT] * len(episodes)

    return judge


# ── what it may do ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_good_domain_passes_unchanged() -> None:
    guarded = Guarded(Odd())
    assert drawn(guarded) == ["0?", "1?", "2?"]
    assert guarded.judge([tried(0), tried(1)]) == [RIGHT, RIGHT]
    assert guarded.judge([]) == []
    assert guarded.take_dropped() == []
    assert capabilities_of(guarded) == ()


def test_it_has_the_capabilities_of_what_it_guards_and_no_others() -> None:
    class Able(Odd):
        special = ("<|a|>",)

        def answer(self, mode: str, completion: str) -> str:
            return completion.upper()

        def demonstrate(self, tasks: Sequence[Task]) -> list[Demonstration | None]:
            return [None] * len(tasks)

        def corpus(self, rng: np.random.Generator, count: int) -> list[str]:
            return ["text"] * count

    guarded = Guarded(Able())
    assert capabilities_of(guarded) == capabilities_of(Able()) == ("demonstrating", "answering", "textual")
    assert isinstance(guarded, Answering)
    assert isinstance(guarded, Demonstrating)
    assert not isinstance(guarded, Proposable)
    assert not isinstance(guarded, Interactive)
    assert guarded.answer("count", "a") == "A"
    assert guarded.demonstrate([task(1)]) == [None]


# ── tasks ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_no_task_and_what_repeats_an_id_is_left_out_and_counted() -> None:
    found = [task(0), task(0), "no task", task(1, id="mine"), task(2, id="mine"), task(3, mode="sing")]
    guarded = Guarded(Odd(tasks=lambda cells: found))
    assert drawn(guarded, 6) == ["0?", "1?"]
    assert guarded.take_dropped() == [
        ("task", 1, "its id is given twice"),
        ("task", 1, "`tasks` gave a value of the type str"),
        ("task", 1, "another task has its id"),
        ("task", 1, "the spec has no sing/1"),
    ]
    assert guarded.take_dropped() == []


def test_an_id_that_another_task_had_in_an_earlier_batch_is_noticed() -> None:
    batches = iter([[task(1, id="mine")], [task(1, id="mine")], [task(2, id="mine")]])
    guarded = Guarded(Odd(tasks=lambda cells: next(batches)))
    assert [drawn(guarded, 1) for _ in range(3)] == [["1?"], ["1?"], []]
    assert guarded.take_dropped() == [("task", 1, "another task has its id")]


def test_a_cell_whose_rules_fail_costs_its_own_task_only() -> None:
    def tasks(cells: Sequence[Cell]) -> list[Task]:
        return [task(1 // (cell.level - 2)) for cell in cells]

    guarded = Guarded(Odd(tasks=tasks))
    cells = [CELL, Cell(mode="count", level=2)]
    assert [str(one.prompt) for one in guarded.tasks(np.random.default_rng(0), cells)] == ["-1?"]
    ((what, n, why),) = guarded.take_dropped()
    assert (what, n) == ("task", 1)
    assert why == "`tasks` failed: ZeroDivisionError: integer division or modulo by zero"


# ── verdicts ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("lost\nits way"), "`judge` failed: ValueError: lost"),
        (SystemExit(3), "`judge` failed: SystemExit: 3"),
        (RecursionError(), "`judge` failed: RecursionError"),
    ],
)
def test_an_episode_that_cannot_be_judged_costs_no_other(error: BaseException, said: str) -> None:
    guarded = Guarded(Odd(judge=fails_on(1, error)))
    found = guarded.judge([tried(n) for n in range(3)])
    assert [v.reason for v in found] == ["right", "error", "right"]
    assert found[1] == Verdict(reward=0.0, passed=False, reason="error")
    assert guarded.take_dropped() == [("verdict", 1, said)]


def test_a_wrong_number_of_verdicts_is_blamed_on_who_gives_it() -> None:
    def judge(episodes: Sequence[tuple[Task, Episode]]) -> list[Verdict]:
        return [RIGHT for one, _ in episodes if one.secret["n"] != 1]

    guarded = Guarded(Odd(judge=judge))
    assert [v.reason for v in guarded.judge([tried(n) for n in range(3)])] == ["right", "error", "right"]
    assert guarded.take_dropped() == [("verdict", 1, "`judge` failed: it gave 0 where 1 were expected")]


@pytest.mark.parametrize("reward", [0.5, 2.0, -1.0, float("nan"), float("inf"), "good", None])
def test_a_reward_that_leaves_yes_and_no_is_the_lowest(reward: Any) -> None:
    guarded = Guarded(Odd(judge=lambda e: [Verdict(reward=reward, passed=None, reason="odd")]))
    assert guarded.judge([tried(0)]) == [Verdict(reward=0.0, passed=False, reason="scale")]
    assert guarded.take_dropped() == [("verdict", 1, f"the reward {reward} is not on the scale, 0 or 1")]


def test_a_range_takes_what_is_within_it_and_numbers_of_other_types() -> None:
    rewards: list[Any] = [-2.0, np.float32(0.5), 3, 3.1, float("nan"), True]
    guarded = Guarded(
        Odd(
            judge=lambda e: [Verdict(reward=r, passed=None, reason="held") for r in rewards],
            scale=Range(low=-2.0, high=3.0),
        )
    )
    found = guarded.judge([tried(n) for n in range(len(rewards))])
    assert [v.reward for v in found] == [-2.0, 0.5, 3.0, -2.0, -2.0, 1.0]
    assert all(type(v.reward) is float and v.passed is None for v in found)
    assert [v.reason for v in found] == ["held", "held", "held", "scale", "scale", "held"]


def test_what_is_no_verdict_is_named() -> None:
    guarded = Guarded(Odd(judge=lambda e: [1.0] * len(e)))
    assert [v.reason for v in guarded.judge([tried(0)])] == ["error"]
    assert guarded.take_dropped() == [("verdict", 1, "`judge` gave a value of the type float")]


def test_a_run_stops_with_one_line_when_everything_fails_again_and_again() -> None:
    def judge(episodes: Sequence[tuple[Task, Episode]]) -> list[Verdict]:
        raise OSError("the simulator is gone")

    guarded = Guarded(Odd(judge=judge))
    assert {v.reason for v in guarded.judge([tried(n) for n in range(5)])} == {"error"}
    with pytest.raises(
        DomainError, match=r"`judge` of the domain odd failed for all of 10: OSError: the simulator"
    ):
        guarded.judge([tried(n) for n in range(5)])


def test_one_success_in_between_starts_the_count_anew() -> None:
    guarded = Guarded(Odd(judge=fails_on(1, OSError("gone"))))
    for _ in range(4):
        guarded.judge([tried(1)] * 5)
        guarded.judge([tried(2)])
    assert guarded.take_dropped() == [("verdict", 20, "`judge` failed: OSError: gone")]


# ── hangs ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_judge_that_hangs_costs_the_episode_it_hangs_on() -> None:
    def judge(episodes: Sequence[tuple[Task, Episode]]) -> list[Verdict]:
        while any(one.secret["n"] == 1 for one, _ in episodes):
            try:
                time.sleep(0.01)
            except Exception:
                continue
        return [RIGHT] * len(episodes)

    guarded = Guarded(Odd(judge=judge), seconds=0.2)
    found = guarded.judge([tried(n) for n in range(3)])
    assert [v.reason for v in found] == ["right", "hang", "right"]
    assert guarded.take_dropped() == [("verdict", 1, "`judge` failed: it did not come back within 0.2 s")]


def test_a_batch_of_hangs_does_not_hold_a_run_up_for_long() -> None:
    def judge(episodes: Sequence[tuple[Task, Episode]]) -> list[Verdict]:
        while True:
            time.sleep(0.01)

    guarded = Guarded(Odd(judge=judge), seconds=0.1)
    began = time.monotonic()
    assert {v.reason for v in guarded.judge([tried(n) for n in range(50)])} == {"hang"}
    assert time.monotonic() - began < 2


def test_a_deadline_leaves_a_timer_that_ran_before_it_running() -> None:
    rung: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, frame: rung.append(number))
    left, interval = signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(Hang), deadline(0.1):
            time.sleep(5)
        time.sleep(0.5)
        assert rung == [signal.SIGALRM]
    finally:
        signal.setitimer(signal.ITIMER_REAL, left, interval)
        signal.signal(signal.SIGALRM, before)


def test_in_another_thread_there_is_no_deadline_and_no_error() -> None:
    found: list[list[Verdict]] = []
    guarded = Guarded(Odd(), seconds=0.001)
    thread = threading.Thread(target=lambda: found.append(guarded.judge([tried(0)])))
    thread.start()
    thread.join()
    assert found == [[RIGHT]]


# ── environments ─────────────────────────────────────────────────────────────────────────────────────────────


class Counters:
    """Environments that count replies up to three; `spoil` may do anything for a place's number and its count."""

    def __init__(self, tasks: Sequence[Task], spoil: Callable[[int, int], Any]) -> None:
        self.numbers = [int(one.secret["n"]) for one in tasks]
        self.counts = [0] * len(tasks)
        self.spoil = spoil

    def step(self, replies: Sequence[str | None]) -> Any:
        shown: list[Any] = []
        for at, reply in enumerate(replies):
            if reply is None:
                shown.append(None)
                continue
            self.counts[at] += len(reply)
            spoilt = self.spoil(self.numbers[at], self.counts[at])
            shown.append(spoilt or (None if self.counts[at] > 2 else (f"{self.counts[at]}", 0.5)))
        return shown


class Counting(Odd):
    def __init__(self, spoil: Callable[[int, int], Any] = lambda n, count: None, **given: Any) -> None:
        super().__init__(**given)
        self.spoil = spoil
        self.opened = 0

    def open(self, tasks: Sequence[Task], seeds: Sequence[int]) -> Counters:
        self.opened += 1
        if any(one.secret["n"] == 13 for one in tasks):
            raise RuntimeError("unlucky")
        return Counters(tasks, self.spoil)


def played(guarded: Any, numbers: Sequence[int], turns: int = 3) -> tuple[list[Any], set[int]]:
    sessions = guarded.open([task(n) for n in numbers], [0] * len(numbers))
    replies: list[str | None] = ["x"] * len(numbers)
    rows: list[Any] = []
    for _ in range(turns):
        shown: list[tuple[Observation, float] | None] = sessions.step(replies)
        rows.append(shown)
        replies = [None if seen is None else "x" for seen in shown]
    return rows, sessions.failed


def test_environments_that_work_stay_one_batch() -> None:
    domain = Counting()
    rows, failed = played(Guarded(domain), [0, 1])
    assert rows == [[("1", 0.5)] * 2, [("2", 0.5)] * 2, [None, None]]
    assert failed == set()
    assert domain.opened == 1


def raises(n: int, count: int) -> Any:
    if n == 1 and count == 2:
        raise KeyError("door")


def hangs(n: int, count: int) -> Any:
    while n == 1 and count == 2:
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (raises, "KeyError: 'door'"),
        (hangs, "it did not come back within 0.2 s"),
        (
            lambda n, count: "seen" if (n, count) == (1, 2) else None,
            "it showed no pair of an observation and a reward",
        ),
        (
            lambda n, count: (7, 0.0) if (n, count) == (1, 2) else None,
            "it showed a value of the type int where a text",
        ),
        (lambda n, count: ("", float("nan")) if (n, count) == (1, 2) else None, "its reward is nan"),
        (
            lambda n, count: ("", "good") if (n, count) == (1, 2) else None,
            "its reward is a value of the type str",
        ),
    ],
)
def test_an_environment_that_fails_in_the_middle_ends_its_episode_alone(
    spoil: Callable[[int, int], Any], said: str
) -> None:
    guarded = Guarded(Counting(spoil), seconds=0.2)
    rows, failed = played(guarded, [0, 1, 2])
    assert rows == [
        [("1", 0.5), ("1", 0.5), ("1", 0.5)],
        [("2", 0.5), None, ("2", 0.5)],
        [None, None, None],
    ]
    assert failed == {1}
    ((what, n, why),) = guarded.take_dropped()
    assert (what, n) == ("episode", 1)
    assert why.startswith(f"its environment failed: {said}")


def test_an_environment_that_does_not_open_costs_no_other() -> None:
    guarded = Guarded(Counting())
    rows, failed = played(guarded, [0, 13, 2])
    assert failed == {1}
    assert rows[0] == [("1", 0.5), None, ("1", 0.5)]
    assert rows[2] == [None, None, None]
    assert guarded.take_dropped() == [("episode", 1, "its environment failed: RuntimeError: unlucky")]


def test_a_step_of_the_wrong_length_is_a_failure_of_the_batch_and_not_of_each() -> None:
    class Short(Counters):
        def step(self, replies: Sequence[str | None]) -> Any:
            return super().step(replies)[:1]

    class Shorts(Counting):
        def open(self, tasks: Sequence[Task], seeds: Sequence[int]) -> Counters:
            return Short(tasks, self.spoil)

    rows, failed = played(Guarded(Shorts()), [0, 1])
    assert failed == set()
    assert rows[0] == [("1", 0.5), ("1", 0.5)]


def test_a_failed_episode_is_not_judged_by_the_domain() -> None:
    asked: list[int] = []

    def judge(episodes: Sequence[tuple[Task, Episode]]) -> list[Verdict]:
        asked.append(len(episodes))
        return [RIGHT] * len(episodes)

    guarded = Guarded(Counting(judge=judge, scale=Range(low=-1.0, high=1.0)))
    (one, failed), other = tried(0), tried(1)
    found = guarded.judge([(one, replace(failed, ending="failed")), other])
    assert found == [Verdict(reward=-1.0, passed=None, reason="failed"), RIGHT]
    assert asked == [1]


# ── the other capabilities ───────────────────────────────────────────────────────────────────────────────────


class Wild(Odd):
    """Every capability, and every one of them fails for the task or the text 1."""

    special = ()

    def _mind(self, what: object) -> None:
        if "1" in str(what):
            raise ValueError("wild")

    def ask(self, cell: Cell, references: Sequence[Task]) -> str:
        raise ValueError("wild")

    def proposal(self, one: Task) -> str:
        return 7  # type: ignore[return-value]

    def admit(self, proposals: Sequence[Proposal]) -> list[Task | Rejection]:
        for one in proposals:
            self._mind(one.text)
        return [task(int(one.text)) if one.text.isdigit() else one.text for one in proposals]  # type: ignore[misc]

    def demonstrate(self, tasks: Sequence[Task]) -> list[Demonstration | None]:
        for one in tasks:
            self._mind(one.prompt)
        return [Demonstration(completion="2")] * len(tasks)

    def repair(self, one: Task, answer: str, verdict: Verdict, lineage: Lineage) -> Task | None:
        self._mind(answer)
        return one

    def answer(self, mode: str, completion: str) -> str:
        self._mind(completion)
        return completion

    def same(self, mode: str, answer: str) -> str:
        self._mind(answer)
        return answer


def test_each_capability_fails_by_itself() -> None:
    guarded = Guarded(Wild())
    assert isinstance(guarded, Proposable)
    assert isinstance(guarded, Demonstrating)
    assert isinstance(guarded, Repairable)
    assert isinstance(guarded, Answering)
    assert isinstance(guarded, Comparable)
    proposals = [Proposal(text=text, cell=CELL, lineage=Lineage()) for text in ("0", "1", "two", "3")]
    admitted = guarded.admit(proposals)
    assert admitted == [
        task(0),
        Rejection(reason="error", detail="`admit` failed: ValueError: wild"),
        Rejection(reason="error", detail="`admit` gave a value of the type str"),
        task(3),
    ]
    assert guarded.demonstrate([task(0), task(1)]) == [Demonstration(completion="2"), None]
    assert guarded.repair(task(0), "1", RIGHT, Lineage()) is None
    assert guarded.repair(task(0), "2", RIGHT, Lineage()) == task(0)
    assert (guarded.answer("count", "1"), guarded.answer("count", "2")) == ("", "2")
    assert (guarded.same("count", "1"), guarded.same("count", "2")) == ("", "2")
    assert sum(n for _, n, _ in guarded.take_dropped()) == 6
    with pytest.raises(DomainError, match="`ask` of the domain odd failed: ValueError: wild"):
        guarded.ask(CELL, [])
    with pytest.raises(
        DomainError, match="`proposal` of the domain odd failed: it gave a value of the type int"
    ):
        guarded.proposal(task(1))


def test_an_interrupt_is_no_fault_of_the_domain() -> None:
    guarded = Guarded(Odd(judge=fails_on(1, KeyboardInterrupt())))
    with pytest.raises(KeyboardInterrupt):
        guarded.judge([tried(1)])
