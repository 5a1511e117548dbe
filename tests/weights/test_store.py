"""Tensors lie under the hash of their bytes, and what is given back is what was hashed."""

from __future__ import annotations

import errno
import os
import random
from pathlib import Path

import numpy as np
import pytest
import torch

from autotelic.errors import RecordError
from autotelic.weights.store import Store

GROUP = {"weight": torch.arange(12.0).reshape(3, 4), "seen": np.arange(5)}


def file_of(store: Store, ref: str) -> Path:
    return store.folder / f"{ref.removeprefix('sha256:')}.safetensors"


def test_what_is_put_comes_back(tmp_path: Path) -> None:
    store = Store(tmp_path / "weights")
    ref = store.put(GROUP)
    found = store.get(ref)
    assert torch.equal(found["weight"], torch.arange(12.0).reshape(3, 4))
    assert isinstance(found["seen"], np.ndarray)
    assert found["seen"].tolist() == [0, 1, 2, 3, 4]
    assert store.has(ref)
    assert store.size(ref) == file_of(store, ref).stat().st_size
    assert store.refs() == {ref}
    assert store.damaged() == []


def test_nothing_can_be_stored(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert store.get(store.put({})) == {}


def test_the_same_content_is_written_once(tmp_path: Path) -> None:
    store = Store(tmp_path)
    ref = store.put(GROUP)
    before = file_of(store, ref).stat().st_mtime_ns
    assert store.put(dict(reversed(GROUP.items()))) == ref, "the order of names is no content"
    assert file_of(store, ref).stat().st_mtime_ns == before
    assert store.put(GROUP | {"seen": np.arange(6)}) != ref


def test_what_was_cut_short_is_written_again(tmp_path: Path) -> None:
    store = Store(tmp_path)
    ref = store.put(GROUP)
    file_of(store, ref).write_bytes(b"half")
    assert store.put(GROUP) == ref
    store.check(ref)


def test_what_is_given_back_may_be_changed(tmp_path: Path) -> None:
    store = Store(tmp_path)
    ref = store.put(GROUP)
    store.get(ref)["weight"].zero_()
    assert store.get(ref)["weight"].sum() == 66
    assert store.get(ref)["weight"].data_ptr() % 16 == 0, "aligned, as a tensor that torch made"


def test_every_damage_is_noticed(tmp_path: Path) -> None:
    store = Store(tmp_path)
    ref = store.put(GROUP)
    good = file_of(store, ref).read_bytes()
    draw = random.Random(0)
    for number in range(100):
        changed = bytearray(good)
        if number % 3:
            changed[draw.randrange(len(good))] ^= 1 << draw.randrange(8)
        else:
            del changed[draw.randrange(len(good)) :]
        file_of(store, ref).write_bytes(bytes(changed))
        with pytest.raises(RecordError, match="is damaged"):
            store.get(ref)
        assert len(store.damaged()) == 1


def test_what_only_looks_like_tensors_is_damaged(tmp_path: Path) -> None:
    import hashlib

    digest = hashlib.sha256(b"no tensors").hexdigest()
    (tmp_path / f"{digest}.safetensors").write_bytes(b"no tensors")
    with pytest.raises(RecordError, match="is damaged"):
        Store(tmp_path).get(f"sha256:{digest}")


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"0{64}\.safetensors is missing; restore"):
        Store(tmp_path).get("sha256:" + 64 * "0")


def test_pruning_keeps_what_is_asked_for(tmp_path: Path) -> None:
    store = Store(tmp_path)
    one, two, three = (store.put({"x": torch.full((2,), value)}) for value in (1.0, 2.0, 3.0))
    (tmp_path / f".{'0' * 64}.safetensors.123").write_bytes(b"cut short")
    assert store.refs() == {one, two, three}
    assert store.prune({two, "sha256:" + 64 * "f"}) == 3
    assert store.refs() == {two}
    assert [path.name for path in tmp_path.iterdir()] == [file_of(store, two).name]


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RecordError, match=r"cannot be written \(No space left on device\); free some space"):
        Store(tmp_path).put(GROUP)
    assert list(tmp_path.iterdir()) == []
