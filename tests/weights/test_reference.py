"""References: the same for the same behaviour, another for anything that changes it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch
from pretrained import llama, write

from autotelic.models.tiny import build_tiny
from autotelic.models.tokenizer import train_tokenizer
from autotelic.weights.load import load, manifest_of, save
from autotelic.weights.reference import Manifest, changes_behaviour, hashes_of, manifest_of_model, short

TEXTS = ["def f(x):\n    return x\n"] * 9


def test_a_reference_is_of_tensors_and_files() -> None:
    one = Manifest(tensors="sha256:a", files={"config.json": "sha256:b"})
    others = [
        Manifest(tensors="sha256:c", files=one.files),
        Manifest(tensors=one.tensors, files={"config.json": "sha256:d"}),
        Manifest(tensors=one.tensors, files={"tokenizer.json": "sha256:b"}),
        Manifest(tensors=one.tensors, files={}),
    ]
    assert re.fullmatch("sha256:[0-9a-f]{64}", one.ref)
    assert len({one.ref, *(other.ref for other in others)}) == 5
    assert short(one.ref) == one.ref[7:19]


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("config.json", True),
        ("generation_config.json", True),
        ("tokenizer.json", True),
        ("tokenizer_config.json", True),
        ("special_tokens_map.json", True),
        ("added_tokens.json", True),
        ("chat_template.jinja", True),
        ("vocab.json", True),
        ("merges.txt", True),
        ("tokenizer.model", True),
        ("README.md", False),
        ("LICENSE", False),
        ("model.safetensors", False),
        ("pytorch_model.bin", False),
    ],
)
def test_files_count_that_change_what_a_model_answers(name: str, counts: bool) -> None:
    assert changes_behaviour(name) is counts
    assert bool(hashes_of({name: b"content"})) is counts


def test_live_weights_have_the_reference_of_their_tensors_and_files() -> None:
    files = hashes_of({"config.json": b"{}"})
    model, other = llama(), llama(seed=1)
    assert manifest_of_model(model, files).ref == manifest_of_model(llama(), files).ref
    assert manifest_of_model(model, files).ref != manifest_of_model(other, files).ref
    assert manifest_of_model(model, files).ref != manifest_of_model(model, {}).ref


def test_saved_and_loaded_again_it_has_the_same_reference(tmp_path: Path) -> None:
    first = load(write(tmp_path / "a", TEXTS))
    saved = save(first.model, first.tokenizer, tmp_path / "b")
    second = load(tmp_path / "b", expected=saved)
    assert save(second.model, second.tokenizer, tmp_path / "c") == saved == manifest_of(tmp_path / "c").ref


def test_a_model_that_was_loaded_is_saved_as_the_one_that_was_made(tmp_path: Path) -> None:
    """A resumed run loads its tokenizer. How it was loaded once went into the champion's folder and its reference."""
    tokenizer = train_tokenizer(TEXTS * 20, [], 300)
    model = build_tiny(tokenizer, width=16, depth=1, heads=2, context=64, seed=0)
    made = save(model, tokenizer, tmp_path / "made")
    loaded = load(tmp_path / "made", expected=made)
    assert save(loaded.model, loaded.tokenizer, tmp_path / "again") == made


def test_shards_have_the_reference_of_the_one_file(tmp_path: Path) -> None:
    write(tmp_path, TEXTS)
    whole = manifest_of(tmp_path)
    model = load(tmp_path).model
    (tmp_path / "model.safetensors").unlink()
    model.save_pretrained(tmp_path, max_shard_size="20KB")
    shards = sorted(tmp_path.glob("model-*.safetensors"))
    assert len(shards) > 1
    assert manifest_of(tmp_path).tensors == whole.tensors
    again = load(tmp_path).model
    assert all(
        torch.equal(a, b)
        for a, b in zip(model.state_dict().values(), again.state_dict().values(), strict=True)
    )


def test_a_file_without_effect_changes_nothing(tmp_path: Path) -> None:
    before = manifest_of(write(tmp_path, TEXTS)).ref
    (tmp_path / "README.md").write_text("a card")
    assert manifest_of(tmp_path).ref == before
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"rms_norm_eps": 1e-3}))
    assert manifest_of(tmp_path).ref != before
