"""`tiny`: about a million random weights in a standard architecture.

GPT-BigCode (Allal et al. 2023) as Hugging Face has it: a GPT-2 block whose heads share one key and value
(multi-query attention, Shazeer 2019), so that decoding on a CPU, which is bound by reading keys and values,
reads a quarter as many. ReLU, because on a CPU the GELU of so small a model costs a seventh of the update.
"""

from __future__ import annotations

import torch
from torch import Tensor
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
    start_positions(model.transformer.wpe.weight)
    model.train(False)
    return model


def start_positions(weight_PD: Tensor, scale: float = 0.1, longest: float = 200.0) -> None:
    """Begin learned positions as sinusoids (Vaswani et al. 2017, arXiv:1706.03762, 3.5). [P positions, D] in place.

    Under them "the token so many places back" is one linear map wherever it is asked, so that looking up a
    list's element has to be learned once, not for every place again. `longest` sets the slowest wave, in tokens
    over 2 pi.
    """
    places, width = weight_PD.shape
    rate_D = longest ** (-torch.arange(0, width, 2) / width)
    angle_PD = torch.arange(places)[:, None] * rate_D
    with torch.no_grad():
        weight_PD[:, 0::2] = scale * torch.sin(angle_PD)
        weight_PD[:, 1::2] = scale * torch.cos(angle_PD[:, : width // 2])
