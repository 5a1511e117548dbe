"""The door of a run: what is stored comes back bit for bit, and only with a warrant for exactly that."""

from __future__ import annotations

import copy
from importlib.util import find_spec
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from pretrained import llama, write
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from autotelic.errors import ModelError, RecordError
from autotelic.models.adapter import add_adapter, frozen_twin
from autotelic.models.digest import adapter_names, digest_of
from autotelic.weights import door as doors
from autotelic.weights.door import USES, Weights
from autotelic.weights.load import load
from autotelic.weights.store import Store
from autotelic.weights.tensors import put_into
from autotelic.weights.warrant import Role, Warrant

TEXTS = ["def f(x):\n    return x\n"] * 9
NEEDS_PEFT = pytest.mark.skipif(find_spec("peft") is None, reason="pip install -e '.[lora]'")
KINDS = ["whole", pytest.param("adapter", marks=NEEDS_PEFT)]
IDS = torch.tensor([[5, 9, 4, 7, 30, 2]])


def begun(folder: Path, kind: str) -> tuple[Weights, PreTrainedTokenizerFast]:
    found = load(write(folder / "start", TEXTS))
    if kind == "adapter":
        add_adapter(found.model, rank=4, seed=1)
    return Weights(found.model, Store(folder / "weights"), folder / "start"), found.tokenizer


def learn(model: PreTrainedModel, seed: int) -> None:
    """Change what is learned, as an update does."""
    generator = torch.Generator().manual_seed(seed)
    own = adapter_names(model)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if not own or name in own:
                p.add_(torch.randn(p.shape, generator=generator) * 0.05)


def logits(model: PreTrainedModel) -> torch.Tensor:
    with torch.no_grad():
        return model(input_ids=IDS).logits


def allowed(ref: str, role: Role = "train") -> Warrant:
    return Warrant(role=role, ref=ref)


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_stored_comes_back(tmp_path: Path, kind: str) -> None:
    weights, _ = begun(tmp_path, kind)
    first, before = weights.put(), logits(weights.model)
    learn(weights.model, 1)
    second = weights.put()
    assert first != second == weights.current()
    assert weights.activate(first, allowed(first)) == weights.digest()
    assert weights.current() == first
    assert torch.equal(logits(weights.model), before)


@pytest.mark.parametrize("kind", KINDS)
def test_another_model_of_its_kind_can_be_given_them(tmp_path: Path, kind: str) -> None:
    weights, _ = begun(tmp_path, kind)
    reference = frozen_twin(weights.model)
    learn(weights.model, 1)
    ref, after = weights.put(), logits(weights.model)
    learn(weights.model, 2)
    working = weights.current()
    weights.activate(ref, allowed(ref, "reference"), into=reference)
    assert torch.equal(logits(reference), after)
    assert weights.current() == working


def test_an_adapter_is_stored_alone(tmp_path: Path) -> None:
    pytest.importorskip("peft")
    weights, _ = begun(tmp_path, "adapter")
    ref = weights.put()
    assert set(weights.store.get(weights.blobs[ref])) == adapter_names(weights.model)


@pytest.mark.parametrize("kind", KINDS)
def test_a_process_that_goes_on_knows_what_was_stored(tmp_path: Path, kind: str) -> None:
    weights, _ = begun(tmp_path, kind)
    learn(weights.model, 1)
    ref, after = weights.put(), logits(weights.model)
    again, _ = begun(tmp_path, kind)
    with pytest.raises(ModelError, match="never stored"):
        again.activate(ref, allowed(ref))
    again.adopt(weights.blobs)
    again.activate(ref, allowed(ref))
    assert torch.equal(logits(again.model), after)
    again.forget([])
    with pytest.raises(ModelError, match="never stored"):
        again.activate(ref, allowed(ref))


def test_a_warrant_for_other_bytes_names_both(tmp_path: Path) -> None:
    weights, tokenizer = begun(tmp_path, "whole")
    first = weights.put()
    learn(weights.model, 1)
    second = weights.put()
    for use in (
        lambda: weights.activate(first, allowed(second)),
        lambda: weights.export(tmp_path / "out", first, allowed(second, "export"), tokenizer),
    ):
        with pytest.raises(ModelError) as caught:
            use()
        assert first in str(caught.value)
        assert second in str(caught.value)
        assert "\n" not in str(caught.value)
    assert weights.current() == second
    assert not (tmp_path / "out").exists()


