"""Loading: what was hashed is what is loaded, and what is damaged is named in one line."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pretrained import byte_level, llama, write
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertModel

from autotelic.errors import ModelError
from autotelic.models.digest import digest_of
from autotelic.weights import load as loading
from autotelic.weights.load import load, manifest_of, save

TEXTS = ["def f(x):\n    return x\n"] * 9
WEIGHTS = "model.safetensors"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "model", TEXTS)


def one_line(caught: pytest.ExceptionInfo[ModelError]) -> str:
    said = str(caught.value)
    assert "\n" not in said
    return said


def test_it_computes_what_was_saved(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    found = load(folder)
    assert capsys.readouterr() == ("", "")
    assert digest_of(found.model) == digest_of(llama(len(found.tokenizer)))
    assert found.ref == manifest_of(folder).ref
    assert not found.model.training
    assert found.model.config.name_or_path == str(folder)


def test_a_run_folder_stands_for_its_champion(folder: Path, tmp_path: Path) -> None:
    folder.rename(tmp_path / "champion")
    assert load(tmp_path).ref == manifest_of(tmp_path / "champion").ref


def test_a_champion_whose_bytes_changed_is_noticed(folder: Path) -> None:
    ref = load(folder).ref
    assert load(folder, expected=ref).ref == ref
    tensors = load_file(folder / WEIGHTS)
    tensors["model.norm.weight"][0] += 1e-6
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})
    with pytest.raises(ModelError, match="was changed after it was saved") as caught:
        load(folder, expected=ref)
    assert ref in one_line(caught)
    assert load(folder).ref != ref  # it is a model still, and another one


def flip(content: bytearray, rng: np.random.Generator) -> None:
    content[int(rng.integers(len(content)))] ^= 1 << int(rng.integers(8))


def truncate(content: bytearray, rng: np.random.Generator) -> None:
    del content[int(rng.integers(len(content))) :]


def empty(content: bytearray, rng: np.random.Generator) -> None:
    content.clear()


def append(content: bytearray, rng: np.random.Generator) -> None:
    content += rng.bytes(7)


def zeros(content: bytearray, rng: np.random.Generator) -> None:
    at = int(rng.integers(len(content)))
    content[at : at + 16] = bytes(min(16, len(content) - at))


def repeat(content: bytearray, rng: np.random.Generator) -> None:
    at = int(rng.integers(len(content)))
    content[at:at] = content[max(0, at - 9) : at] or b"x"


DAMAGES: tuple[Callable[[bytearray, np.random.Generator], None], ...] = (
    flip,
    truncate,
    empty,
    append,
    zeros,
    repeat,
)


def test_a_hundred_random_damages_are_all_noticed_and_none_is_a_traceback(folder: Path) -> None:
    ref, rng = load(folder).ref, np.random.default_rng(11)
    names = sorted(path.name for path in folder.iterdir())
    whole = {name: (folder / name).read_bytes() for name in names}
    done = 0
    while done < 100:
        name = names[int(rng.integers(len(names)))]
        content = bytearray(whole[name])
        DAMAGES[int(rng.integers(len(DAMAGES)))](content, rng)
        if bytes(content) == whole[name]:  # nothing but zeros were overwritten
            continue
        done += 1
        (folder / name).write_bytes(bytes(content))
        with pytest.raises(ModelError) as caught:
            load(folder, expected=ref)
        one_line(caught)
        # Where nobody knows what was there, it is another model or refused, and no traceback either.
        with suppress(ModelError):
            assert load(folder).ref != ref
        (folder / name).write_bytes(whole[name])
    for name in names:
        (folder / name).unlink()
        with pytest.raises(ModelError):
            load(folder, expected=ref)
        (folder / name).write_bytes(whole[name])
    assert load(folder, expected=ref).ref == ref


def test_a_folder_that_changes_while_it_is_loaded_changes_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bytes that were hashed are those that become the model, whatever lies in the folder by then."""
    ref, weights = load(folder).ref, digest_of(load(folder).model)
    filled = loading._filled

    def swap(*args: Any) -> Any:
        shutil.rmtree(folder)
        write(folder, ["another text\n"] * 9)
        save_file({"x": torch.ones(1)}, folder / WEIGHTS)
        return filled(*args)

    monkeypatch.setattr(loading, "_filled", swap)
    found = load(folder, expected=ref)
    assert digest_of(found.model) == weights
    assert found.tokenizer("return x").input_ids == byte_level(TEXTS)("return x").input_ids


