"""How much choice there was where an episode's tokens were sampled."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers import PreTrainedModel

from autotelic.learn.learner import predicted_logprobs, predicted_places
from autotelic.learn.pack import pack, reinforce
from autotelic.models.placement import host, moved, where
from autotelic.types import Episode

READ = 16_384
"""Tokens of a forward pass, about."""


@torch.no_grad()
def mean_entropies(
    model: PreTrainedModel, episodes: Sequence[Episode], temperature: float = 1.0
) -> list[float]:
    """The mean entropy of the distributions at each episode's sampled tokens, in nats; 0 where none was.

    The distributions are those of `temperature`, of which the sampler drew.
    """
    found = [0.0] * len(episodes)
    written = [at for at, e in enumerate(episodes) if any(turn.completion_ids for turn in e.turns)]
    batch: list[int] = []
    filled = 0
    for at in written:
        batch.append(at)
        last = episodes[at].turns[-1]
        filled += len(last.prompt_ids) + len(last.completion_ids)
        if filled >= READ or at == written[-1]:
            for place, entropy in zip(
                batch, _read(model, [episodes[i] for i in batch], temperature), strict=True
            ):
                found[place] = entropy
            batch, filled = [], 0
    return found


def _read(model: PreTrainedModel, episodes: Sequence[Episode], temperature: float) -> list[float]:
    # The place of the advantage carries the number of the episode: which token is whose.
    batch = moved(
        pack([reinforce(episode, float(number)) for number, episode in enumerate(episodes)]), where(model)
    )
    at_S = predicted_places(batch)
    _, entropy_S = predicted_logprobs(model, batch, at_S, temperature)
    number_S = host(batch.advantage_BT.flatten()[at_S]).long()
    total_N = torch.zeros(len(episodes), dtype=torch.float64)
    total_N = total_N.index_add(0, number_S, host(entropy_S).double())
    count_N = torch.bincount(number_S, minlength=len(episodes))
    return (total_N / count_N).tolist()
