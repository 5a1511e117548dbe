"""Pictures in prompts: tokens that name a picture by its content, and what makes a model see them.

    Image(digest) ──► picture_ids ──► -1 - (48 bits of the digest, number of the patch) ──► prompt, record, batch
                                                                                                 │
    input embedding of the model ◄── features of that patch ◄── vision tower, once a picture ◄───┘

A picture's patches are tokens of its own vocabulary: numbers below zero, the same for the same picture. So a prompt,
a turn, a record and a batch stay sequences of numbers; prompts that begin with the same picture share it as they
share text; and siblings read it once. A hook at the model's input embedding puts the features of the vision tower
where such numbers stand, in the decode loop and in training alike, so that both compute the same and gradients reach
the tower.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from autotelic.errors import ModelError
from autotelic.models.problem import first_line
from autotelic.pictures import Gallery, Pixels, key_of

PATCH_BITS = 12
"""Bits of a token that number the patch; with 48 of the digest 60 bits are used."""
FILES = ("preprocessor_config.json", "processor_config.json")
"""Where a model folder says how pictures become numbers. The later one may hold the other."""
_STACKED = ("idefics3", "smolvlm")
"""Types of model that take the pictures of a prompt as one more axis: [B, 1, 3, H, W]."""
_BOTH_WAYS = ("paligemma",)
"""Types of model whose prompts attend to what comes after: a prompt of theirs cannot be shared or packed."""
_FRAMES = (("<fake_token_around_image>", "<global-img>"),)
"""Tokens that models of a family have before a picture; the first one follows it too (Idefics3, SmolVLM)."""


def picture_ids(digest: str, patches: int) -> tuple[int, ...]:
    """The tokens of a picture in a prompt, one a patch.

    >>> picture_ids("sha256:" + "0" * 64, 2)
    (-1, -2)
    """
    first = key_of(digest) << PATCH_BITS
    return tuple(-1 - (first | patch) for patch in range(patches))


@dataclass(frozen=True, slots=True)
class Lens:
    """How pixels become the numbers that a vision tower takes: `side` pixels a side, from 0 to 1, less `mean`, over
    `std`, a number a colour. `resample` is Pillow's number of a filter, for pictures of another size.
    """

    side: int
    mean: tuple[float, ...] = (0.5, 0.5, 0.5)
    std: tuple[float, ...] = (0.5, 0.5, 0.5)
    scale: float = 1 / 255
    resample: int = 3

    def numbers(self, pixels: Pixels) -> Tensor:
        """Pixels [H, W, 3] as the tower takes them, [3, side, side]."""
        if pixels.shape[:2] != (self.side, self.side):
            from PIL import Image as Decoder

            resized = Decoder.fromarray(pixels).resize(
                (self.side, self.side), Decoder.Resampling(self.resample)
            )
            pixels = np.array(resized)
        values = torch.from_numpy(pixels.astype(np.float32)).permute(2, 0, 1) * self.scale
        return (values - torch.tensor(self.mean)[:, None, None]) / torch.tensor(self.std)[:, None, None]


def lens_of(config: Any, files: Mapping[str, bytes]) -> Lens:
    """The lens that a model folder asks for. Raises ModelError where its files cannot be read."""
    side = config.vision_config.image_size
    found: dict[str, Any] = {}
    for name in FILES:
        try:
            said = json.loads(files.get(name, b"{}"))
            found |= said.get("image_processor", said)
        except (ValueError, AttributeError, TypeError) as error:
            raise ModelError(
                f"{name} cannot be read: {first_line(error)}", "copy it from the model again"
            ) from error
    whole = found.get("do_normalize", True)
    lens = Lens(side=int(side if isinstance(side, int) else side[0]))
    return Lens(
        side=lens.side,
        mean=tuple(found.get("image_mean") or lens.mean) if whole else (0.0, 0.0, 0.0),
        std=tuple(found.get("image_std") or lens.std) if whole else (1.0, 1.0, 1.0),
        scale=float(found.get("rescale_factor") or lens.scale) if found.get("do_rescale", True) else 1.0,
        resample=int(found.get("resample", lens.resample)),
    )


class Eyes:
    """What lets a model of text and pictures see the pictures that prompts name.

    It belongs to one model; a copy of the model has eyes of its own, and the same gallery. `files` are those of the
    folder that say how pictures are read, and are saved with the model. `patches` is how many tokens a picture takes,
    `encoded` how many pictures the vision tower has read.
    """

    def __init__(self, model: PreTrainedModel, files: Mapping[str, bytes]) -> None:
        self.model: Any = model
        self.files = {name: files[name] for name in FILES if name in files}
        self.lens = lens_of(model.config, self.files)
        self.gallery = Gallery()
        self.encoded = 0
        grey = torch.zeros(1, 3, self.lens.side, self.lens.side) + 0.25
        with torch.no_grad():
            self.patches = int(self._features(grey).shape[1])
        embedding: nn.Module = self.model.get_input_embeddings()
        embedding.register_forward_pre_hook(self._hide)
        embedding.register_forward_hook(self._put)

    @property
    def image_id(self) -> int:
        """The token that stands for a patch where the model itself is given pictures."""
        config = self.model.config
        return int(getattr(config, "image_token_id", None) or config.image_token_index)

    def _features(self, pixels_N3HW: Tensor) -> Tensor:
        """What the language model reads of each picture. [N, 3, H, W] -> [N, patches, D]"""
        pixels = pixels_N3HW.to(self.model.dtype)
        kind = str(self.model.config.model_type)
        found = self.model.get_image_features(
            pixel_values=pixels[:, None] if kind in _STACKED else pixels, return_dict=True
        ).pooler_output
        features: Tensor = found if isinstance(found, Tensor) else torch.stack(list(found))
        return features.view(len(pixels), -1, features.shape[-1])

    def features(self, digests: Sequence[str]) -> Tensor:
        """The features of pictures by their digests, [N, patches, D]. Raises PictureError for one that is missing."""
        pixels = torch.stack([self.lens.numbers(self.gallery.pixels(digest)) for digest in digests])
        self.encoded += len(digests)
        return self._features(pixels)

    def _hide(self, _: nn.Module, given: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """Put a token that the embedding has in the place of patches, and keep what stood there."""
        ids = given[0]
        if not bool((ids < 0).any()):
            return None
        plain = ids.clamp(min=0)
        plain.named = ids
        return (plain, *given[1:])

    def _put(self, _: nn.Module, given: tuple[Any, ...], embedded: Tensor) -> Tensor | None:
        """Put the features of patches where they belong. Each picture is encoded once, however often it is named."""
        ids = getattr(given[0], "named", None)
        if ids is None:
            return None
        here = ids < 0
        named = -1 - ids[here]
        keys, which = (named >> PATCH_BITS).unique(return_inverse=True)
        features = self.features([self.gallery.of_key(int(key)) for key in keys])
        seen = features[which, named & ((1 << PATCH_BITS) - 1)]
        found = embedded.clone()
        found[here] = seen.to(embedded.dtype)
        return found


def eyes_of(model: PreTrainedModel) -> Eyes | None:
    """The eyes of a model; None for one that reads text alone."""
    return getattr(model, "eyes", None)


def open_eyes(model: PreTrainedModel, files: Mapping[str, bytes]) -> Eyes:
    """Let a model see pictures; `files` are those of its folder that say how.

    Raises ModelError, in one line, for a model that cannot be run so, and for one whose image tokens are not those
    that its own prompts have.
    """
    name = type(model).__name__
    whole: Any = model
    kind = str(model.config.model_type)
    if kind in _BOTH_WAYS:
        raise ModelError(
            f"{name} lets the beginning of a prompt attend to its end, so that prompts cannot be shared or packed",
            "give a model that reads from left to right, such as LLaVA, Idefics3 or SmolVLM",
        )
    try:
        eyes = Eyes(model, files)
    except ModelError:
        raise
    except Exception as error:  # what a vision tower of its own kind raises
        raise ModelError(
            f"{name} gives no features of pictures: {first_line(error)}",
            "give a model such as LLaVA, Idefics3 or SmolVLM",
        ) from error
    said = getattr(model.config, "image_seq_length", None)
    if said is not None and int(said) != eyes.patches:
        raise ModelError(
            f"{name} makes {eyes.patches} image tokens of a picture of {eyes.lens.side}x{eyes.lens.side}, and its "
            f"prompts have {said} (image_seq_length in config.json)",
            f"set image_seq_length = {eyes.patches} in config.json, or the size of pictures that it was trained with",
        )
    if not 0 <= eyes.image_id < whole.get_input_embeddings().weight.shape[0]:
        raise ModelError(
            f"{name} names the token {eyes.image_id} for pictures, and has no row for it",
            "give the config.json that belongs to the model",
        )
    whole.eyes = eyes
    return eyes


@torch.no_grad()
def sight_gap(model: PreTrainedModel) -> float:
    """The largest difference of a log-probability between the model with pictures of its own and with our tokens."""
    eyes = eyes_of(model)
    if eyes is None:
        return 0.0
    whole: Any = model
    size = model.config.get_text_config().vocab_size
    plain = [at for at in (3, 1, 4, 5, 9, 2, 6) if at < size and at != eyes.image_id]
    noise = np.random.default_rng(0).integers(0, 256, (eyes.lens.side, eyes.lens.side, 3), dtype=np.uint8)
    pixels = eyes.lens.numbers(noise)[None].to(model.dtype)
    own = [*plain[:2], *[eyes.image_id] * eyes.patches, *plain[2:]]
    stacked = pixels[:, None] if str(model.config.model_type) in _STACKED else pixels
    expected = whole(input_ids=torch.tensor([own]), pixel_values=stacked, use_cache=False).logits
    kept = eyes.gallery
    eyes.gallery = _Noise(noise)
    try:
        ids = [*plain[:2], *picture_ids("sha256:" + "0" * 64, eyes.patches), *plain[2:]]
        got = whole(input_ids=torch.tensor([ids]), use_cache=False).logits
    finally:
        eyes.gallery = kept
    return float((got.float().log_softmax(-1) - expected.float().log_softmax(-1)).abs().max())


class _Noise(Gallery):
    """A gallery of one picture, whatever it is asked for."""

    def __init__(self, pixels: Pixels) -> None:
        super().__init__()
        self._one = pixels

    def pixels(self, digest: str) -> Pixels:
        return self._one

    def of_key(self, key: int) -> str:
        return "sha256:" + "0" * 64


def frame_of(tokenizer: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The tokens that stand before and after a picture in prompts of this tokenizer; none in most."""
    known = tokenizer.get_vocab()
    for first, second in _FRAMES:
        if first in known and second in known:
            return (known[first], known[second]), (known[first],)
    return (), ()