@pytest.mark.parametrize(
    ("bend", "says"),
    [
        (lambda t: t.pop("model.norm.weight"), "1 tensors are missing, model.norm.weight among them"),
        (lambda t: t.update({"model.extra": torch.ones(2)}), "1 tensors are too many, model.extra"),
        (lambda t: t.update({"model.norm.weight": torch.ones(3)}), "1 tensors have another shape"),
        (lambda t: t.clear(), "tensors are missing"),
    ],
)
def test_tensors_that_do_not_fit_are_counted_and_one_is_named(
    folder: Path,
    bend: Callable[[dict[str, torch.Tensor]], Any],
    says: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    tensors = load_file(folder / WEIGHTS)
    bend(tensors)
    capsys.readouterr()
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})
    with pytest.raises(ModelError, match=says) as caught:
        load(folder)
    one_line(caught)
    assert capsys.readouterr() == ("", "")


def test_what_is_no_model_is_said(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="does not exist"):
        load(tmp_path / "nowhere")
    with pytest.raises(ModelError, match="is a file"):
        load(folder / WEIGHTS)
    (folder / WEIGHTS).rename(folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match="pickles, which are programs"):
        load(folder)
    (folder / "pytorch_model.bin").unlink()
    with pytest.raises(ModelError, match="holds no weights"):
        load(folder)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    BertModel(BertConfig(vocab_size=300, **sizes)).save_pretrained(tmp_path / "bert")
    byte_level(TEXTS).save_pretrained(tmp_path / "bert")
    with pytest.raises(ModelError, match=r"BertModel is no causal language model") as caught:
        load(tmp_path / "bert")
    one_line(caught)


def test_code_that_comes_with_a_model_is_never_run(folder: Path, tmp_path: Path) -> None:
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    config = (folder / "config.json").read_text().rstrip().removesuffix("}")
    for kind in ("llama", "unknown"):
        auto = '"auto_map": {"AutoConfig": "evil.C", "AutoModelForCausalLM": "evil.M"}'
        text = config.replace('"model_type": "llama"', f'"model_type": "{kind}"')
        (folder / "config.json").write_text(f"{text}, {auto}}}")
        if kind == "llama":
            assert load(folder).model.config.model_type == kind
        else:
            with pytest.raises(ModelError) as caught:
                load(folder)
            one_line(caught)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["model-00001-of", "index"])
def test_a_lost_shard_or_a_wrong_index_is_noticed(folder: Path, name: str) -> None:
    model = load(folder).model
    (folder / WEIGHTS).unlink()
    model.save_pretrained(folder, max_shard_size="20KB")
    (path,) = [p for p in folder.iterdir() if name in p.name]
    if name == "index":
        path.write_text(path.read_text().replace("model.norm.weight", "model.norm.height"))
    else:
        path.unlink()
    with pytest.raises(ModelError, match=r"is missing|does not fit its files") as caught:
        load(folder)
    one_line(caught)


def test_a_full_disk_leaves_what_was_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = load(folder)

    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(type(found.tokenizer), "save_pretrained", full)
    with pytest.raises(ModelError, match=r"cannot be written: .*No space left") as caught:
        save(found.model, found.tokenizer, folder)
    one_line(caught)
    assert load(folder, expected=found.ref).ref == found.ref
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
