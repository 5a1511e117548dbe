"""Every algorithm in the loop: what is recorded is what was learned, to the bit."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_loop import MACHINE, small

from autotelic.algorithms import ALGORITHMS
from autotelic.charter import Charter
from autotelic.engine.replay import replay
from autotelic.engine.services import Controls
from autotelic.errors import CharterError, RunError
from autotelic.loop import run
from autotelic.messages import Attempted, Credited, Resampling, Updated
from autotelic.record import Journal


def reward_alone(name: str) -> Charter:
    """A charter of seconds by this algorithm."""
    return small(2, **{"learn.algorithm": name, "learn.imitation": 1.0, "repair.share": 0.0})


SOME = ("ppo", "gspo")
"""A value for every token and a ratio for every sequence: what is recorded and packed differs most."""


@pytest.mark.parametrize(
    "name",
    [
        *SOME,
        *(pytest.param(n, marks=pytest.mark.slow) for n in sorted(set(ALGORITHMS) - {"grpo-pooled", *SOME})),
    ],
)
def test_updates_of_every_algorithm_are_computed_again_to_the_bit(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    # How certain siblings were differs even where a model knows nothing yet.
    charter = reward_alone(name).replace({"feedback.certainty": 1.0, "feedback.guard": 0})
    run(charter, folder, machine=MACHINE)
    with Journal.open(folder) as journal:
        updates = [m for m in journal.read(kinds=(Updated.kind,)) if isinstance(m, Updated)]
        credited = [m for m in journal.read(kinds=(Credited.kind,)) if isinstance(m, Credited)]
        attempts = [e for u in updates for e in u.batch if e.kind == "attempt"]
        assert attempts or name in ("raft", "nft")  # which learn from what passed, and here nobody may have
        if name == "ppo":
            assert all(entry.tokens for entry in attempts)
            earned = {str(e.id): e.tokens for m in credited for e in m.earned}
            assert all(entry.tokens == pytest.approx(earned[entry.ref], rel=1e-6) for entry in attempts)
    found = replay(folder, updates[-1].step)
    assert found.same


def test_dapo_samples_again_and_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    run(reward_alone("dapo"), folder, machine=MACHINE)
    with Journal.open(folder) as journal:
        again = [m for m in journal.read(kinds=(Resampling.kind,)) if isinstance(m, Resampling)]
        attempted = [m for m in journal.read(kinds=(Attempted.kind,)) if isinstance(m, Attempted)]
    assert {m.round for m in again} <= {1, 2, 3}
    rounds = sum(bool(m.tasks) for m in again)
    assert rounds
    assert len([m for m in attempted if m.purpose == "attempt"]) == 2 + rounds


def test_ppo_without_a_critic_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(CharterError, match=r"'ppo' needs a critic, and feedback.verifier = 0.*; set"):
        small(1, **{"learn.algorithm": "ppo", "feedback.verifier": 0.0, "feedback.certainty": 1.0})
    with pytest.raises(RunError, match="values every token by the critic"):
        run(reward_alone("ppo"), tmp_path / "run", machine=MACHINE, controls=Controls(baseline="siblings"))


def test_an_algorithm_that_does_not_exist_is_refused_with_the_ones_that_do() -> None:
    with pytest.raises(CharterError, match=r"learn.algorithm = \"pp0\", expected.*\"ppo\""):
        small(1, **{"learn.algorithm": "pp0"})
