"""Hidden states at the places that are predicted from, and nowhere else.

Of the last block only its keys and values are needed at every place; its queries, its projection and its MLP
matter only where a token is predicted, which prompts are not. In a model of two blocks whose batches are two
thirds prompt that is a third of the work.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, scaled_dot_product_attention
from transformers import (
    GPTBigCodeForCausalLM,
    LlamaForCausalLM,
    LlamaModel,
    LlavaForConditionalGeneration,
    PreTrainedModel,
)
from transformers.models.llama.modeling_llama import apply_rotary_pos_emb

from autotelic.models.context import sight_of
from autotelic.models.mask import family_mask
from autotelic.types import Batch

SHALLOW = 4
"""Blocks up to which one saved is worth code of its own."""


def hidden_at(model: PreTrainedModel, batch: Batch, at_S: Tensor) -> Tensor:
    """The model's last hidden states at flat places (row * T + token), ascending. [S] -> [S, D]"""
    mask: Any = family_mask(batch.segment_BT, batch.branch_BT, model.dtype)
    sight = sight_of(model)
    if sight.is_short(int(batch.position_BT.max()) + 1):
        narrow = family_mask(batch.segment_BT, batch.branch_BT, model.dtype, batch.position_BT, sight.window)
        mask = sight.mask(mask, narrow)
    if 1 < model.config.get_text_config().num_hidden_layers <= SHALLOW:
        if (body := _llama_of(model)) is not None:
            return _llama(body, batch, mask, at_S)
        if isinstance(model, GPTBigCodeForCausalLM) and model.config.multi_query and not _adapted(model):
            return _bigcode(model, batch, mask, at_S)
    hidden_BTD = model.base_model(
        input_ids=batch.ids_BT, position_ids=batch.position_BT, attention_mask=mask, use_cache=False
    )[0]
    hidden_SD: Tensor = hidden_BTD.flatten(0, 1)[at_S]
    return hidden_SD


def _adapted(model: GPTBigCodeForCausalLM) -> bool:
    """Whether an adapter stands before the fused projection, which `_bigcode` takes apart by its weight."""
    body: Any = model.transformer  # transformers' own annotations are partial
    return not isinstance(body.h[-1].attn.c_attn, nn.Linear)


def _llama_of(model: PreTrainedModel) -> Any:
    """The Llama that a model is, or that reads what its vision tower gives; None for others."""
    whole: Any = model  # transformers' own annotations are partial
    if isinstance(model, LlamaForCausalLM):
        return whole.model
    if isinstance(model, LlavaForConditionalGeneration) and isinstance(
        whole.model.language_model, LlamaModel
    ):
        return whole.model.language_model
    return None


def _llama(body: Any, batch: Batch, mask: Tensor, at_S: Tensor) -> Tensor:
    hidden_BTD = body.embed_tokens(batch.ids_BT)
    turns = body.rotary_emb(hidden_BTD, position_ids=batch.position_BT)
    for layer in body.layers[:-1]:
        hidden_BTD = layer(hidden_BTD, attention_mask=mask, position_embeddings=turns, use_cache=False)
    last = body.layers[-1]
    attention = last.self_attn
    normed_BTD = last.input_layernorm(hidden_BTD)

    def heads(tensor: Tensor) -> Tensor:
        parted: Tensor = tensor.unflatten(-1, (-1, attention.head_dim))
        return parted.transpose(-2, -3)

    key_BKTd, value_BKTd = heads(attention.k_proj(normed_BTD)), heads(attention.v_proj(normed_BTD))
    _, key_BKTd = apply_rotary_pos_emb(key_BKTd, key_BKTd, *turns)
    query_HSd = heads(attention.q_proj(normed_BTD.flatten(0, 1)[at_S]))
    query_HSd, _ = apply_rotary_pos_emb(query_HSd, query_HSd, *(t.flatten(0, 1)[at_S] for t in turns), 0)
    query_SD = query_HSd.transpose(0, 1).flatten(1)
    mixed_SD = _attend(query_SD, key_BKTd, value_BKTd, mask, at_S, attention.scaling)
    attended_SD = attention.o_proj(mixed_SD)
    return _rest(hidden_BTD, at_S, attended_SD, last.post_attention_layernorm, last.mlp, body.norm)


def _bigcode(model: GPTBigCodeForCausalLM, batch: Batch, mask: Tensor, at_S: Tensor) -> Tensor:
    body: Any = model.transformer  # transformers' own annotations are partial
    hidden_BTD = body.wte(batch.ids_BT) + body.wpe(batch.position_BT)
    for block in body.h[:-1]:
        hidden_BTD = block(hidden_BTD, attention_mask=mask, use_cache=False)
    last = body.h[-1]
    attention = last.attn
    normed_BTD = last.ln_1(hidden_BTD)
    weight, bias, width = attention.c_attn.weight, attention.c_attn.bias, attention.embed_dim
    key_B1Td, value_B1Td = linear(normed_BTD, weight[width:], bias[width:])[:, None].chunk(2, dim=-1)
    query_SD = linear(normed_BTD.flatten(0, 1)[at_S], weight[:width], bias[:width])
    mixed_SD = _attend(query_SD, key_B1Td, value_B1Td, mask, at_S, attention.scaling)
    return _rest(hidden_BTD, at_S, attention.c_proj(mixed_SD), last.ln_2, last.mlp, body.ln_f)


def _rest(
    hidden_BTD: Tensor,
    at_S: Tensor,
    attended_SD: Tensor,
    norm: Callable[[Tensor], Tensor],
    mlp: Callable[[Tensor], Tensor],
    end: Callable[[Tensor], Tensor],
) -> Tensor:
    """What follows attention in the last block, and the model's last norm. -> [S, D]"""
    hidden_SD = hidden_BTD.flatten(0, 1)[at_S] + attended_SD
    return end(hidden_SD + mlp(norm(hidden_SD)))


def _attend(
    query_SD: Tensor, key_BKTd: Tensor, value_BKTd: Tensor, mask: Tensor, at_S: Tensor, scale: float
) -> Tensor:
    """Attention of the queries at flat places to the keys of their rows. -> [S, D]

    Rows hold different numbers of places: M is the most, and what a row has fewer is left empty.
    """
    rows, _, length, head = key_BKTd.shape
    row_S = at_S // length
    counts = torch.bincount(row_S, minlength=rows)
    most, width = int(counts.max()), query_SD.shape[1]
    place_S = row_S * most + torch.arange(len(at_S), device=at_S.device) - (counts.cumsum(0) - counts)[row_S]
    query_BMD = query_SD.new_zeros(rows * most, width).index_copy(0, place_S, query_SD)
    seen_BMT = mask.new_zeros(rows * most, length)
    seen_BMT[place_S] = mask[:, 0].flatten(0, 1)[at_S]
    shared = width // head // key_BKTd.shape[1]
    mixed_BHMd = scaled_dot_product_attention(
        query_BMD.view(rows, most, -1, head).transpose(1, 2),
        key_BKTd.repeat_interleave(shared, 1),
        value_BKTd.repeat_interleave(shared, 1),
        attn_mask=seen_BMT.view(rows, 1, most, length),
        scale=scale,
    )
    mixed_SD: Tensor = mixed_BHMd.transpose(1, 2).reshape(-1, width)[place_S]
    return mixed_SD
