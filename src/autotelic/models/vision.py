"""`tiny-vision`: about a million random weights that read pictures and text, in a standard architecture.

LLaVA (Liu et al. 2023, arXiv:2304.08485) as Hugging Face has it: the vision transformer of SigLIP (Zhai et al. 2023,
arXiv:2303.15343) reads 64 x 64 pixels in 16 patches, two layers bring these to the width of the text, and a small
Llama reads both.
"""

from __future__ import annotations

import json

import torch
from transformers import (
    LlavaConfig,
    LlavaForConditionalGeneration,
    PreTrainedTokenizerFast,
    SiglipVisionConfig,
)

from autotelic.models.tiny import decoder_config

IMAGE = "<|image|>"
"""The token that stands for a patch where the saved model is given pictures by other tools."""
SIDE, PATCH = 64, 16
"""Pixels a side of a picture and of a patch: 16 tokens a picture. Smaller patches cost twice as much a step."""
WIDTH, DEPTH, HEADS = 96, 3, 4
"""Of the vision tower."""
MEAN, STD = 0.0, 0.5
"""Of the numbers that pixels become. Black is 0, so that an empty patch is its place and nothing else. Where black is
-1, as SigLIP has it, what all patches have in common is ten times what tells them apart.
"""
PLACED = 0.8
"""Standard deviation of the first position embeddings of patches. SigLIP's own, a tenth, is lost beside pixels."""


def build_tiny_vision(
    tokenizer: PreTrainedTokenizerFast, *, width: int, depth: int, heads: int, context: int, seed: int
) -> LlavaForConditionalGeneration:
    """A model with random weights drawn from `seed`, ready to train, without dropout. The sizes are of its text."""
    image_id = tokenizer.get_vocab()[IMAGE]
    vision = SiglipVisionConfig(
        hidden_size=WIDTH,
        intermediate_size=2 * WIDTH,
        num_hidden_layers=DEPTH,
        num_attention_heads=HEADS,
        image_size=SIDE,
        patch_size=PATCH,
        vision_use_head=False,
    )
    text = decoder_config(tokenizer, width=width, depth=depth, heads=heads, context=context)
    config = LlavaConfig(
        vision_config=vision,
        text_config=text,
        image_token_index=image_id,
        vision_feature_select_strategy="full",
        vision_feature_layer=-1,
        image_seq_length=(SIDE // PATCH) ** 2,
        tie_word_embeddings=True,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = LlavaForConditionalGeneration(config)
        torch.nn.init.normal_(model.model.vision_tower.embeddings.position_embedding.weight, std=PLACED)
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.train(False)
    return model


def processor_files() -> dict[str, bytes]:
    """The file by which `AutoProcessor` prepares pictures and prompts for the saved model."""
    said = {
        "processor_class": "LlavaProcessor",
        "image_processor": {
            "image_processor_type": "SiglipImageProcessor",
            "do_convert_rgb": True,
            "do_resize": True,
            "size": {"height": SIDE, "width": SIDE},
            "resample": 0,
            "do_rescale": True,
            "rescale_factor": 1 / 255,
            "do_normalize": True,
            "image_mean": [MEAN] * 3,
            "image_std": [STD] * 3,
        },
        "image_token": IMAGE,
        "num_additional_image_tokens": 0,
        "patch_size": PATCH,
        "vision_feature_select_strategy": "full",
    }
    return {"processor_config.json": json.dumps(said, indent=2).encode()}
