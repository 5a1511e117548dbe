"""Models that see: what the engine computes of a picture is what transformers computes, for each family."""

from __future__ import annotations

import copy
import json
import runpy
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pretrained import byte_level
from transformers import (
    Idefics3Config,
    Idefics3ForConditionalGeneration,
    LlamaConfig,
    PaliGemmaConfig,
    PaliGemmaForConditionalGeneration,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    SmolVLMConfig,
    SmolVLMForConditionalGeneration,
)

from autotelic.charter import Model, Tiny
from autotelic.domains.scenes import ScenesDomain
from autotelic.domains.scenes.render import picture
from autotelic.domains.scenes.scene import parse
from autotelic.errors import ModelError, PictureError
from autotelic.learn.learner import PolicyLearner, logprob_gap, predicted_logprobs, predicted_places
from autotelic.learn.losses import Clip
from autotelic.learn.pack import imitate, pack
from autotelic.models.agreement import check_agreement
from autotelic.models.decode import Decoder
from autotelic.models.eyes import eyes_of, lens_of, open_eyes, picture_ids, sight_gap
from autotelic.models.remote import RemoteSampler
from autotelic.models.tokenizer import train_tokenizer
from autotelic.models.tokens import Tokens
from autotelic.models.vision import IMAGE, build_tiny_vision, processor_files
from autotelic.pictures import Gallery
from autotelic.streams import stream
from autotelic.types import Image, Request, Text
from autotelic.weights.begin import begin_model
from autotelic.weights.load import load, save

TEXT = {
    "vocab_size": 64,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
    "pad_token_id": 0,
}
SIGHT = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "image_size": 64,
    "patch_size": 16,
}
SCENES = ("13 red circle\n", "35 blue square\n", "57 pink cross\n11 white triangle\n")


@cache
def tokenizer() -> PreTrainedTokenizerFast:
    domain = ScenesDomain(levels=(1,))
    return train_tokenizer(domain.corpus(stream(0, "t"), 200), (*domain.special, IMAGE), 300)


def llava() -> PreTrainedModel:
    return build_tiny_vision(tokenizer(), width=32, depth=2, heads=2, context=96, seed=0)


def smolvlm() -> PreTrainedModel:
    config = SmolVLMConfig(
        text_config={**TEXT, "model_type": "llama"},
        vision_config={**SIGHT, "patch_size": 8, "model_type": "smolvlm_vision"},
        image_token_id=5,
        scale_factor=2,
    )
    return SmolVLMForConditionalGeneration(config)


def idefics3() -> PreTrainedModel:
    config = Idefics3Config(
        text_config={**TEXT, "model_type": "llama"},
        vision_config={**SIGHT, "patch_size": 8},
        image_token_id=5,
        scale_factor=2,
    )
    return Idefics3ForConditionalGeneration(config)


def paligemma() -> PreTrainedModel:
    config = PaliGemmaConfig(
        text_config={**TEXT, "model_type": "gemma", "head_dim": 16},
        vision_config={**SIGHT, "model_type": "siglip_vision_model", "projection_dim": 32},
        projection_dim=32,
        image_token_index=5,
    )
    return PaliGemmaForConditionalGeneration(config)


FAMILIES = {"LLaVA": llava, "Idefics3": idefics3, "SmolVLM": smolvlm}


def seeing(name: str) -> tuple[PreTrainedModel, list[Image]]:
    torch.manual_seed(0)
    model = FAMILIES[name]()
    model.train(False)
    eyes = open_eyes(model, processor_files() if name == "LLaVA" else {})
    return model, [eyes.gallery.put(picture(parse(scene))) for scene in SCENES]


def prompt(model: PreTrainedModel, image: Image, *more: int) -> tuple[int, ...]:
    eyes = eyes_of(model)
    assert eyes is not None
    return (7, *picture_ids(image.digest, eyes.patches), 9, *more)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_computes_a_picture_as_it_computes_itself(name: str) -> None:
    model, _ = seeing(name)
    assert sight_gap(model) < 1e-5
    check_agreement(model)


@pytest.mark.parametrize("name", FAMILIES)
def test_sampler_and_learner_see_the_same(name: str) -> None:
    model, images = seeing(name)
    asked = [
        Request(prompt_ids=prompt(model, image, *more), n=3, max_tokens=5, temperature=1.0, seed=at)
        for at, (image, more) in enumerate([(images[0], (10,)), (images[1], (10,)), (images[0], (11, 12))])
    ]
    turns = [turn for siblings in Decoder(model, end_id=1).sample(asked) for turn in siblings]
    assert logprob_gap(model, turns) < 1e-5
    blind = [turn for turn in turns if turn.prompt_ids == asked[0].prompt_ids]
    other = [
        type(turn)(
            prompt_ids=asked[1].prompt_ids,
            completion_ids=turn.completion_ids,
            logprobs=turn.logprobs,
            weights="",
            stop=turn.stop,
        )
        for turn in blind
    ]
    assert logprob_gap(model, other) > 1e-4  # another picture, other log-probabilities


