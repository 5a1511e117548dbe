"""`tiny`: about a million random weights in a standard architecture.

Llama (Touvron et al. 2023, arXiv:2302.13971) as Hugging Face has it, with a key and a value for every head.
At this size that is what learns most a token (docs/adr/0009-tiny-llama.md).
"""

from __future__ import annotations

import torch
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

ROTATION = 1000.0
"""Base of the rotary positions' periods (Su et al. 2021, arXiv:2104.09864), for texts of tens of tokens."""


def decoder_config(
    tokenizer: PreTrainedTokenizerFast, *, width: int, depth: int, heads: int, context: int
) -> LlamaConfig:
    """The decoder of `tiny` and of `tiny-vision`."""
    return LlamaConfig(
        vocab_size=len(tokenizer),
        max_position_embeddings=context,
        hidden_size=width,
        # SwiGLU has three matrices where others have two: as many weights as four times the width has there.
        intermediate_size=8 * width // 3,
        num_hidden_layers=depth,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        rope_parameters={"rope_type": "default", "rope_theta": ROTATION},
        tie_word_embeddings=True,
        bos_token_id=tokenizer.eos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def build_tiny(
    tokenizer: PreTrainedTokenizerFast, *, width: int, depth: int, heads: int, context: int, seed: int
) -> LlamaForCausalLM:
    """A model with random weights drawn from `seed`, ready to train, without dropout."""
    config = decoder_config(tokenizer, width=width, depth=depth, heads=heads, context=context)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = LlamaForCausalLM(config)
    model.train(False)
    return model
