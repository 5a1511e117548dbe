"""Running the last block only where it is asked gives what running it everywhere gives, gradients included."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers import (
    GPTBigCodeConfig,
    GPTBigCodeForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
)

from autotelic.learn import last
from autotelic.learn.learner import predicted_places
from autotelic.learn.pack import Trace, imitate, pack

VOCABULARY = 40


def traces(count: int) -> list[Trace]:
    """Of 6 to 45 tokens, the second half predicted."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(count):
        ids = tuple(rng.integers(2, VOCABULARY, rng.integers(6, 46)).tolist())
        prompt, completion = ids[: len(ids) // 2], ids[len(ids) // 2 :]
        found.append(imitate(prompt, completion))
    return found


def llama(heads: int, shared: int, depth: int) -> PreTrainedModel:
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=VOCABULARY,
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=depth,
            num_attention_heads=heads,
            num_key_value_heads=shared,
        )
    )


def bigcode() -> PreTrainedModel:
    config = GPTBigCodeConfig(vocab_size=VOCABULARY, n_embd=32, n_layer=2, n_head=4, n_positions=256)
    config.embd_pdrop = config.resid_pdrop = config.attn_pdrop = 0.0
    return GPTBigCodeForCausalLM(config)


@pytest.mark.parametrize(
    "build", [lambda: llama(4, 4, 2), lambda: llama(4, 2, 3), bigcode], ids=["llama", "grouped", "bigcode"]
)
def test_it_equals_the_whole_model(build, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        model = build().eval()
    batch = pack(traces(20))
    at_S = predicted_places(batch) - 1

    def run() -> tuple[torch.Tensor, list[torch.Tensor]]:
        hidden_SD = last.hidden_at(model, batch, at_S)
        loss = (hidden_SD * torch.sin(torch.arange(hidden_SD.numel()).view_as(hidden_SD))).sum()
        body = list(model.base_model.parameters())
        return hidden_SD.detach(), list(torch.autograd.grad(loss, body, allow_unused=True))

    hidden_SD, gradients = run()
    monkeypatch.setattr(last, "SHALLOW", 0)
    expected_SD, expected = run()
    torch.testing.assert_close(hidden_SD, expected_SD, atol=1e-6, rtol=1e-5)
    for ours, theirs in zip(gradients, expected, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)
