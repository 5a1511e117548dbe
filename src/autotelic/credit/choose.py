"""The credit that an algorithm is made of."""

from __future__ import annotations

from autotelic.algorithms import ALGORITHMS, AlgorithmName
from autotelic.credit.advantage import GroupAdvantage, Prior
from autotelic.credit.answers import Labels, RightAnswers
from autotelic.credit.gae import TokenAdvantage, Values
from autotelic.credit.group import GroupCentred, GroupNormalised, LeaveOneOut
from autotelic.credit.whole import GlobalNormalised
from autotelic.errors import DomainError, RunError
from autotelic.protocols import Credit
from autotelic.types import YES_NO, Binary, Scale


def credit_of(
    name: AlgorithmName, *, prior: Prior | None = None, values: Values | None = None, scale: Scale = YES_NO
) -> Credit:
    """The credit of an algorithm. `prior` and `values` are the critic's, None where there is no critic.

    Raises RunError for an algorithm that needs a critic's values where there are none, DomainError for one
    that needs to know success in a domain of real rewards.
    """
    algorithm = ALGORITHMS[name]
    if algorithm.success and not isinstance(scale, Binary):
        raise DomainError(
            f"learn.algorithm = {name!r} needs to know which attempts passed, and the domain's rewards are "
            f"numbers from {scale.low:g} to {scale.high:g}",
            "set learn.algorithm = 'grpo'",
        )
    match algorithm.credit:
        case "pooled":
            return GroupAdvantage(prior=prior, scale=scale)
        case "group":
            return GroupNormalised(scale=scale)
        case "centred":
            return GroupCentred(scale=scale)
        case "leave-one-out":
            return LeaveOneOut(scale=scale)
        case "global":
            return GlobalNormalised(scale=scale)
        case "right":
            return RightAnswers(scale=scale)
        case "labels":
            return Labels(scale=scale)
        case "gae":
            if values is None:
                raise RunError(
                    f"learn.algorithm = {name!r} values every token by the critic, and this run has none",
                    "set learn.algorithm = 'grpo', or give the run its critic",
                )
            return TokenAdvantage(values=values, scale=scale)
