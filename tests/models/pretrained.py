"""A model folder as one finds them: a small Llama with random weights, a byte-level tokenizer, a chat template."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

MARKS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def llama(vocabulary: int = 300, seed: int = 0, layers: int = 2) -> LlamaForCausalLM:
    """Tied embeddings and shared key heads, as in SmolLM2."""
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        bos_token_id=0,
        eos_token_id=2,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return LlamaForCausalLM(config).eval()


def byte_level(texts: Sequence[str], size: int = 600) -> PreTrainedTokenizerFast:
    """A tokenizer that knows every byte, with merges of the texts; it ends texts and turns differently."""
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=MARKS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator(texts, trainer)
    made = PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token=MARKS[1],
        eos_token=MARKS[0],
        pad_token=MARKS[0],
        additional_special_tokens=MARKS[2:],
    )
    made.chat_template = CHATML
    return made


def write(folder: Path, texts: Sequence[str]) -> Path:
    """Such a model in Hugging Face's format."""
    tokenizer = byte_level(texts)
    llama(len(tokenizer)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
