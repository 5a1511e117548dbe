"""Whatever names a model, `model.name`, `--from` or `exam`, the same folder is refused: in one line, and with
nothing written.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from pretrained import byte_level, llama, write
from safetensors.torch import load_file, save_file
from tokenizers import normalizers
from transformers import MambaConfig, MambaForCausalLM

from autotelic.cli import main
from autotelic.errors import ModelError
from autotelic.models.check import check_model
from autotelic.models.problem import first_line
from autotelic.models.tokens import Tokens
from autotelic.weights.load import load, tokenizer_of

TEXTS = ["def f(x):\n    return x\n"] * 9
WEIGHTS = "model.safetensors"
POINTER = (
    "version https://git-lfs.github.com/spec/v1\n"
    "oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 269060552\n"
)
Break = Callable[[Path], Any]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("whole") / "model", TEXTS)


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "model"))


def configured(**changes: Any) -> Break:
    """The same folder, with another configuration."""

    def change(folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | changes))

    return change


def filled(change: Callable[[dict[str, torch.Tensor]], Any]) -> Break:
    """The same folder, with other tensors."""

    def write_again(folder: Path) -> None:
        tensors = load_file(folder / WEIGHTS)
        change(tensors)
        save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})

    return write_again


def written(name: str, content: str | bytes) -> Break:
    """The same folder, with this in place of a file."""
    return lambda folder: (folder / name).write_bytes(
        content if isinstance(content, bytes) else content.encode()
    )


def cut(folder: Path) -> None:
    content = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(content[: len(content) // 2])


def cut_within_the_header(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:40])


def without_a_layer(tensors: dict[str, torch.Tensor]) -> None:
    for name in [name for name in tensors if ".layers.1." in name]:
        del tensors[name]


def quantised_without_saying_so(tensors: dict[str, torch.Tensor]) -> None:
    tensors["model.layers.0.mlp.up_proj.weight"] = torch.ones(64, 32, dtype=torch.int8)


def not_finite(tensors: dict[str, torch.Tensor]) -> None:
    tensors["model.norm.weight"][0] = torch.inf


def few_rows(folder: Path) -> None:
    shutil.rmtree(folder)
    tokenizer = byte_level(TEXTS)
    llama(len(tokenizer) - 50).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def pickles(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    torch.save(llama().state_dict(), folder / "pytorch_model.bin")


def an_adapter_alone(folder: Path) -> None:
    (folder / WEIGHTS).rename(folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text("{}")


def lower_case(folder: Path) -> None:
    tokenizer = byte_level(TEXTS)
    tokenizer.backend_tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.save_pretrained(folder)


def templated(template: Any) -> Break:
    """The same folder, with another chat template."""

    def change(folder: Path) -> None:
        tokenizer = byte_level(TEXTS)
        tokenizer.chat_template = template
        (folder / "chat_template.jinja").unlink()
        tokenizer.save_pretrained(folder)

    return change


def of_states(folder: Path) -> None:
    shutil.rmtree(folder)
    tokenizer = byte_level(TEXTS)
    config = MambaConfig(vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=1, state_size=4)
    MambaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


BROKEN: dict[str, tuple[Break, str]] = {
    "cut": (cut, "is cut short: it has"),
    "cut in the header": (cut_within_the_header, "is damaged: its header cannot be read"),
    "pointer": (written(WEIGHTS, POINTER), "is a Git LFS pointer"),
    "empty": (written(WEIGHTS, ""), "is empty"),
    "a page": (written(WEIGHTS, "<!DOCTYPE html><html></html>"), "is damaged"),
    "pointer for a tokenizer": (written("tokenizer.json", POINTER), "is a Git LFS pointer"),
    "empty config": (written("config.json", ""), "is empty"),
    "config is a list": (written("config.json", "[1, 2]"), "holds a list, expected an object"),
    "config is null": (written("config.json", "null"), "holds a NoneType"),
    "config is no JSON": (written("config.json", "{"), "cannot be read"),
    "other shapes": (configured(intermediate_size=80), "tensors have another shape"),
    "layer missing": (filled(without_a_layer), "tensors are missing"),
    "layer too many": (configured(num_hidden_layers=1), "tensors are too many"),
    "bitsandbytes": (
        configured(quantization_config={"quant_method": "bitsandbytes", "load_in_4bit": True}),
        r"are quantised \(bitsandbytes\)",
    ),
    "gptq": (configured(quantization_config={"quant_method": "gptq", "bits": 4}), r"are quantised \(gptq\)"),
    "fp8": (configured(quantization_config={"quant_method": "fp8"}), r"are quantised \(fp8\)"),
    "8 bits": (filled(quantised_without_saying_so), "is stored as int8"),
    "a word for a number": (configured(vocab_size="many"), r"field 'vocab_size': \w"),
    "not finite": (filled(not_finite), "NaN or infinity"),
    "few rows": (few_rows, "50 tokens more than the model's"),
    "pickles": (pickles, "pickles, which are programs"),
    "an adapter": (an_adapter_alone, "an adapter without the model"),
    "lower case": (lower_case, "does not round-trip"),
    "named templates": (templated({"tool_use": "x", "rag": "y"}), "chat templates for rag, tool_use only"),
    "a template with a fault": (templated("{{ messages + 1 }}"), "fails on a user's turn"),
    "a template that drops": (templated("{% for m in messages %}{{ m.role }}{% endfor %}"), "as it is"),
    "states": (of_states, "keeps LinearAttentionLayer"),
    "sizes left out": (written("config.json", '{"model_type": "llama"}'), "tensors are missing"),
    "sizes of a giant": (configured(hidden_size=1 << 20), "describes .* parameters, its files hold"),
    "a million layers": (configured(num_hidden_layers=10**6), "has 1,000,000 layers, its files"),
    "not causal": (configured(model_type="t5", architectures=None), "no causal language model"),
    "code of its own": (
        configured(model_type="own", auto_map={"AutoConfig": "a.B"}),
        "needs code of its own",
    ),
    "few positions": (configured(max_position_embeddings=128), r"takes \d+ tokens|longest item of the exam"),
}
CHARTER = """
[domain]
name = "math"
style = "natural"
levels = [1, 1]
[model]
name = "{name}"
[exam]
items_per_cell = 2
levels = [1, 1]
[budget]
seconds = 0
generations = 1
[limits]
require = "L0"
"""


def said_by(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    """The exit code of a command, and the one line that it says."""
    capsys.readouterr()
    code = main([*map(str, arguments)])
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("autotelic:")]
    assert len(lines) == 1, lines
    return code, lines[0]


AT_EVERY_DOOR = (
    "cut",
    "config is a list",
    "layer missing",
    "gptq",
    "few rows",
    "pickles",
    "lower case",
    "named templates",
    "states",
    "few positions",
)
"""Kinds that are tried at every door; the others are tried where all doors lead."""


@pytest.mark.parametrize("kind", [kind for kind in BROKEN if kind not in AT_EVERY_DOOR])
def test_a_model_that_is_not_one_is_refused_in_one_line(kind: str, folder: Path) -> None:
    change, says = BROKEN[kind]
    change(folder)
    with pytest.raises(ModelError, match=says) as caught:
        Tokens(load(folder).tokenizer, chat=True)
    assert "\n" not in str(caught.value)
    assert caught.value.fix


@pytest.mark.parametrize("kind", AT_EVERY_DOOR)
def test_every_door_refuses_it_and_nothing_is_written(
    kind: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change, says = BROKEN[kind]
    change(folder)
    named, other = tmp_path / "named.toml", tmp_path / "other.toml"
    named.write_text(CHARTER.format(name=folder), encoding="utf-8")
    other.write_text(CHARTER.format(name="tiny"), encoding="utf-8")
    flags = ("--threads", "1", "--workers", "1")
    for command in (
        ("run", named, "--out", tmp_path / "run", *flags),
        ("run", other, "--from", folder, "--out", tmp_path / "run", *flags),
        ("exam", folder, "--samples", "1"),
    ):
        code, line = said_by(capsys, *command)
        assert code == 2
        assert re.search(says, line)
        assert not (tmp_path / "run").exists()


def test_what_is_whole_comes_in(folder: Path) -> None:
    assert load(folder).manifest
    assert [p.fatal for p in check_model(folder, tokenizer_of) if p.fatal] == []


@pytest.mark.parametrize(
    "kind", [k for k in BROKEN if k not in ("not finite", "8 bits", "layer missing", "states", "layer too many",
                                            "other shapes", "few positions", "named templates",
                                            "sizes left out", "sizes of a giant", "a million layers",
                                            "a template with a fault", "a template that drops",
                                            "a word for a number")]
)  # fmt: skip
def test_what_shows_without_weights_is_a_reason_of_check_model(kind: str, folder: Path) -> None:
    change, says = BROKEN[kind]
    change(folder)
    causes = " | ".join(problem.cause for problem in check_model(folder, tokenizer_of) if problem.fatal)
    assert re.search(says, causes)


def test_a_mark_before_a_template_begins_no_prompt(folder: Path) -> None:
    plain = Tokens(load(folder).tokenizer, chat=True).prompts(["2+2"])
    template = folder / "chat_template.jinja"
    template.write_bytes(b"\xef\xbb\xbf" + template.read_bytes())
    assert Tokens(load(folder).tokenizer, chat=True).prompts(["2+2"]) == plain


def test_two_loads_of_a_model_are_the_same_model(folder: Path) -> None:
    """Nothing is drawn at random in the place of what is missing."""
    assert load(folder).ref == load(folder).ref


def test_a_shard_that_another_tool_left_as_a_pointer_does_not_matter(folder: Path) -> None:
    (folder / "consolidated.safetensors").write_text(POINTER)
    assert load(folder).manifest


def test_a_shard_that_is_a_pointer_is_named(folder: Path) -> None:
    model = load(folder).model
    (folder / WEIGHTS).unlink()
    model.save_pretrained(folder, max_shard_size="20KB")
    shard = sorted(folder.glob("model-0*.safetensors"))[1]
    shard.write_text(POINTER)
    with pytest.raises(ModelError, match=f"{shard.name} is a Git LFS pointer"):
        load(folder)


def test_the_first_line_of_an_error_without_words_is_its_name() -> None:
    assert first_line(AssertionError()) == "AssertionError"
    assert first_line(ValueError("\n\nlate\nmore")) == "late"
    assert first_line(ValueError("field 'x':\n    expected a number\nmore")) == "field 'x': expected a number"
