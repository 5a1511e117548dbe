"""A checkpoint is read back bit for bit, or is passed over for the last one that can be."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from autotelic.charter import Charter
from autotelic.errors import RecordError
from autotelic.record import Record, RunFolder
from autotelic.record.checkpoint import generations, load, load_latest, path_of, restore, save, sweep

SMALL = {"actor": {"weight": torch.arange(6.0).reshape(2, 3)}}


def same_bits(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Equal in type, shape and every bit: nan is equal to itself, and 0.0 is not -0.0."""
    if (one.dtype, one.shape) != (other.dtype, other.shape):
        return False
    one, other = one.contiguous().reshape(-1), other.contiguous().reshape(-1)
    return torch.equal(one.view(torch.uint8), other.view(torch.uint8))


def test_tensors_come_back_bit_for_bit(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    wide = torch.randn(4, 6, generator=generator)
    group = {
        "float32": wide,
        "odd": torch.tensor([float("nan"), float("inf"), -0.0, 1e-45]),
        "bfloat16": wide.bfloat16(),
        "float64": wide.double(),
        "int64": torch.tensor([2**63 - 1, -(2**63)]),
        "uint8": torch.arange(256, dtype=torch.int32).to(torch.uint8),
        "bool": torch.tensor([[True], [False]]),
        "no dimensions": torch.tensor(3.5),
        "one": torch.tensor([3.5]),
        "empty": torch.empty(0, 3),
        "empty too": torch.empty(0),
        "transposed": wide.T,
        "slice": wide[1:3, ::2],
        "expanded": torch.tensor([1.0]).expand(3),
        "parameter": torch.nn.Parameter(wide),
    }
    found = load(save(tmp_path, 3, {"actor": group, "nothing": {}}, {})).tensors
    assert set(found) == {"actor", "nothing"}
    assert found["actor"].keys() == group.keys()
    for name, tensor in group.items():
        assert same_bits(found["actor"][name], tensor.detach()), name


def test_tied_weights_are_kept_under_both_names(tmp_path: Path) -> None:
    tied = torch.randn(3, 3)
    found = load(save(tmp_path, 1, {"actor": {"embed": tied, "head": tied, "row": tied[0]}}, {})).tensors[
        "actor"
    ]
    assert same_bits(found["embed"], tied)
    assert same_bits(found["head"], tied)
    assert same_bits(found["row"], tied[0])


def test_numpy_arrays_come_back_as_numpy_arrays(tmp_path: Path) -> None:
    group = {
        "float32": np.arange(6, dtype=np.float32).reshape(2, 3),
        "bool": np.array([True, False]),
        "int64": np.array(-7),
        "strided": np.arange(10.0)[::-2],
        "tensor": torch.zeros(1),
    }
    found = load(save(tmp_path, 1, {"buffer": group}, {})).tensors["buffer"]
    for name in ("float32", "bool", "int64", "strided"):
        expected = group[name]
        assert isinstance(found[name], np.ndarray)
        assert isinstance(expected, np.ndarray)
        assert (found[name].dtype, found[name].shape) == (expected.dtype, expected.shape)
        assert found[name].tobytes() == expected.tobytes()
    assert isinstance(found["tensor"], torch.Tensor)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@settings(max_examples=25, deadline=None)
@given(state=json_values)
def test_state_comes_back_equal(tmp_path_factory: pytest.TempPathFactory, state: object) -> None:
    folder = tmp_path_factory.mktemp("checkpoints")
    assert load(save(folder, 1, {}, state)).state == state


def test_the_state_of_a_generator_comes_back(tmp_path: Path) -> None:
    generator = np.random.default_rng(3)
    found = load(save(tmp_path, 1, {}, {"rng": generator.bit_generator.state})).state
    again = np.random.default_rng(0)
    again.bit_generator.state = found["rng"]
    assert again.integers(2**60, size=4).tolist() == generator.integers(2**60, size=4).tolist()


def test_state_with_keys_that_json_would_change_is_refused(tmp_path: Path) -> None:
    for state in ({3: 1}, {"a": [{3: 1}]}, {"a": {"b": {None: 1}}}):
        with pytest.raises(TypeError, match="JSON has only text for keys"):
            save(tmp_path, 1, {}, state)
    assert generations(tmp_path) == []


def test_the_newest_two_and_the_pinned_are_kept(tmp_path: Path) -> None:
    for generation in range(6):
        save(tmp_path, generation, SMALL, {"at": generation}, pinned={1})
    assert generations(tmp_path) == [1, 4, 5]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["00000001", "00000004", "00000005"]
    found = load_latest(tmp_path)
    assert found is not None
    assert (found.generation, found.state, found.skipped) == (5, {"at": 5}, ())


def test_a_generation_saved_again_takes_the_place_of_the_first(tmp_path: Path) -> None:
    save(tmp_path, 1, SMALL, "first")
    assert load(save(tmp_path, 1, SMALL, "second")).state == "second"
    assert [path.name for path in tmp_path.iterdir()] == ["00000001"]


def test_no_checkpoint_is_none(tmp_path: Path) -> None:
    assert load_latest(tmp_path) is None
    assert load_latest(tmp_path / "nowhere") is None


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("name", ["actor.safetensors", "state.json", "MANIFEST.json"])
@pytest.mark.parametrize("harm", [flip_a_bit, Path.unlink, lambda path: path.write_bytes(b"")])
def test_a_damaged_checkpoint_is_passed_over(tmp_path: Path, name: str, harm: object) -> None:
    save(tmp_path, 1, SMALL, {"at": "long ago, in a state far away"})
    newest = save(tmp_path, 2, SMALL, {"at": "long ago, in a state far away"})
    assert callable(harm)
    harm(newest / name)
    with pytest.raises(RecordError, match=r"00000002.* is damaged"):
        load(newest)
    found = load_latest(tmp_path)
    assert found is not None
    assert found.generation == 1
    assert len(found.skipped) == 1
    assert "is damaged" in found.skipped[0]
    shutil.rmtree(path_of(tmp_path, 1))
    with pytest.raises(RecordError, match=r"none of the checkpoints .*is damaged.*; restore the run folder"):
        load_latest(tmp_path)


def test_a_checkpoint_in_the_place_of_another_is_damaged(tmp_path: Path) -> None:
    save(tmp_path, 1, SMALL, {}).rename(tmp_path / "00000007")
    with pytest.raises(RecordError, match="its manifest is of generation 1"):
        load(tmp_path / "00000007")


def test_a_checkpoint_of_another_version_is_refused_with_what_to_do(tmp_path: Path) -> None:
    manifest = save(tmp_path, 1, SMALL, {}) / "MANIFEST.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"version": 1}))
    with pytest.raises(RecordError, match=r"of version 1, expected 2.*version of autotelic that wrote it"):
        load_latest(tmp_path)


def test_reading_a_checkpoint_runs_no_code(tmp_path: Path) -> None:
    """The one format that could is refused: a pickle under the name of a tensor file, manifest and all."""
    path = save(tmp_path, 1, SMALL, {})
    torch.save(SMALL["actor"], path / "actor.safetensors")
    manifest = json.loads((path / "MANIFEST.json").read_text())
    from autotelic.record.checkpoint import _fingerprint

    manifest["files"]["actor.safetensors"] = _fingerprint(path / "actor.safetensors")
    (path / "MANIFEST.json").write_text(json.dumps(manifest))
    with pytest.raises(RecordError, match="cannot be written or read"):
        load(path)


def test_what_a_cut_save_left_is_swept_and_never_loaded(tmp_path: Path) -> None:
    save(tmp_path, 1, SMALL, {})
    (tmp_path / ".new-00000002-123").mkdir()
    (tmp_path / ".new-00000002-123" / "actor.safetensors").write_bytes(b"half")
    assert generations(tmp_path) == [1]
    assert [path.name for path in sweep(tmp_path)] == [".new-00000002-123"]
    assert [path.name for path in tmp_path.iterdir()] == ["00000001"]


def test_a_save_that_fails_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    save(tmp_path, 1, SMALL, {})
    with pytest.raises(TypeError):
        save(tmp_path, 2, SMALL, {"a": object()})
    with pytest.raises(RecordError, match="cannot be written or read"):
        save(tmp_path, 2, {"no/such/folder": SMALL["actor"]}, {})
    assert [path.name for path in tmp_path.iterdir()] == ["00000001"]


def test_restore_brings_record_and_checkpoint_to_the_same_place(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path, Charter())
    with Record.open(tmp_path, "a") as record:
        assert restore(run.checkpoints, record) is None
        for generation in (1, 2, 3):
            record.emit("generation", generation=generation)
            record.mark(generation)
            save(run.checkpoints, generation, SMALL, {"at": generation})
        record.emit("exam", generation=3)
        flip_a_bit(run.checkpoints / "00000003" / "actor.safetensors")
        save(run.checkpoints, 9, SMALL, {})  # keeps 3 and 9; a checkpoint that the record never heard of
        save(run.checkpoints, 2, SMALL, {"at": 2})

        found = restore(run.checkpoints, record)
        assert found is not None
        assert (found.generation, found.state) == (2, {"at": 2})
        assert [event.generation for event in record.events("generation")] == [1, 2]
        assert record.events("exam") == []
        whys = [event.data["why"] for event in record.events("dropped")]
        assert "00000009 is not in the record" in whys[0]
        assert "actor.safetensors is damaged" in whys[1]
        assert generations(run.checkpoints) == [2]
        assert (run.checkpoints / "00000003.unused").is_dir(), "what might be wanted is not deleted"

        again = restore(run.checkpoints, record)
        assert again is not None
        assert (again.generation, again.skipped) == (2, ())
