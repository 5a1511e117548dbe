"""Where a run's completions come from, and whether that computes what its learner does."""

from __future__ import annotations

import os

from transformers import PreTrainedModel

from autotelic.attempt.tokens import Tokens
from autotelic.charter import Charter
from autotelic.errors import RunError
from autotelic.learn.probe import OURS, SERVERS, Probe, probe
from autotelic.models.crew import Crew
from autotelic.models.decode import Decoder
from autotelic.models.remote import RemoteSampler
from autotelic.protocols import Domain
from autotelic.record import RunFolder
from autotelic.streams import seed_of
from autotelic.types import Cell

KEY = "AUTOTELIC_SERVER_KEY"
"""The environment variable with the server's key, if it wants one. A charter is published; a key is not."""


def sampler_of(
    charter: Charter, model: PreTrainedModel, tokens: Tokens, crew: Crew, folder: RunFolder
) -> Decoder | RemoteSampler:
    """Our decode loop over the learner's own model, or the server that the charter names."""
    settings = charter.model
    if not settings.server:
        return Decoder(model, end_id=tokens.end_id, crew=crew)
    return RemoteSampler(
        model,
        settings.server,
        name=settings.name,
        end_id=tokens.end_id,
        folder=folder.adapters,
        key=os.environ.get(KEY, ""),
    )


def probed(
    charter: Charter,
    sampler: Decoder | RemoteSampler,
    model: PreTrainedModel,
    tokens: Tokens,
    domain: Domain,
    folder: RunFolder,
) -> Probe:
    """A probe that the sampler passes, on what a proposer is asked. Raises RunError where it does not."""
    asked = [domain.ask(Cell(mode=mode, level=charter.domain.levels[0]), ()) for mode in charter.domain.modes]
    away, dtype = charter.model.server, charter.model.dtype
    found = probe(
        sampler,
        model,
        tokens.prompts(asked),
        allowed=(SERVERS if away else OURS)[dtype],
        max_tokens=charter.roles.max_tokens,
        seed=seed_of(charter.seed, "probe"),
    )
    if found.passed:
        return found
    raise RunError(
        f"log-probabilities of {away or 'the decode loop'} are up to {found.gap:.2g} from the learner's, and "
        f"{found.allowed:g} is allowed in {dtype}",
        f"serve the model in {folder.start}, in {dtype}, with raw log-probabilities and adapters that may be loaded"
        if away
        else "the decode loop does not fit this model: report it, and sample from a server (model.server) meanwhile",
    )