@pytest.mark.parametrize("name", FAMILIES)
def test_the_vision_tower_learns(name: str) -> None:
    model, images = seeing(name)
    before = {n: p.detach().clone() for n, p in model.named_parameters()}
    learner = PolicyLearner(model, lr_matrix=0.01, lr_other=0.01, clip=Clip(low=0.2, high=0.2, kl=0.0))
    batch = pack([imitate(prompt(model, image), (20 + at, 1)) for at, image in enumerate(images)])
    losses = [learner.step(batch).loss for _ in range(12)]
    assert losses[-1] < losses[0] / 2
    moved = {n for n, p in model.named_parameters() if not torch.equal(p, before[n])}
    assert any("vision" in n and "patch_embedding" in n for n in moved)


def test_siblings_share_one_encoding_of_a_picture() -> None:
    model, images = seeing("LLaVA")
    eyes = eyes_of(model)
    assert eyes is not None
    eyes.encoded = 0
    ids = prompt(model, images[0])
    Decoder(model, end_id=1).sample([Request(prompt_ids=ids, n=16, max_tokens=6, temperature=1.0, seed=0)])
    assert eyes.encoded == 1
    eyes.encoded = 0
    batch = pack([imitate(ids, (20 + at, 21, 22, 1)) for at in range(16)])
    assert int((batch.ids_BT < 0).sum()) == eyes.patches  # the picture stands in the batch once
    predicted_logprobs(model, batch, predicted_places(batch))
    assert eyes.encoded == 1


def test_a_copy_of_a_model_sees_with_its_own_tower() -> None:
    model, images = seeing("LLaVA")
    twin = copy.deepcopy(model)
    ids = torch.tensor([prompt(model, images[0])])
    same = twin(input_ids=ids).logits
    with torch.no_grad():
        whole: Any = model
        whole.model.multi_modal_projector.linear_2.weight.zero_()
        whole.model.multi_modal_projector.linear_2.bias.zero_()
    assert torch.equal(twin(input_ids=ids).logits, same)
    assert not torch.allclose(model(input_ids=ids).logits, same)


# ── tokens ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_picture_is_one_token_a_patch_and_named_by_its_content() -> None:
    model, images = seeing("LLaVA")
    tokens = Tokens(tokenizer(), eyes=eyes_of(model))
    (ids,) = tokens.prompts([(Text(text="<|describe|>"), images[0], Text(text="\n"))])
    assert len(ids) == 18
    assert ids[1:17] == picture_ids(images[0].digest, 16)
    assert all(-(2**63) <= each < 0 for each in ids[1:17])
    assert not {*picture_ids(images[0].digest, 16)} & {*picture_ids(images[1].digest, 16)}


def test_a_model_without_eyes_takes_no_pictures() -> None:
    with pytest.raises(ModelError, match="this model takes no pictures"):
        Tokens(tokenizer()).prompts([(Image(digest="sha256:" + "0" * 64),)])


def test_models_that_frame_a_picture_get_their_frame() -> None:
    model, images = seeing("SmolVLM")
    framed = train_tokenizer(["red"], ("<fake_token_around_image>", "<global-img>"), 300)
    framed.add_tokens(["<fake_token_around_image>", "<global-img>"])
    tokens = Tokens(framed, eyes=eyes_of(model))
    fake, whole = (framed.get_vocab()[name] for name in ("<fake_token_around_image>", "<global-img>"))
    (ids,) = tokens.prompts([(images[0],)])
    assert ids == (fake, whole, *picture_ids(images[0].digest, 16), fake)


SMOL_CHAT = (
    "{% for message in messages %}{{ message['role'] }}:{% for line in message['content'] %}"
    "{% if line['type'] == 'text' %}{{ line['text'] }}{% endif %}{% endfor %}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}assistant:{% endif %}"
)
"""As SmolVLM's: what is said comes as parts."""


def test_a_picture_stands_within_the_turn_of_a_chat() -> None:
    model, images = seeing("SmolVLM")
    spoken = byte_level(["red circle"])
    spoken.chat_template = SMOL_CHAT
    tokens = Tokens(spoken, chat=True, eyes=eyes_of(model))
    (ids,) = tokens.prompts([(Text(text="Look: "), images[0], Text(text=" What is it?"))])
    at = ids.index(picture_ids(images[0].digest, 16)[0])
    assert ids[at : at + 16] == picture_ids(images[0].digest, 16)
    assert spoken.decode(ids[:at]).endswith("user:Look: ")
    assert spoken.decode(ids[at + 16 :]).startswith(" What is it?")
    assert spoken.decode(ids[at + 16 :]).endswith("assistant:")


