"""What a tokenizer or a template does to a text in silence is found out before a run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from pretrained import CHATML, byte_level
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from autotelic.errors import ModelError
from autotelic.models.fidelity import tokenizer_problems
from autotelic.models.tokenizer import train_tokenizer
from autotelic.models.tokens import Tokens
from autotelic.weights.load import tokenizer_of

TEXTS = ["def f(x):\n    return x\n"] * 9


def causes(tokenizer: PreTrainedTokenizerFast, rows: int | None = None) -> list[str]:
    return [problem.cause for problem in tokenizer_problems(tokenizer, rows)]


def made(change: Callable[[Tokenizer], object] = lambda backend: None) -> PreTrainedTokenizerFast:
    """A good tokenizer, with something changed in it."""
    tokenizer = byte_level(TEXTS)
    change(tokenizer.backend_tokenizer)
    return tokenizer


def normalized(*how: normalizers.Normalizer) -> PreTrainedTokenizerFast:
    def change(backend: Tokenizer) -> None:
        backend.normalizer = normalizers.Sequence(list(how))

    return made(change)


def metaspace() -> PreTrainedTokenizerFast:
    """As SentencePiece models have it: a blank before every text, and bytes for what has no piece."""
    vocabulary = {"<unk>": 0, "<s>": 1, "</s>": 2} | {f"<0x{byte:02X}>": 3 + byte for byte in range(256)}
    vocabulary |= {letter: 259 + at for at, letter in enumerate(["▁", *map(chr, range(33, 127))])}
    backend = Tokenizer(models.BPE(vocabulary, [], unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    backend.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    backend.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    backend.add_special_tokens(["<s>", "</s>"])
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )


# ── tokenizers ───────────────────────────────────────────────────────────────────────────────────────────────


def test_tokenizers_that_keep_a_text_are_welcome() -> None:
    assert causes(made()) == []
    assert causes(metaspace()) == []
    # Composed as it is written, and nothing else: as Qwen's does.
    assert causes(normalized(normalizers.NFC())) == []
    # A run's own knows the letters of its rules alone.
    assert causes(train_tokenizer(TEXTS, ["<|deduction|>"], 200)) == []


@pytest.mark.parametrize(
    "how",
    [
        [normalizers.Lowercase()],
        [normalizers.NFD(), normalizers.StripAccents()],
        [normalizers.NFKC()],
        [normalizers.NFD()],
        [normalizers.Replace("  ", " ")],
        [normalizers.Strip()],
        [normalizers.Replace("\r\n", "\n")],
        [normalizers.Replace("\t", "    ")],
        [normalizers.BertNormalizer(lowercase=False)],
    ],
    ids=lambda how: type(how[-1]).__name__ + repr(how[-1])[-30:],
)
def test_tokenizers_that_change_a_text_are_refused(how: list[normalizers.Normalizer]) -> None:
    (cause,) = causes(normalized(*how))
    assert "does not round-trip" in cause
    assert "\n" not in cause


def test_words_and_blanks_that_are_lost_are_noticed() -> None:
    backend = Tokenizer(models.WordLevel({"<unk>": 0, "the": 1, "</s>": 2}, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    lost = PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<unk>", eos_token="</s>")
    assert "does not round-trip" in causes(lost)[0]


def test_a_tokenizer_that_splits_at_random_is_refused() -> None:
    def shake(backend: Tokenizer) -> None:
        backend.model.dropout = 0.1

    assert "the tokenizer splits texts at random (dropout)" in causes(made(shake))


def test_the_end_token_is_one_token() -> None:
    backend = byte_level(TEXTS).backend_tokenizer
    plain = json.loads(backend.to_str())
    plain["added_tokens"] = []
    split = PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(json.dumps(plain)))
    split._special_tokens_map["eos_token"] = "<|endoftext|>"
    assert any("splits its own token '<|endoftext|>'" in cause for cause in causes(split))
    assert causes(PreTrainedTokenizerFast(tokenizer_object=byte_level(TEXTS).backend_tokenizer)) == [
        "the tokenizer has no end token"
    ]


def test_tokens_without_a_row_are_counted() -> None:
    tokenizer = made()
    size = len(tokenizer)
    assert causes(tokenizer, size) == []
    assert causes(tokenizer, size - 7) == [
        f"the tokenizer has 7 tokens more than the model's {size - 7} embeddings"
    ]


def test_a_special_token_that_no_prompt_spells_needs_no_row() -> None:
    """Models of text share tokenizers with models of pictures."""
    tokenizer = made()
    size = len(tokenizer)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<image>"]})
    assert causes(tokenizer, size) == []
    tokenizer.pad_token = "<image>"
    assert len(causes(tokenizer, size)) == 1


# ── templates ────────────────────────────────────────────────────────────────────────────────────────────────


def tokens(template: object) -> Tokens:
    tokenizer = byte_level(TEXTS)
    tokenizer.chat_template = template
    return Tokens(tokenizer, chat=True)


def replaced(content: str) -> str:
    """The usual template, with something else where a turn's text should be."""
    return CHATML.replace("{{ m.content }}", content)


