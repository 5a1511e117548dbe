"""`tiny`: about a million random weights in a standard architecture.

GPT-BigCode (Allal et al. 2023) as Hugging Face has it: a GPT-2 block whose heads share one key and value
(multi-query attention, Shazeer 2019), so that decoding on a CPU, which is bound by reading keys and values,
reads a quarter as many. ReLU, because on a CPU the GELU of so small a model costs a seventh of the update.
"""

from __future__ import annotations

import torch
from transformers import GPTBigCodeConfig, GPTBigCodeForCausalLM, PreTrainedTokenizerFast


def build_tiny(
    tokenizer: PreTrainedTokenizerFast, *, width: int, depth: int, heads: int, context: int, seed: int
) -> GPTBigCodeForCausalLM:
    """A model with random weights drawn from `seed`, ready to train, without dropout."""
    config = GPTBigCodeConfig(
        vocab_size=len(tokenizer),
        n_positions=context,
        n_embd=width,
        n_layer=depth,
        n_head=heads,
        activation_function="relu",
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        bos_token_id=tokenizer.eos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = GPTBigCodeForCausalLM(config)
    model.train(False)
    return model
