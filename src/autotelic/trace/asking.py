"""A prompt that nobody recorded: the champion answers it, and its weights are traced."""

from __future__ import annotations

import torch

from autotelic.engine.champion import champion_of
from autotelic.errors import RecordError, RunError
from autotelic.messages import ChampionSaved
from autotelic.models.context import context_of
from autotelic.models.crew import ALONE
from autotelic.models.decode import Decoder
from autotelic.models.eyes import eyes_of
from autotelic.models.tokens import Tokens
from autotelic.record import Journal, RunFolder
from autotelic.trace.ancestry import Ancestry
from autotelic.trace.graph import Provenance
from autotelic.trace.lineage import lineage_of_weights
from autotelic.types import Request
from autotelic.weights.load import load


def lineage_of_prompt(run: RunFolder, journal: Journal, prompt: str) -> Provenance:
    """The champion's greedy answer to a prompt, with the lineage of its weights.

    Raises RunError for a prompt that is empty or too long, and for a run without a champion.
    """
    folder, expected = champion_of(run)
    charter = run.charter()
    loaded = load(folder, expected=expected, dtype=charter.model.dtype)
    torch.set_num_threads(1)
    tokens = Tokens(loaded.tokenizer, chat=charter.domain.style == "natural", eyes=eyes_of(loaded.model))
    (ids,) = tokens.prompts([prompt])
    room = context_of(loaded.model) - len(ids)
    if not prompt or room < 1:
        had = (
            f"is {len(ids)} tokens long, and the model has room for {len(ids) + room - 1}"
            if prompt
            else "is empty"
        )
        raise RunError(f"the prompt {had}", "give a shorter one" if prompt else "give some text")
    request = Request(
        prompt_ids=ids,
        n=1,
        max_tokens=min(room, charter.roles.max_tokens),
        temperature=0.0,
        seed=charter.seed,
    )
    ((turn,),) = Decoder(loaded.model, end_id=tokens.end_id, crew=ALONE).sample([request])
    lineage = lineage_of_weights(run, journal, _digest(run, journal), "answer:prompt")
    facts = {"prompt": prompt, "answer": tokens.decode(turn.completion_ids), "stop": turn.stop}
    lineage.add(lineage.subject, "answer", facts)
    return lineage


def _digest(run: RunFolder, journal: Journal) -> str:
    """The digest of the champion's tensors, by the reference that it was saved under."""
    saved = journal.latest(ChampionSaved)
    ancestry = Ancestry.of(journal, run)
    if saved is None or (digest := ancestry.refs().get(saved.weights)) is None:
        raise RecordError(
            f"{run.path} does not say which update made its champion",
            "restore its folder `start` from a copy",
        )
    return digest