def test_a_prompt_with_a_picture_that_is_not_there_is_refused() -> None:
    model, _ = seeing("LLaVA")
    with pytest.raises(
        PictureError, match="a prompt shows the picture sha256:abcdef012345, which is not there"
    ):
        model(input_ids=torch.tensor([[7, *picture_ids("sha256:abcdef012345" + "0" * 52, 16)]]))


def test_a_server_that_knows_no_pictures_is_not_asked(tmp_path: Path) -> None:
    model, _ = seeing("LLaVA")
    with pytest.raises(
        ModelError, match="a server is asked in text, and LlavaForConditionalGeneration is shown"
    ):
        RemoteSampler(model, "http://127.0.0.1:1/v1", name="x", end_id=1, folder=tmp_path)


# ── folders ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_model_whose_prompts_attend_both_ways_is_refused() -> None:
    with pytest.raises(ModelError, match="PaliGemmaForConditionalGeneration lets the beginning") as caught:
        open_eyes(paligemma(), {})
    assert "\n" not in str(caught.value)


def test_image_tokens_that_do_not_match_the_prompt_are_refused(tmp_path: Path) -> None:
    model = llava()
    open_eyes(model, processor_files())
    save(model, tokenizer(), tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"image_seq_length": 576}))
    with pytest.raises(
        ModelError, match="makes 16 image tokens of a picture of 64x64, and its prompts have 576"
    ):
        load(tmp_path)
    gone = config | {"image_token_id": 100_000, "image_token_index": 100_000}
    (tmp_path / "config.json").write_text(json.dumps(gone))
    with pytest.raises(ModelError, match="names the token 100000 for pictures, and has no row for it"):
        load(tmp_path)


def test_a_damaged_processor_is_refused_in_one_line() -> None:
    with pytest.raises(ModelError, match=r"preprocessor_config.json cannot be read") as caught:
        lens_of(llava().config, {"preprocessor_config.json": b"{"})
    assert "\n" not in str(caught.value)


def test_what_a_folder_says_of_pixels_is_done() -> None:
    said = {"image_mean": [0.0] * 3, "image_std": [0.5] * 3, "rescale_factor": 1 / 255}
    lens = lens_of(llava().config, {"preprocessor_config.json": json.dumps(said).encode()})
    white = np.full((64, 64, 3), 255, np.uint8)
    assert torch.allclose(lens.numbers(white), torch.tensor(2.0))
    assert lens.numbers(np.zeros((100, 30, 3), np.uint8)).shape == (3, 64, 64)


PLAIN_SCRIPT = Path(__file__).parents[2] / "examples" / "see.py"


def test_ten_lines_of_plain_transformers_answer_as_the_engine_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    domain = ScenesDomain(levels=(1,))
    settings = Model(name="tiny-vision", tiny=Tiny(width=32, depth=2, heads=2, context=96, vocabulary=300))
    model, made = begin_model(settings, domain.corpus(stream(0, "t"), 200), domain.special, 0)
    ref = save(model, made, tmp_path / "model")
    loaded = load(tmp_path / "model", expected=ref)
    eyes = eyes_of(loaded.model)
    assert eyes is not None
    eyes.gallery = Gallery(tmp_path / "pictures")
    image = eyes.gallery.put(picture(parse(SCENES[0])))
    ids = Tokens(loaded.tokenizer, eyes=eyes).prompts([(Text(text="<|describe|>"), image, Text(text="\n"))])[
        0
    ]
    ((turn,),) = Decoder(loaded.model, end_id=made.eos_token_id).sample(
        [Request(prompt_ids=ids, n=1, max_tokens=36, temperature=0.0, seed=0)]
    )
    (shown,) = (tmp_path / "pictures").glob("*/*.png")
    asked = [str(tmp_path / "model"), str(shown), f"<|describe|>{IMAGE}"]
    monkeypatch.setattr(sys, "argv", ["script", *asked])
    capsys.readouterr()
    runpy.run_path(str(PLAIN_SCRIPT))  # in this process: a second one would import for half a minute
    assert capsys.readouterr().out == Tokens(loaded.tokenizer).decode(turn.completion_ids) + "\n"
    assert len([line for line in PLAIN_SCRIPT.read_text().splitlines() if line.strip()]) <= 10


def test_the_usual_sizes_are_about_a_million_weights() -> None:
    big = build_tiny_vision(tokenizer(), width=192, depth=2, heads=6, context=160, seed=0)
    assert 1.1e6 < sum(p.numel() for p in big.parameters()) < 1.4e6
    assert LlamaConfig is type(big.config.get_text_config())
