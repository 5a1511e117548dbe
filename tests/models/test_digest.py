"""The digest of weights, and copies of them."""

from __future__ import annotations

import re

import torch
from torch import nn

from autotelic.models.digest import copy_of, digest_of


def test_digest_is_of_contents_and_not_of_order() -> None:
    a, b = torch.arange(6.0).view(2, 3), torch.ones(3)
    assert digest_of({"a": a, "b": b}) == digest_of({"b": b.clone(), "a": a.clone()})
    assert re.fullmatch("sha256:[0-9a-f]{64}", digest_of({"a": a}))


def test_digest_tells_apart_names_shapes_types_and_bytes() -> None:
    a = torch.arange(6.0)
    nudged = a.clone()
    nudged[3] = torch.nextafter(nudged[3], torch.tensor(9.0))
    others = [{"b": a}, {"a": a.view(2, 3)}, {"a": a.double()}, {"a": a.to(torch.int32)}, {"a": nudged}]
    digests = {digest_of({"a": a}), *(digest_of(other) for other in others)}
    assert len(digests) == len(others) + 1


def test_digest_reads_a_tensor_as_it_is_indexed() -> None:
    a = torch.arange(6.0).view(2, 3)
    assert digest_of({"a": a.T}) == digest_of({"a": a.T.contiguous()})


def test_digest_takes_bfloat16_scalars_and_nothing() -> None:
    tensors = {"a": torch.ones(2, dtype=torch.bfloat16), "b": torch.tensor(3), "c": torch.zeros(0)}
    assert digest_of(tensors) == digest_of({k: v.clone() for k, v in tensors.items()})


def test_a_copy_stays_when_the_model_moves_on() -> None:
    layer = nn.Linear(3, 2)
    kept, before = copy_of(layer), digest_of(layer)
    with torch.no_grad():
        layer.weight.add_(1.0)
    assert digest_of(kept) == before != digest_of(layer)
    assert not any(t.requires_grad for t in kept.values())
