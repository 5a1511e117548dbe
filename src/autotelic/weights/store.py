"""Tensors by content: each file is named by the sha256 of its bytes, and what is loaded is what was
hashed.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load as parse_safetensors
from safetensors.torch import save as to_safetensors
from torch import Tensor

from autotelic.errors import RecordError

Array = Tensor | np.ndarray[Any, Any]
_ENDING = ".safetensors"
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Store:
    """Groups of named tensors in a folder. The same content is stored once, under the same reference."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, tensors: Mapping[str, Array]) -> str:
        """Store tensors and numpy arrays by name, whole or not at all; their reference, `sha256:` and 64
        digits.

        What is there already is not written again. Raises RecordError where there is no space.
        """
        content = bytes_of(tensors)
        digest = hashlib.sha256(content).hexdigest()
        path = self._path(digest)
        if path.is_file() and path.stat().st_size == len(content):
            return f"sha256:{digest}"
        new = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with new.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(new, path)
            _flush(self.folder)
        except OSError as error:
            new.unlink(missing_ok=True)
            full = error.errno in _NO_SPACE
            fix = "free some space and resume; the last checkpoint is intact" if full else "check its disk"
            raise RecordError(f"{path} cannot be written ({error.strerror})", fix) from error
        return f"sha256:{digest}"

    def get(self, ref: str) -> dict[str, Any]:
        """What was stored under a reference, bit for bit: tensors as tensors, numpy arrays as numpy arrays.

        The file is read once, hashed, and parsed from the bytes that were hashed. Raises RecordError where it
        is missing or its bytes are others.
        """
        return parsed(self._path(ref.removeprefix("sha256:")), self._read(ref))

    def check(self, ref: str) -> None:
        """Raise RecordError where what a reference names is missing or is other bytes."""
        self._read(ref)

    def _read(self, ref: str) -> bytes:
        digest = ref.removeprefix("sha256:")
        path = self._path(digest)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            raise RecordError(f"{path} is missing", "restore the run folder from a copy") from None
        except OSError as error:
            raise RecordError(f"{path} cannot be read: {error.strerror}", "check its disk") from error
        if hashlib.sha256(content).hexdigest() != digest:
            raise RecordError(
                f"{path} is damaged: it is not what was written", "restore the run folder from a copy"
            )
        return content

    def has(self, ref: str) -> bool:
        """Whether there is a file of this reference. It is not read."""
        return self._path(ref.removeprefix("sha256:")).is_file()

    def size(self, ref: str) -> int:
        """Bytes on the disk."""
        return self._path(ref.removeprefix("sha256:")).stat().st_size

    def refs(self) -> set[str]:
        """Every reference that is stored."""
        return {f"sha256:{path.stem}" for path in self.folder.glob(f"[!.]*{_ENDING}")}

    def damaged(self) -> list[str]:
        """What is stored under a name that its bytes do not have, a line each. Reads everything."""
        found: list[str] = []
        for ref in sorted(self.refs()):
            try:
                self.check(ref)
            except RecordError as error:
                found.append(error.cause)
        return found

    def prune(self, keep: Collection[str]) -> int:
        """Remove what is not to be kept, and what a write that was cut short left behind; how many were
        removed.
        """
        gone = [self._path(ref.removeprefix("sha256:")) for ref in self.refs() - set(keep)]
        gone += list(self.folder.glob(f".*{_ENDING}.*"))
        for path in gone:
            path.unlink(missing_ok=True)
        return len(gone)

    def _path(self, digest: str) -> Path:
        return self.folder / f"{digest}{_ENDING}"


def bytes_of(tensors: Mapping[str, Array]) -> bytes:
    """A safetensors file. Its metadata names what was a numpy array, to give it back as one."""
    arrays = sorted(name for name, value in tensors.items() if isinstance(value, np.ndarray))
    seen: set[int] = set()
    plain: dict[str, Tensor] = {}
    for name, value in tensors.items():
        # numpy's own contiguous copy would turn a number without dimensions into a vector of one.
        tensor = torch.from_numpy(np.array(value, order="C")) if isinstance(value, np.ndarray) else value
        tensor = tensor.detach().cpu().contiguous()
        storage = tensor.untyped_storage()
        if storage.data_ptr() in seen or storage.nbytes() != tensor.nbytes:
            tensor = tensor.clone()  # safetensors takes no views: tied weights, slices
        seen.add(tensor.untyped_storage().data_ptr())
        plain[name] = tensor
    return bytes(to_safetensors(plain, metadata={"numpy": json.dumps(arrays)}))


def parsed(path: Path | str, content: bytes) -> dict[str, Any]:
    """The tensors and arrays of a safetensors file; `path` is what an error calls it. Raises RecordError."""
    try:
        length = int.from_bytes(content[:8], "little")
        said = json.loads(content[8 : 8 + length]).get("__metadata__", {})
        arrays = set(json.loads(said.get("numpy", "[]")))
        # Cloned, because what is parsed from a buffer lies where it lies, and the rounding of a matrix
        # product can depend on how its operands are aligned: a resumed run is to be bit-equal.
        tensors = {name: tensor.clone() for name, tensor in parse_safetensors(content).items()}
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise RecordError(f"{path} is damaged: {error}", "restore the run folder from a copy") from error
    return {name: tensor.numpy() if name in arrays else tensor for name, tensor in tensors.items()}


def _flush(folder: Path) -> None:
    """Wait until the entries of a folder are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
