"""A checkpoint is read back bit for bit, or is passed over for the last one that can be."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from autotelic.charter import Charter
from autotelic.errors import RecordError
from autotelic.messages import Dropped, Evaluated, GenerationBegan, Message, RunResumed
from autotelic.record import Journal, RunFolder, checkpoint
from autotelic.record.checkpoint import Checkpoint, generations, path_of, sweep
from autotelic.weights.store import Store

SMALL = {"actor": {"weight": torch.arange(6.0).reshape(2, 3)}}
DIGEST = "sha256:" + 64 * "0"


def store(folder: Path) -> Store:
    return Store(folder / "store")


def save(
    folder: Path, generation: int, tensors: Any, state: Any, *, pinned: bool = False, keep: Sequence[str] = ()
) -> Path:
    """A checkpoint in `folder/checkpoints`, its tensors in `folder/store`."""
    place = folder / "checkpoints"
    return checkpoint.save(
        place, store(folder), generation, tensors, state, journal=DIGEST, pinned=pinned, keep=keep
    )


def load(path: Path) -> Checkpoint:
    return checkpoint.load(path, store(path.parent.parent))


def load_latest(folder: Path) -> Checkpoint | None:
    return checkpoint.load_latest(folder / "checkpoints", store(folder))


def kept(folder: Path) -> list[int]:
    return generations(folder / "checkpoints")


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
    assert kept(tmp_path) == []


def test_the_newest_two_the_first_and_the_pinned_are_kept(tmp_path: Path) -> None:
    for generation in range(7):
        tensors = {"actor": {"weight": torch.full((4,), float(generation))}}
        save(tmp_path, generation, tensors, {"at": generation}, pinned=generation == 2)
    assert kept(tmp_path) == [0, 2, 5, 6]
    assert len(store(tmp_path).refs()) == 4, "tensors of no checkpoint are removed"
    found = load_latest(tmp_path)
    assert found is not None
    assert (found.generation, found.state, found.skipped) == (6, {"at": 6}, ())
    old = checkpoint.nearest(tmp_path / "checkpoints", store(tmp_path), 5)
    assert (old.generation, float(old.tensors["actor"]["weight"][0])) == (2, 2.0)
    with pytest.raises(RecordError, match="keeps no checkpoint from before generation 0"):
        checkpoint.nearest(tmp_path / "checkpoints", store(tmp_path), 0)


def test_what_is_the_same_is_stored_once(tmp_path: Path) -> None:
    for generation in range(3):
        save(tmp_path, generation, {"champion": SMALL["actor"], "actor": SMALL["actor"]}, {})
    assert len(store(tmp_path).refs()) == 1


def test_a_generation_saved_again_takes_the_place_of_the_first(tmp_path: Path) -> None:
    save(tmp_path, 1, SMALL, "first")
    assert load(save(tmp_path, 1, SMALL, "second")).state == "second"
    assert kept(tmp_path) == [1]


def test_no_checkpoint_is_none(tmp_path: Path) -> None:
    assert load_latest(tmp_path) is None
    assert load_latest(tmp_path / "nowhere") is None


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("name", ["tensors", "state.json", "MANIFEST.json"])
@pytest.mark.parametrize("harm", [flip_a_bit, Path.unlink, lambda path: path.write_bytes(b"")])
def test_a_damaged_checkpoint_is_passed_over(tmp_path: Path, name: str, harm: Any) -> None:
    save(tmp_path, 1, SMALL, {"at": "long ago, in a state far away"})
    other = {"actor": {"weight": torch.ones(3)}}
    before = store(tmp_path).refs()
    newest = save(tmp_path, 2, other, {"at": "long ago, in a state far away"})
    (ref,) = store(tmp_path).refs() - before
    blob = tmp_path / "store" / f"{ref.removeprefix('sha256:')}.safetensors"
    harm(blob if name == "tensors" else newest / name)
    with pytest.raises(RecordError, match=r"is damaged|is missing"):
        load(newest)
    found = load_latest(tmp_path)
    assert found is not None
    assert found.generation == 1
    assert len(found.skipped) == 1
    shutil.rmtree(path_of(tmp_path / "checkpoints", 1))
    with pytest.raises(RecordError, match=r"none of the checkpoints .*; restore the run folder"):
        load_latest(tmp_path)


def test_100_random_damages_of_a_checkpoint_are_noticed(tmp_path: Path) -> None:
    """Bit flips and truncations of its state, its manifest, its tensors, and of what its state speaks of."""
    ref = store(tmp_path).put({"weight": torch.ones(5)})
    path = save(tmp_path, 1, SMALL, {"at": "long ago, in a state far away"}, keep=[ref])
    files = [path / "state.json", path / "MANIFEST.json", *sorted((tmp_path / "store").iterdir())]
    assert len(files) == 4
    draw = random.Random(0)
    for number in range(100):
        file = files[number % len(files)]
        good = file.read_bytes()
        changed = bytearray(good)
        if draw.random() < 0.7:
            changed[draw.randrange(len(good))] ^= 1 << draw.randrange(8)
        else:
            del changed[draw.randrange(len(good)) :]
        file.write_bytes(bytes(changed))
        with pytest.raises(RecordError, match=r"none of the checkpoints in .* can be used") as noticed:
            load_latest(tmp_path)
        assert "\n" not in str(noticed.value)
        file.write_bytes(good)
    assert load(path).state == {"at": "long ago, in a state far away"}


def test_a_checkpoint_whose_weights_are_gone_is_passed_over(tmp_path: Path) -> None:
    save(tmp_path, 1, SMALL, {})
    ref = store(tmp_path).put({"weight": torch.ones(5)})
    save(tmp_path, 2, SMALL, {"actor": ref}, keep=[ref])
    assert store(tmp_path).has(ref), "what a state speaks of is kept"
    (tmp_path / "store" / f"{ref.removeprefix('sha256:')}.safetensors").unlink()
    found = load_latest(tmp_path)
    assert found is not None
    assert found.generation == 1
    assert "is missing" in found.skipped[0]


def test_a_checkpoint_in_the_place_of_another_is_damaged(tmp_path: Path) -> None:
    other = save(tmp_path, 1, SMALL, {}).rename(tmp_path / "checkpoints" / "00000007")
    with pytest.raises(RecordError, match="it is of generation 1"):
        load(other)


def test_a_checkpoint_of_another_version_is_refused_with_what_to_do(tmp_path: Path) -> None:
    manifest = save(tmp_path, 1, SMALL, {}) / "MANIFEST.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"version": 1}))
    with pytest.raises(RecordError, match=r"of version 1, expected 3.*version of autotelic that wrote it"):
        load_latest(tmp_path)


def test_what_a_cut_save_left_is_swept_and_never_loaded(tmp_path: Path) -> None:
    save(tmp_path, 1, SMALL, {})
    place = tmp_path / "checkpoints"
    (place / ".new-00000002-123").mkdir()
    (place / ".new-00000002-123" / "state.json").write_bytes(b"half")
    assert kept(tmp_path) == [1]
    assert [path.name for path in sweep(place)] == [".new-00000002-123"]
    assert [path.name for path in place.iterdir()] == ["00000001"]


def test_a_save_that_fails_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    save(tmp_path, 1, SMALL, {})
    with pytest.raises(TypeError):
        save(tmp_path, 2, SMALL, {"a": object()})
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["00000001"]


def test_files_that_a_resume_reads_are_what_they_were(tmp_path: Path) -> None:
    (tmp_path / "start").mkdir()
    (tmp_path / "start" / "config.json").write_text("{}")
    run = RunFolder(tmp_path)
    (tmp_path / "charter.json").write_text("{}")
    files = run.fingerprints()
    assert set(files) == {"charter.json", "start/config.json"}
    checkpoint.verify_files(tmp_path, files)
    assert run.fingerprints() == files
    (tmp_path / "start" / "config.json").write_text("[]")
    assert run.fingerprints() != files
    with pytest.raises(RecordError, match=r"config\.json was changed after it was written"):
        checkpoint.verify_files(tmp_path, files)
    (tmp_path / "start" / "config.json").unlink()
    with pytest.raises(RecordError, match=r"config\.json cannot be read"):
        checkpoint.verify_files(tmp_path, files)


def began(journal: Journal) -> list[int]:
    return [m.generation for m in journal.read() if isinstance(m, GenerationBegan)]


def test_restore_brings_journal_and_checkpoint_to_the_same_place(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path, Charter())
    blobs = Store(run.weights)

    def saved(generation: int, digest: str, value: float) -> None:
        tensors = {"actor": {"weight": torch.full((3,), value)}}
        checkpoint.save(
            run.checkpoints, blobs, generation, tensors, {"at": generation}, journal=digest, pinned=True
        )

    with Journal.open(tmp_path, "a") as journal:
        assert checkpoint.restore(run.checkpoints, blobs, journal) is None
        for generation in (1, 2, 3):
            journal.append(GenerationBegan(generation=generation))
            saved(generation, journal.mark(generation), generation)
        late = journal.append(Dropped(generation=3, what="x", n=1, why="after the mark"))
        flip_a_bit(run.checkpoints / "00000003" / "state.json")
        saved(9, DIGEST, 9.0)  # a checkpoint that the journal never heard of

        found = checkpoint.restore(run.checkpoints, blobs, journal, {"threads": 2})
        assert found is not None
        resumed = journal.latest(RunResumed)
        assert resumed is not None
        assert (resumed.from_generation, resumed.machine) == (2, {"threads": 2})
        assert (found.generation, found.state) == (2, {"at": 2})
        assert began(journal) == [1, 2]
        kept_late = journal.message(late.id)
        assert isinstance(kept_late, Message)
        assert journal.is_superseded(late.id)
        whys = [m.why for m in journal.read() if isinstance(m, Dropped)]
        assert "00000009 is not in the journal" in whys[0]
        assert "state.json is damaged" in whys[1]
        assert generations(run.checkpoints) == [1, 2]
        assert (run.checkpoints / "00000003.unused").is_dir(), "what might be wanted is not deleted"

        again = checkpoint.restore(run.checkpoints, blobs, journal)
        assert again is not None
        assert (again.generation, again.skipped) == (2, ())
        assert not [m for m in journal.read() if isinstance(m, Evaluated)]


def test_a_journal_that_was_changed_is_not_gone_on_from(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path, Charter())
    with Journal.open(tmp_path, "a") as journal:
        journal.append(Dropped(what="secret", n=1, why="as it was"))
        digest = journal.mark(1)
    checkpoint.save(run.checkpoints, Store(run.weights), 1, SMALL, {}, journal=digest)
    path = tmp_path / "journal.sqlite"
    content = path.read_bytes()
    assert content.count(b"as it was") >= 1
    path.write_bytes(content.replace(b"as it was", b"as it wat"))
    with pytest.raises(RecordError, match="not what it was when it was closed"):
        Journal.open(tmp_path, "a")
    (tmp_path / "journal.closed.json").unlink()  # as a killed run leaves it
    with Journal.open(tmp_path, "a") as journal, pytest.raises(RecordError, match="rows are not those"):
        checkpoint.restore(run.checkpoints, Store(run.weights), journal)
