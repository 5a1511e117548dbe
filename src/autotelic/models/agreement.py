"""Does the engine compute what the model computes? Asked once of every model, before anything is written.

The engine runs a model in ways of its own: sequences that share a row in training, keys and values in a buffer
while it decodes, logits only where they are needed. For most architectures that is the same function. For
some it is not: positions that are counted by columns (alibi), states that are no keys and values, logits that
are scaled afterwards. Sampler and learner would then agree with each other and be wrong, or fail in the
middle of a run. So a few tokens go through both ways, and what comes out is compared with the model's own.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from autotelic.errors import DivergedError, ModelError
from autotelic.models.context import positions_of, sight_of
from autotelic.models.decode import Decoder
from autotelic.models.eyes import sight_gap
from autotelic.models.head import Head, output_head
from autotelic.models.mask import family_mask
from autotelic.types import Request

SHARED, LONG, SHORT = 5, 14, 9
"""Tokens that the two sequences begin with in common, and tokens of each."""
NARROW = 4
"""The window that a sliding one is made for the comparison, so that it slides within these few tokens."""
ALLOWED = {4: 1e-3, 2: 0.5}
"""The largest difference of a log-probability, in nats, by the bytes of a weight. What is another function
differs by more, in random weights too; rounding differs by less.
"""
_FIX = "give a model of another family: docs/models.md lists those that work"
_AGAIN = "restore it from a copy, or pull the model again"


@torch.no_grad()
def check_agreement(model: PreTrainedModel) -> None:
    """Raise ModelError in one line for a model that training or decoding would compute otherwise than it does
    itself.
    """
    name = type(model).__name__
    try:
        context = positions_of(model)
        _check_forward(model, name)
        head = output_head(model)
        if context < LONG:
            raise ModelError(f"{name} knows {context} positions, which is too few to work in", _FIX)
        with _narrow(model):
            gap = max(_training(model, head), _decoding(model), sight_gap(model))
    except DivergedError as error:
        raise ModelError(f"{name} computes NaN or infinity: its weights are of no use", _AGAIN) from error
    except ModelError:
        raise
    except Exception as error:  # what a model raises that does not know masks, positions or a cache
        first = (str(error).splitlines() or [""])[0]
        raise ModelError(
            f"{name} cannot be run with masks, positions and a cache of the engine's own: "
            f"{type(error).__name__}: {first}",
            _FIX,
        ) from error
    # Written so that NaN is refused, too.
    if not gap <= ALLOWED[min(4, model.dtype.itemsize)]:
        raise ModelError(
            f"{name} computes otherwise where sequences share a row or keys are kept: log-probabilities "
            f"differ by {gap:.2g}",
            _FIX,
        )


def _check_forward(model: PreTrainedModel, name: str) -> None:
    """Raise ModelError where what a model takes, or its configuration, says that it cannot be run so."""
    takes = inspect.signature(type(model.base_model).forward).parameters
    config = model.config.get_text_config()
    why = ""
    if "past_key_values" not in takes:
        why = "keeps a state of its own, and no keys and values"
    elif "position_ids" not in takes or getattr(config, "alibi", False):
        why = "counts positions by columns (alibi), so that sequences cannot share a row"
    elif "local" in (getattr(config, "attention_layers", None) or ()):
        why = "counts its local windows by columns, so that sequences cannot share a row"
    if why:
        raise ModelError(f"{name} {why}", _FIX)


def _sequences(model: PreTrainedModel) -> tuple[list[int], list[int]]:
    """Two sequences that begin alike, of tokens that any vocabulary has."""
    size = model.config.get_text_config().vocab_size
    ids = [(3 + 7 * at + at * at) % size for at in range(LONG + SHORT)]
    return ids[:LONG], ids[:SHARED] + ids[LONG : LONG + SHORT - SHARED]


def _own(model: Any, ids: list[int]) -> Tensor:
    """What the model itself says: log-probabilities of every next token. [T, V]"""
    logits: Tensor = model(input_ids=torch.tensor([ids]), use_cache=False).logits[0]
    return logits.float().log_softmax(-1)


def _training(model: Any, head: Head) -> float:
    """The largest difference of a log-probability, in a row that two sequences share after a stranger."""
    one, other = _sequences(model)
    stranger = other[::-1]
    rest = other[SHARED:]
    ids = stranger + one + rest
    position = [*range(len(stranger)), *range(len(one)), *range(SHARED, len(other))]
    segment = [1] * len(stranger) + [2] * (len(one) + len(rest))
    branch = [0] * (len(stranger) + SHARED) + [1] * (len(one) - SHARED) + [2] * len(rest)
    segment_BT, branch_BT, position_BT = (torch.tensor([row]) for row in (segment, branch, position))
    sight = sight_of(model)
    mask: Any = family_mask(segment_BT, branch_BT, model.dtype)
    if sight.window is not None:
        mask = sight.mask(mask, family_mask(segment_BT, branch_BT, model.dtype, position_BT, sight.window))
    hidden_TD = model.base_model(
        input_ids=torch.tensor([ids]), position_ids=position_BT, attention_mask=mask, use_cache=False
    )[0][0]
    got = head(hidden_TD).float().log_softmax(-1)
    start = len(stranger)
    ends = {"one": start + len(one), "all": len(ids)}
    pairs = (
        (got[:start], _own(model, stranger)),
        (got[start : ends["one"]], _own(model, one)),
        (got[ends["one"] : ends["all"]], _own(model, other)[SHARED:]),
    )
    return max(_gap(seen, said) for seen, said in pairs)


def _decoding(model: PreTrainedModel) -> float:
    """The largest difference of a log-probability of tokens that the decode loop drew, of prompts of two
    lengths.
    """
    decoder = Decoder(model, end_id=-1, digest="unknown")
    requests = [
        Request(prompt_ids=tuple(ids[:-3]), n=2, max_tokens=3, temperature=1.0, seed=at)
        for at, ids in enumerate(_sequences(model))
    ]
    gaps = [0.0]
    for turn in (turn for siblings in decoder.sample(requests) for turn in siblings):
        own = _own(model, [*turn.prompt_ids, *turn.completion_ids])
        said = own[len(turn.prompt_ids) - 1 : -1].gather(1, torch.tensor(turn.completion_ids)[:, None])
        gaps.append(_gap(torch.tensor(turn.logprobs), said[:, 0]))
    return max(gaps)


def _gap(seen: Tensor, said: Tensor) -> float:
    """The largest difference, where either is likely enough to matter; NaN if either is."""
    likely = (seen > -20) | (said > -20) | seen.isnan() | said.isnan()
    return float((seen - said).abs()[likely].max()) if bool(likely.any()) else 0.0


@contextmanager
def _narrow(model: PreTrainedModel) -> Iterator[None]:
    """With a sliding window, if the model has one, of `NARROW` tokens."""
    config: Any = model.config.get_text_config(decoder=True)
    before = sight_of(model).window
    if before is None or before <= NARROW:
        yield
        return
    config.sliding_window = NARROW
    try:
        yield
    finally:
        config.sliding_window = before
