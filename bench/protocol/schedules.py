"""Random schedules of faults against the real code, by Hypothesis: nothing unsafe may come of any.

A schedule is a list of what trainers, auditors, humans, thieves and accidents do. `World` judges each step.
"""

from __future__ import annotations

from collections import Counter

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from bench.protocol.world import World

WEIGHTS = st.sampled_from([0, 1, 2])
GOOD = st.sampled_from([0, 1])
AT = st.integers(-3, -1)
"""Which lease: the last, or one before it."""
PART = st.sampled_from(["disk", "log", "witness"])
WHEN = st.sampled_from(["before", "after"])
FAULTS = (
    "kill", "reboot", "wall clock", "die at the next write", "full disk", "swap", "mend", "mend", "copy the ledger",
    "restore the ledger", "put the ledger back", "put the ledger back", "edit the charter", "put the charter back",
)  # fmt: skip
TOTAL: Counter[str] = Counter()
"""What all schedules of this process did together."""


class Schedule(RuleBasedStateMachine):
    """One schedule. `world_class` is replaced to try a mutant."""

    world_class: type[World] = World

    def __init__(self) -> None:
        super().__init__()
        self.world = self.world_class()

    def teardown(self) -> None:
        TOTAL.update(self.world.done)
        TOTAL["schedules"] += 1

    # ── ordinary life ────────────────────────────────────────────────────────────────────────────────────

    @rule(weights=GOOD)
    def promote(self, weights: int) -> None:
        self.world.promote(weights)

    @rule(who=st.sampled_from([0, 1]), takeover=st.booleans())
    def grant(self, who: int, takeover: bool) -> None:
        self.world.grant(who, takeover=takeover)

    @rule(who=st.sampled_from([0, 1]))
    def step(self, who: int) -> None:
        self.world.step(who)

    @rule(weights=WEIGHTS, at=AT)
    def review(self, weights: int, at: int) -> None:
        self.world.review(weights, max(at, -len(self.world.held)) if self.world.held else -1)

    @rule(weights=WEIGHTS, at=AT)
    def certify(self, weights: int, at: int) -> None:
        self.world.certify(weights, max(at, -len(self.world.held)) if self.world.held else -1)

    @rule(weights=WEIGHTS, at=AT, epoch=st.integers(0, 2), generation=st.integers(0, 2))
    def certify_by_a_forged_claim(self, weights: int, at: int, epoch: int, generation: int) -> None:
        if self.world.held:
            state = self.world.durable()
            forged = {
                "epoch": max(0, state["epoch"] - epoch),
                "generation": max(0, state["generation"] - generation),
                "parent": state["trail"][-1]["candidate"],
            }
            self.world.certify(weights, max(at, -len(self.world.held)), **forged)

    @precondition(lambda self: self.world.claims)
    @rule(index=st.integers(0, 5))
    def replay(self, index: int) -> None:
        self.world.replay(index)

    @rule(weights=WEIGHTS, use=st.sampled_from(["champion", "export", "serve"]), stale=st.booleans())
    def load(self, weights: int, use: str, stale: bool) -> None:
        self.world.load(weights, use, stale=stale)  # type: ignore[arg-type]

    @rule(milliseconds=st.sampled_from([1, 251, 2_000, 5_000, 5_001, 20_000]))
    def wait(self, milliseconds: int) -> None:
        self.world.clock.milliseconds += milliseconds

    # ── the brake's level ────────────────────────────────────────────────────────────────────────────────

    @rule(level=st.sampled_from([0, 1, 2, 3]))
    def set_level(self, level: int) -> None:
        self.world.set_level(level)

    @rule(level=st.sampled_from([0, 0, 0, 1]), humans=st.sampled_from([2, 2, 1, 0]))
    def release(self, level: int, humans: int) -> None:
        self.world.release(level, humans)

    @rule()
    def roll_back(self) -> None:
        self.world.roll_back()

    @rule()
    def load_the_champion(self) -> None:
        champion = self.world.durable()["trail"][-1]["candidate"]
        if champion in self.world.blobs:
            self.world.load(self.world.blobs.index(champion))

    # ── faults ───────────────────────────────────────────────────────────────────────────────────────────

    @precondition(lambda self: self.world.brake is None or self.world.brake.broken)
    @rule()
    def start(self) -> None:
        self.world.kill()
        self.world.start()

    @rule(part=PART, when=WHEN, weights=GOOD)
    def die_at_a_write(self, part: str, when: str, weights: int) -> None:
        self.world.plan(part, when)  # type: ignore[arg-type]
        self.world.promote(weights)
        self.world.start()

    @rule(kind=st.sampled_from(FAULTS), part=PART, when=WHEN, weights=GOOD, index=st.integers(0, 3))
    def fault(self, kind: str, part: str, when: str, weights: int, index: int) -> None:
        """One rule for all accidents, so that they do not crowd out what they are to disturb."""
        world = self.world
        TOTAL[f"fault: {kind}"] += 1
        match kind:
            case "kill":
                world.kill()
            case "reboot":
                world.reboot()
                world.start()
            case "wall clock":
                world.clock.offset += (-1) ** index * 3_600_000
            case "die at the next write":
                world.plan(part, when)  # type: ignore[arg-type]
            case "full disk":
                world.fill(part, index)
            case "swap":
                world.swap(weights)
            case "mend":
                world.mend(weights)
            case "copy the ledger":
                world.copy_ledger()
            case "restore the ledger":
                world.restore_ledger(index)
            case "put the ledger back":
                world.put_ledger_back()
            case "edit the charter":
                world.edit_charter()
            case "put the charter back":
                world.put_charter_back()


def run(schedules: int, steps: int, machine: type[Schedule] = Schedule) -> Counter[str]:
    """So many schedules of at most so many steps; what they did. An unsafe one raises `UnsafeError`."""
    TOTAL.clear()
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=schedules,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            print_blob=False,
        ),
    )
    return Counter(TOTAL)
