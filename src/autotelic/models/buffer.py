"""Keys and values of the rows that are being decoded, in one preallocated buffer that is written in place.

Axes: S slots, A active rows (always slots 0 to A - 1), C columns, K key heads.
"""

from __future__ import annotations

import math
from threading import Lock
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import Cache
from transformers.cache_utils import CacheLayerMixin

from autotelic.models.context import Sight

_ALIGNED = 64
"""Bytes: a product of memory that is not so aligned is rounded otherwise, and is slower."""
_KEPT = 256 << 20
"""Bytes up to which a buffer is kept from one call to the next."""
_SPARE = 4
"""Buffers that are kept at most."""


class _SlotLayer(CacheLayerMixin):
    """One layer of the buffer, as transformers' attention sees it."""

    def __init__(self, buffer: Buffer, index: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.buffer = buffer
        self.index = index

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Write one new column a row, [A, K, 1, width], each at its row's length; -> the columns in use."""
        return self.buffer.write(self.index, key_states, value_states)

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None: ...

    def get_seq_length(self) -> int:
        return self.buffer.columns - 1

    def get_max_length(self) -> int:
        return -1

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self.buffer.columns, 0


class Buffer:
    """Keys and values of all slots: `store` is [layers, 2, S, K, C, width]."""

    def __init__(self, slots: int, columns: int, like: Tensor) -> None:
        """Room for rows of up to `columns` tokens; `like` holds some prompt's columns, [layers, 2, K, C,
        width].
        """
        layers, _, heads, _, width = like.shape
        self.store = _zeros((layers, 2, slots, heads, columns, width), like)
        self.cache = Cache(layers=[_SlotLayer(self, index) for index in range(layers)])
        self.head_SK = torch.arange(slots * heads, device=like.device).view(slots, heads)
        self.rows = 0
        self.columns = 0
        self.place_AK = torch.zeros(0, dtype=torch.long)

    def aim(self, length_A: Tensor, sight: Sight) -> Any:
        """Set the next writes to go to each row's own end. -> additive mask [A, 1, 1, columns], or one for
        each kind of layer.

        A row sees its own columns and the one being written, where a window slides the last of them.
        """
        self.rows = len(length_A)
        self.columns = int(length_A.max()) + 1
        wide = self.store.shape[-2]
        self.place_AK = (self.head_SK[: self.rows] * wide + length_A[:, None]).flatten()
        ahead_AC = torch.arange(self.columns, device=length_A.device) - length_A[:, None]
        full = self._mask(ahead_AC > 0)
        if sight.window is None or self.columns <= sight.window:
            return full
        return sight.mask(full, self._mask((ahead_AC > 0) | (ahead_AC <= -sight.window)))

    def _mask(self, hidden_AC: Tensor) -> Tensor:
        mask_AC = torch.zeros(hidden_AC.shape, dtype=self.store.dtype, device=hidden_AC.device)
        return mask_AC.masked_fill_(hidden_AC, torch.finfo(mask_AC.dtype).min)[:, None, None]

    def write(self, layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        keys, values = self.store[layer]
        keys.view(-1, key.shape[-1]).index_copy_(0, self.place_AK, key.reshape(-1, key.shape[-1]))
        values.view(-1, value.shape[-1]).index_copy_(0, self.place_AK, value.reshape(-1, value.shape[-1]))
        return keys[: self.rows, :, : self.columns], values[: self.rows, :, : self.columns]

    def move(self, source: Tensor, to: Tensor, used: int) -> None:
        """Copy the first `used` columns of some slots over those of others."""
        self.store[:, :, to, :, :used] = self.store[:, :, source, :, :used]


class Room:
    """One model's buffers from one call to the next: memory that was touched before costs no page faults."""

    def __init__(self) -> None:
        self.spare: list[Buffer] = []
        self._lock = Lock()

    def borrow(self, slots: int, columns: int, like: Tensor) -> Buffer:
        """A buffer of at least this size, kept or new. What is left in a kept one is hidden, and finite."""
        with self._lock:
            for at, kept in enumerate(self.spare):
                _, _, has_slots, _, has_columns, _ = kept.store.shape
                if has_slots >= slots and has_columns >= columns:
                    return self.spare.pop(at)
        return Buffer(slots, columns, like)

    def give_back(self, buffer: Buffer) -> None:
        """Keep it if it is small: what is large is better free for training."""
        if buffer.store.nbytes <= _KEPT:
            with self._lock:
                self.spare = sorted([*self.spare, buffer], key=lambda b: -b.store.nbytes)[:_SPARE]


def _zeros(shape: tuple[int, ...], like: Tensor) -> Tensor:
    """Zeros that take up memory only where they are touched: most rows end long before the longest could.

    Zeros, not whatever was there: a masked column still enters the product, and NaN times zero is NaN.
    """
    if like.device.type != "cpu":
        return like.new_zeros(shape)
    dtype = like.dtype
    size = math.prod(shape) * dtype.itemsize
    room = np.zeros(size + _ALIGNED, np.uint8)  # calloc: pages that the kernel has zeroed come at first touch
    start = -room.ctypes.data % _ALIGNED
    return torch.from_numpy(room[start : start + size]).view(dtype).view(shape)
