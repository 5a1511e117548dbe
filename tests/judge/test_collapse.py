"""The guard on scripted streams: healthy ones are left alone as often as stated, collapses are cut in time."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from autotelic.judge.collapse import ALPHA, CollapseGuard, Finding
from autotelic.messages import Audited

TASKS, SIBLINGS = 16, 8
RUNS, GENERATIONS = 40, 40
Script = Callable[[int], dict[str, float]]
"""By generation: success, reward, concordance, entropy, diversity, and length against the start."""


def audit_of(rng: np.random.Generator, at: int, script: Script) -> Audited:
    said = script(at)
    hard_T = np.clip(said["success"] + np.linspace(-0.2, 0.2, TASKS), 0, 1)
    success_TN = (rng.random((TASKS, SIBLINGS)) < hard_T[:, None]).astype(float)
    # A right attempt is rewarded above a wrong one in so many pairs: the noise decides.
    shift = {0.5: 0.0, 0.65: 0.27, 0.3: -0.37}[said["concordance"]]
    reward_TN = np.clip(
        said["reward"] + 0.05 * (shift * 2 * success_TN + rng.normal(0, 0.7, success_TN.shape)), 0, 1
    )
    return Audited(
        step=10 * at,
        siblings=SIBLINGS,
        success=tuple(success_TN.flatten().tolist()),
        entropy=tuple((said["entropy"] * rng.gamma(4, 0.25, TASKS * SIBLINGS)).tolist()),
        length=tuple(
            np.maximum(1, np.rint(20 * said["length"] * rng.gamma(40, 1 / 40, TASKS * SIBLINGS)))
            .astype(int)
            .tolist()
        ),
        distinct=tuple((1 + rng.binomial(SIBLINGS - 1, said["diversity"], TASKS)).tolist()),
        said={"certainty": tuple(reward_TN.flatten().tolist())},
    )


def cut_at(script: Script, seed: int, generations: int = GENERATIONS) -> tuple[int, Finding] | None:
    """The generation of the first finding."""
    rng, guard = np.random.default_rng(seed), CollapseGuard()
    for at in range(generations):
        guard.learn(audit_of(rng, at, script))
        if found := guard.findings(("certainty",)):
            return at, found[0]
    return None


def base(**changes: float) -> dict[str, float]:
    return {
        "success": 0.5,
        "reward": 0.5,
        "concordance": 0.65,
        "entropy": 0.6,
        "diversity": 0.6,
        "length": 1.0,
    } | changes


def steady(at: int) -> dict[str, float]:
    """Nothing happens, and reward says nothing: the edge of two of the nulls."""
    return base(reward=0.5 + 0.005 * at, concordance=0.5)


def learning(at: int) -> dict[str, float]:
    """What a verifier does to a model: success rises, and entropy and diversity fall to a third."""
    left = 0.3 + 0.7 * np.exp(-at / 10)
    rise = 0.4 * (1 - np.exp(-at / 10))
    return base(
        success=0.4 + rise, reward=0.4 + rise, entropy=0.6 * left, diversity=0.6 * left, length=1 + 0.3 * rise
    )


def wavering(at: int) -> dict[str, float]:
    """Success wavers within the margin, and reward rises."""
    return base(success=0.5 - 0.02 * (at % 3 == 0), reward=0.5 + 0.01 * at)


@pytest.mark.parametrize("script", [steady, learning, wavering])
def test_a_healthy_run_is_cut_no_more_often_than_stated(script: Script) -> None:
    cuts = sum(cut_at(script, seed) is not None for seed in range(RUNS))
    assert cuts <= ALPHA * RUNS


def published(at: int) -> dict[str, float]:
    """Reward rises all the while; success rises for eight generations and then falls (arXiv:2506.17219)."""
    success = 0.5 + 0.01 * min(at, 8) - 0.03 * max(0, at - 8)
    left = float(np.exp(-at / 4))
    return base(
        success=max(0.02, success),
        reward=min(0.99, 0.5 + 0.04 * at),
        concordance=0.5,
        entropy=0.6 * left,
        diversity=0.6 * left,
    )


def silent(at: int) -> dict[str, float]:
    """Success falls, and nothing else shows it."""
    return base(success=max(0.02, 0.6 - 0.04 * max(0, at - 6)), reward=0.5 + 0.01 * at, concordance=0.5)


def backwards(at: int) -> dict[str, float]:
    """The majority is wrong: reward goes to wrong attempts before anything else has changed."""
    return base(concordance=0.3)


def rambling(at: int) -> dict[str, float]:
    """Longer and longer answers are rewarded."""
    return base(reward=0.5 + 0.01 * at, length=1.25**at, concordance=0.5)


@pytest.mark.parametrize(
    ("script", "tests", "begins", "within"),
    [
        (published, {"entropy", "diversity", "success"}, 8, 5),
        (silent, {"success"}, 6, 9),
        (backwards, {"ranking"}, 0, 20),
        (rambling, {"length"}, 3, 8),
    ],
)
def test_a_collapse_is_cut_within_a_few_generations(
    script: Script, tests: set[str], begins: int, within: int
) -> None:
    for seed in range(20):
        found = cut_at(script, seed)
        assert found is not None, seed
        at, finding = found
        assert at <= begins + within, (seed, at, finding)
        assert finding.test in tests
        assert finding.evidence >= finding.needed
        assert finding.source == "certainty"


def test_success_that_falls_with_the_reward_is_no_collapse_of_the_reward() -> None:
    def falling(at: int) -> dict[str, float]:
        left = 0.93**at
        return base(success=0.6 * left, reward=0.6 * left**1.5)

    def hidden(at: int) -> dict[str, float]:
        return base(success=0.6 * 0.93**at, reward=0.6 * 0.99**at)

    assert cut_at(falling, 0, 20) is None
    found = cut_at(hidden, 0, 20)
    assert found is not None
    assert found[1].test == "success"


def test_of_two_sources_the_one_that_ranks_backwards_is_cut() -> None:
    rng, guard, found = np.random.default_rng(0), CollapseGuard(), []
    for at in range(25):
        bad, good = audit_of(rng, at, backwards), audit_of(rng, at, lambda at: base())
        both = {"consensus": bad.said["certainty"], "certainty": good.said["certainty"]}
        # The good one's rewards go with its own successes; those of the audit are the bad one's.
        truth = np.array(bad.success)
        both["certainty"] = tuple((0.4 + 0.2 * truth + rng.normal(0, 0.05, len(truth))).clip(0, 1).tolist())
        guard.learn(
            Audited(
                **{
                    n: getattr(bad, n)
                    for n in ("step", "siblings", "success", "entropy", "length", "distinct")
                },
                said=both,
            )
        )
        found += guard.findings(("consensus", "certainty"))
    assert {finding.source for finding in found} == {"consensus"}


def test_a_start_without_entropy_or_diversity_has_nothing_to_lose() -> None:
    def certain(at: int) -> dict[str, float]:
        return base(entropy=0.0, diversity=0.0, concordance=0.5, reward=0.5 + 0.01 * at)

    assert cut_at(certain, 0) is None


def test_a_guard_that_was_saved_goes_on_as_if_it_never_was() -> None:
    for stop in (1, 2, 9):
        rng, guard = np.random.default_rng(7), CollapseGuard()
        seen: list[list[Finding]] = []
        other: CollapseGuard | None = None
        for at in range(16):
            audit = audit_of(rng, at, published)
            guard.learn(audit)
            if other is not None:
                other.learn(audit)
                assert other.findings(("certainty",)) == guard.findings(("certainty",))
                seen.append(guard.findings(("certainty",)))
            if at + 1 == stop:
                other = CollapseGuard.restored(json.loads(json.dumps(guard.to_json())))
        assert any(seen)
