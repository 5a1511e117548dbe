"""Sequences that begin alike: stored once, computed once, and the same losses and gradients as apart."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import LlamaConfig, LlamaForCausalLM

from autotelic.learn.learner import predicted_logprobs, predicted_places
from autotelic.learn.pack import Trace, arrange, imitate, pack
from autotelic.models.families import LEAST, cut, families
from autotelic.types import Batch


def trace(prompt: list[int], completion: list[int]) -> Trace:
    return imitate(tuple(prompt), tuple(completion))


PROMPTS = st.lists(
    st.tuples(
        st.integers(0, 2),  # which beginning
        st.integers(0, 60),  # how much of it
        st.lists(st.integers(3, 9), max_size=6),  # then the prompt's own
        st.lists(st.integers(3, 9), min_size=1, max_size=8),  # and the completion
    ),
    min_size=1,
    max_size=24,
)
BEGINNINGS = [[(7 * k + i * i) % 31 + 1 for i in range(60)] for k in range(3)]


def traces_of(drawn: list[tuple[int, int, list[int], list[int]]]) -> list[Trace]:
    return [trace([1, *BEGINNINGS[k][:n], *own], completion) for k, n, own, completion in drawn]


@given(PROMPTS)
def test_every_sequence_reads_whole_from_its_place(
    drawn: list[tuple[int, int, list[int], list[int]]],
) -> None:
    traces = traces_of(drawn)
    batch = pack(traces)
    places, _ = arrange(traces)
    for one, (row, start, shared) in zip(traces, places, strict=True):
        own = slice(start, start + len(one) - shared)
        segment = batch.segment_BT[row, start]
        trunk = ((batch.segment_BT[row] == segment) & (batch.branch_BT[row] == 0)).nonzero()[:, 0]
        assert len(trunk) == shared
        read = torch.cat([batch.ids_BT[row, trunk], batch.ids_BT[row, own]])
        at = torch.cat([batch.position_BT[row, trunk], batch.position_BT[row, own]])
        assert read.tolist() == one.ids.tolist()
        assert at.tolist() == list(range(len(one)))
        assert len(set(batch.branch_BT[row, own].tolist())) == 1
        assert batch.nll_BT[row, own].tolist() == one.nll[shared:].tolist()
        assert not batch.nll_BT[row, trunk].any()
        # The token before the first predicted one is the sequence's own.
        assert one.nll[: shared + 1].sum() == 0
    assert batch.tokens <= sum(map(len, traces))
    assert int((batch.nll_BT > 0).sum()) == sum(int((t.nll > 0).sum()) for t in traces)


def test_a_family_is_left_where_joining_would_cost_more_than_it_saves() -> None:
    long, short = list(range(100, 180)), list(range(100, 120))
    ids = [np.array([*long, i]) for i in range(8)] + [np.array([*short, 7, i]) for i in range(3)]
    found = families(ids, [len(i) for i in ids])
    assert sorted((len(f.members), f.shared) for f in found) == [(3, 21), (8, 80)]
    # A few tokens in common are worth nothing.
    few = [np.array([*range(LEAST - 1), 50 + i]) for i in range(4)]
    assert [f.shared for f in families(few, [LEAST] * 4)] == [0] * 4


def test_a_family_is_cut_to_the_width() -> None:
    ids = [np.array([*range(40), 90 + i]) for i in range(10)]
    [family] = families(ids, [40] * 10)
    parts = cut(family, [41] * 10, width=44)
    assert [len(p.members) for p in parts] == [4, 4, 2]
    assert all(p.width([41] * 10) <= 44 for p in parts)
    assert sorted(i for p in parts for i in p.members) == list(range(10))


def model() -> LlamaForCausalLM:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=40, hidden_size=32, intermediate_size=48, num_hidden_layers=6, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=256, tie_word_embeddings=True,
    )  # fmt: skip
    return LlamaForCausalLM(config).eval()


def gradients(net: LlamaForCausalLM, batches: list[Batch]) -> tuple[list[float], list[torch.Tensor]]:
    """Log-probabilities in ascending order, and the gradient of their sum."""
    parts = [predicted_logprobs(net, batch, predicted_places(batch))[0] for batch in batches]
    whole = torch.cat(parts)
    return sorted(whole.tolist()), list(torch.autograd.grad(whole.sum(), list(net.parameters())))


def test_losses_and_gradients_are_those_of_separate_sequences() -> None:
    rng = np.random.default_rng(0)
    beginnings = [rng.integers(3, 40, 50).tolist() for _ in range(2)]
    traces = [
        trace(
            [*beginnings[i % 2], *rng.integers(3, 40, 1 + i % 5).tolist()],
            rng.integers(3, 40, 4 + i % 7).tolist(),
        )
        for i in range(20)
    ]
    together, apart = pack(traces), [pack([t]) for t in traces]
    assert together.tokens < sum(b.tokens for b in apart) / 2
    net = model()
    found, found_grads = gradients(net, [together])
    wanted, wanted_grads = gradients(net, apart)
    np.testing.assert_allclose(found, wanted, atol=2e-5)
    for f, w in zip(found_grads, wanted_grads, strict=True):
        torch.testing.assert_close(f, w, rtol=1e-3, atol=2e-4)
