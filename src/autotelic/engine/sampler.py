"""Who samples where no worker of a cluster does: our decode loop, or servers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial

from transformers import PreTrainedModel

from autotelic.charter import Charter
from autotelic.errors import ModelError
from autotelic.learn.learner import logprob_gap
from autotelic.learn.probe import SERVERS
from autotelic.machine import Machine
from autotelic.models.crew import Crew
from autotelic.models.decode import Decoder
from autotelic.models.remote import RemoteSampler
from autotelic.models.tokens import Tokens
from autotelic.record import RunFolder
from autotelic.types import Turn

KEY = "AUTOTELIC_SERVER_KEY"
"""The environment variable with the server's key, if it wants one. A charter is published; a key is not."""


def sampler_of(
    charter: Charter, machine: Machine, model: PreTrainedModel, tokens: Tokens, crew: Crew, folder: RunFolder
) -> Decoder | RemoteSampler:
    """Our decode loop over the learner's own model, or the server that the machine names."""
    if not machine.server:
        return Decoder(model, end_id=tokens.end_id, crew=crew)
    return RemoteSampler(
        model,
        machine.server,
        name=charter.model.name,
        end_id=tokens.end_id,
        folder=folder.adapters,
        key=os.environ.get(KEY, ""),
        probe=partial(_same_weights, charter, machine, model),
    )


def _same_weights(charter: Charter, machine: Machine, model: PreTrainedModel, turns: Sequence[Turn]) -> None:
    """Raise ModelError where a server's turns are not of these weights: it began anew with another model."""
    gap, allowed = logprob_gap(model, turns), SERVERS[charter.model.dtype]
    if not gap <= allowed:
        raise ModelError(
            f"a server of {machine.server} came back with other weights: log-probabilities are up to {gap:.2g} from "
            f"the learner's, and {allowed:g} is allowed",
            "start it with the model that the run began from, then resume the run",
        )