def test_a_warrant_for_another_use_is_refused(tmp_path: Path) -> None:
    weights, tokenizer = begun(tmp_path, "whole")
    ref = weights.put()
    with pytest.raises(ModelError, match="allows to export, and this use is to train or"):
        weights.activate(ref, allowed(ref, "export"))
    for role in USES:
        weights.activate(ref, allowed(ref, role))
        with pytest.raises(ModelError, match=f"allows to {role}, and this use is to export"):
            weights.export(tmp_path / "out", ref, allowed(ref, role), tokenizer)
    assert {*USES, "export"} == set(get_args(Role))


def test_stored_bytes_that_changed_never_reach_a_model(tmp_path: Path) -> None:
    weights, _ = begun(tmp_path, "whole")
    ref = weights.put()
    learn(weights.model, 1)
    working = weights.current()
    (path,) = (tmp_path / "weights").glob("*.safetensors")
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(RecordError, match="damaged"):
        weights.activate(ref, allowed(ref))
    other, _ = begun(tmp_path / "other", "whole")
    learn(other.model, 7)
    other.put()
    weights.store, weights.blobs = other.store, {ref: next(iter(other.blobs.values()))}
    with pytest.raises(ModelError, match="the weights stored as") as caught:
        weights.activate(ref, allowed(ref))
    assert ref in str(caught.value)
    assert weights.current() == working


def test_weights_that_do_not_arrive_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights, _ = begun(tmp_path, "whole")
    ref = weights.put()
    learn(weights.model, 1)
    monkeypatch.setattr(doors, "put_into", lambda *_: None)
    with pytest.raises(ModelError, match=f"expected {ref}"):
        weights.activate(ref, allowed(ref))


def test_another_tokenizer_is_another_reference(tmp_path: Path) -> None:
    weights, _ = begun(tmp_path, "whole")
    ref = weights.put()
    (tmp_path / "start" / "tokenizer_config.json").write_text("{}")
    again = Weights(weights.model, weights.store, tmp_path / "start")
    assert again.current() != ref
    again.adopt(weights.blobs)
    with pytest.raises(ModelError, match="the weights stored as"):
        again.activate(ref, allowed(ref))


@pytest.mark.parametrize("kind", KINDS)
def test_an_exported_model_is_a_plain_one_that_says_the_same(tmp_path: Path, kind: str) -> None:
    weights, tokenizer = begun(tmp_path, kind)
    learn(weights.model, 1)
    ref, after = weights.put(), logits(weights.model)
    learn(weights.model, 2)
    working = weights.current()
    folder = weights.export(tmp_path / "out", ref, allowed(ref, "export"), tokenizer)
    found = load(tmp_path / "out", expected=folder)
    assert torch.allclose(logits(found.model), after, atol=1e-5)
    assert not adapter_names(found.model)
    assert weights.current() == working
    assert not list(tmp_path.glob(".out.*"))


def test_a_model_that_cannot_be_saved_is_refused_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights, _ = begun(tmp_path, "whole")
    weights.check_exportable()

    def nested(model: Any) -> None:
        raise RecursionError

    monkeypatch.setattr(doors, "merged", nested)
    with pytest.raises(ModelError, match="cannot be merged into LlamaForCausalLM: RecursionError"):
        weights.check_exportable()


@NEEDS_PEFT
def test_the_digest_of_an_adapted_model_is_of_every_bit() -> None:
    model = llama()
    add_adapter(model, rank=4, seed=1)
    seen = {digest_of(model)}
    name = min(adapter_names(model))
    base = "model.layers.1.mlp.down_proj.base_layer.weight"
    for changed in (name, base, "model.norm.weight"):
        tensor = model.state_dict()[changed]
        tensor.view(-1).view(torch.int32)[3] ^= 1
        assert digest_of(model) not in seen
        seen.add(digest_of(model))
        tensor.view(-1).view(torch.int32)[3] ^= 1
        assert digest_of(model) in seen
    assert digest_of(copy.deepcopy(model)) == digest_of(model)


def test_tensors_that_do_not_fit_leave_the_module_as_it_was() -> None:
    model, before = llama(), digest_of(llama())
    state = {name: tensor + 1 for name, tensor in model.state_dict().items()}
    last = list(state)[-1]
    for wrong in (
        {name: tensor for name, tensor in state.items() if name != last},
        state | {"more": torch.ones(1)},
        state | {last: torch.ones(1)},
    ):
        with pytest.raises(ModelError, match="do not fit LlamaForCausalLM: 1 tensors"):
            put_into(model, wrong)
        assert digest_of(model) == before
    put_into(model, {"model.norm.weight": torch.zeros(32)}, strict=False)
    assert not bool(model.model.norm.weight.any())