@pytest.mark.parametrize(
    "template",
    [
        CHATML,
        replaced("{{ m.content | trim }}"),
        "{{ eos_token }}" + CHATML,
        "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n" + CHATML,
        "{% if messages[0].role == 'system' %}x{% endif %}" + CHATML,
        {"default": CHATML, "tool_use": "no"},
    ],
)
def test_templates_that_say_what_was_said_are_welcome(template: object) -> None:
    (prompt,) = tokens(template).prompts(["What is f(3)?"])
    assert prompt


@pytest.mark.parametrize(
    "template",
    [
        replaced("{{ m.content | lower }}"),
        replaced("{{ m.content | e }}"),
        replaced("{{ m.content.split() | join(' ') }}"),
        replaced("{{ m.content[:20] }}"),
        replaced("{{ m.content }}{{ m.content }}"),
        replaced("{{ m.content | replace('\n', ' ') }}"),
        replaced("{{ m.content.splitlines() | map('trim') | join('\n') }}"),
        replaced("{{ m.text }}"),
        replaced("{{ m.content if m.role == 'assistant' else '' }}"),
        replaced("{{ m.content if m.role == 'user' else '' }}"),
        "{{ messages[-1].content }}",
        "",
        "<|im_start|>",
    ],
)
def test_templates_that_change_a_turn_are_refused_in_one_line(template: str) -> None:
    if not template:
        assert not tokens(template).chat  # no template at all
        return
    with pytest.raises(ModelError, match="does not give a turn as it is") as caught:
        tokens(template)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{{ raise_exception('no users') }}", "fails on a user's turn: no users"),
        ("{{ messages + 1 }}", "fails on a user's turn: can only concatenate list"),
        ("{{ messages[7].content.x }}", "fails on a user's turn: "),
        ("{{ 1 // 0 }}", "fails on a user's turn: integer division"),
        ("{% for m in messages %}", "fails on a user's turn: "),
        ("{{ nothing_here() }}", "fails on a user's turn: 'nothing_here' is undefined"),
        ({"tool_use": CHATML, "rag": CHATML}, "has chat templates for rag, tool_use only; name the one"),
        ("<|im_start|>" * 2 + replaced("{{ m.content }}").replace("<|im_start|>", ""), "begins .* twice"),
    ],
)
def test_templates_that_fail_are_one_line_whatever_they_raise(template: object, says: str) -> None:
    with pytest.raises(ModelError, match=says) as caught:
        tokens(template)
    assert "\n" not in str(caught.value)


def test_a_template_that_is_not_used_may_be_anything() -> None:
    tokenizer = byte_level(TEXTS)
    tokenizer.chat_template = {"tool_use": "{{ messages + 1 }}"}
    assert Tokens(tokenizer).prompts(["f(3)"])


def test_a_prompt_does_not_depend_on_the_day() -> None:
    dated = "{{ strftime_now('%d %B %Y') }} {{ strftime_now( \"%H:%M\" ) }}\n" + CHATML
    (prompt,) = tokens(dated).prompts(["What?"])
    assert tokens(dated).tokenizer.decode(prompt).startswith("01 January 2025 00:00\n")


def test_a_beginning_that_both_would_add_stands_once() -> None:
    """A template spells it, and the tokenizer would put it before every text."""
    tokenizer = byte_level(TEXTS)
    begin = tokenizer.bos_token_id
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="<|im_start|> $A", special_tokens=[("<|im_start|>", begin)]
    )
    assert Tokens(tokenizer, chat=True).prompts(["What?"])[0][:2].count(begin) == 1
    tokenizer.chat_template = None
    assert Tokens(tokenizer, chat=True).prompts(["What?"])[0][:2].count(begin) == 1
    assert Tokens(tokenizer).prompts(["What?"])[0].count(begin) == 0


def test_settings_that_a_file_was_last_used_with_do_not_cut_a_prompt(tmp_path: Path) -> None:
    """A tokenizer.json keeps how long texts were cut and padded; models that came from elsewhere have it."""
    from pretrained import llama

    from autotelic.weights.load import load

    tokenizer = byte_level(TEXTS)
    tokenizer.backend_tokenizer.enable_truncation(max_length=8)
    tokenizer.backend_tokenizer.enable_padding(length=8)
    llama(len(tokenizer)).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    (tmp_path / "tokenizer.json").write_text(tokenizer.backend_tokenizer.to_str())
    cut = Tokens(tokenizer_of(tmp_path)).encode(["def f(x): return 123456789", "x"])
    assert [len(ids) for ids in cut] == [8, 8]
    whole = Tokens(load(tmp_path).tokenizer).encode(["def f(x): return 123456789", "x"])
    assert [len(ids) for ids in whole] != [8, 8]
    assert len(whole[1]) == 1


def test_unigram_pieces_that_squeeze_blanks_are_noticed() -> None:
    backend = Tokenizer(models.Unigram())
    backend.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC()])
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=120, special_tokens=["<unk>", "</s>"], unk_token="<unk>", show_progress=False
    )
    backend.train_from_iterator(TEXTS, trainer)
    squeezed = PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<unk>", eos_token="</s>")
    assert "does not round-trip" in causes(squeezed)[0]
