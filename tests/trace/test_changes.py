"""What changed between two sets of weights of a real run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from autotelic.cli import main
from autotelic.errors import RunError
from autotelic.record import Journal, RunFolder
from autotelic.trace.between import between
from autotelic.trace.changes import changes, moved
from autotelic.types import Turn


def tiny_model(seed: int) -> LlamaForCausalLM:
    """Three layers of four heads, two of them read by each key-value head."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=24,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        initializer_range=0.3,
        max_position_embeddings=32,
    )
    return LlamaForCausalLM(config).eval()


def test_a_model_has_not_changed_from_itself() -> None:
    model = tiny_model(seed=0)
    found = changes(model, model, [1, 2, 3, 4], str)
    assert all(abs(token.kl) < 1e-6 and token.before == token.after for token in found.tokens)
    assert all(abs(kl) < 1e-6 for kl in found.layers)


def test_one_head_that_was_changed_is_the_one_that_is_named() -> None:
    before, after = tiny_model(seed=0), tiny_model(seed=0)
    size = before.config.head_dim
    projection = after.model.layers[1].self_attn.v_proj.weight
    groups = before.config.num_attention_heads // before.config.num_key_value_heads
    torch.manual_seed(1)
    with torch.no_grad():  # the second key-value head of the second layer
        projection[size : 2 * size] += torch.randn(size, projection.shape[1])
    found = changes(before, after, [1, 2, 3, 4, 5], str)
    assert max(token.kl for token in found.tokens) > 1e-4
    assert found.layers[1] == pytest.approx(0, abs=1e-6), "the layer before it is the same"
    assert found.parts_at == 2
    told = {(layer, head): share for layer, head, share in found.heads}
    assert len(told) == 12
    # The heads that read it have changed; what they are given has not, and neither has any head beside or below them.
    for (layer, head), share in told.items():
        if (layer, head) in {(1, groups + n) for n in range(groups)}:
            assert abs(share) > 1e-3
        elif layer < 2:
            assert share == pytest.approx(0, abs=1e-3)


def test_moved_answers_are_scored_by_both() -> None:
    before, after = tiny_model(seed=0), tiny_model(seed=1)
    turn = Turn(prompt_ids=(1, 2, 3), completion_ids=(4, 5), logprobs=(0.0, 0.0), weights="w", stop="length")
    ((first, second),) = moved(before, after, [turn])
    with torch.no_grad():
        for model, found in ((before, first), (after, second)):
            logprob_TV = torch.log_softmax(model(torch.tensor([[1, 2, 3, 4, 5]])).logits[0].float(), -1)
            assert found == pytest.approx(float(logprob_TV[2, 4] + logprob_TV[3, 5]), abs=1e-4)


def test_what_a_run_changed_is_told(real_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Journal.open(real_run) as journal:
        found = between(RunFolder.open(real_run), journal, "start", "working", items=3)
    assert found.before != found.after
    assert len(found.items) == 3
    steps = [abs(one.after - one.before) for one in found.items]
    assert steps == sorted(steps, reverse=True)
    assert steps[0] > 0
    assert max(token.kl for token in found.found.tokens) > 0
    assert main(["changed", str(real_run), "start", "working", "--items", "3", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["attempt"] for one in told["items"]] == [one.attempt for one in found.items]
    assert main(["changed", str(real_run), "start", "working", "--items", "2"]) == 0
    assert "answers of the last exam that changed most" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("before", "after", "prompt", "said"),
    [
        ("start", "champ", None, "has no weights 'champ'"),
        ("999", "champion", None, "has no weights '999'"),
        ("start", "champion", "", "the prompt is empty"),
        ("start", "champion", "x" * 20_000, "the prompt has"),
    ],
)
def test_what_cannot_be_compared(
    real_run: Path, before: str, after: str, prompt: str | None, said: str
) -> None:
    with Journal.open(real_run) as journal, pytest.raises(RunError, match=said):
        between(RunFolder.open(real_run), journal, before, after, prompt)
