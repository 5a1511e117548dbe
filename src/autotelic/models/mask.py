"""Who may attend to whom, where many sequences share a row."""

from __future__ import annotations

import torch
from torch import Tensor


def family_mask(
    segment_BT: Tensor,
    branch_BT: Tensor,
    dtype: torch.dtype,
    position_BT: Tensor | None = None,
    window: int | None = None,
) -> Tensor:
    """Additive attention mask [B, 1, T, T]: causal, within a segment, and of its branches only the own one.

    Branch 0 is the trunk that all branches of its segment go on from. With a `window`, a token sees so many
    tokens of its own sequence, itself included, counted by `position_BT`.
    """
    family_BTT = segment_BT[:, :, None] == segment_BT[:, None, :]
    seen_BTT = (branch_BT[:, None, :] == 0) | (branch_BT[:, :, None] == branch_BT[:, None, :])
    if window is not None and position_BT is not None:
        seen_BTT = seen_BTT & (position_BT[:, :, None] - position_BT[:, None, :] < window)
    length = segment_BT.shape[1]
    causal_TT = torch.ones(length, length, dtype=torch.bool, device=segment_BT.device).tril()
    mask = torch.zeros(family_BTT.shape, dtype=dtype, device=segment_BT.device)
    return mask.masked_fill_(~(family_BTT & seen_BTT & causal_TT), torch.finfo(dtype).min)[:, None]
