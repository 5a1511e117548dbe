"""Prompts as a model knows them: turns of its chat template, or plain text; ids once and for all."""

from __future__ import annotations

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from autotelic.errors import ModelError
from autotelic.models.tokens import Tokens
from autotelic.types import Ids, Image, Text

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
MARKS = ["<s>", "</s>", "<|im_start|>", "<|im_end|>"]


def tokenizer(template: str = "", begins: bool = False, end: str | None = "</s>") -> PreTrainedTokenizerFast:
    """A byte-level tokenizer without merges, as language models have them."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    backend = Tokenizer(models.BPE(vocab={letter: at for at, letter in enumerate(alphabet)}, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens(MARKS)
    if begins:
        at = backend.token_to_id("<s>")
        backend.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", at)])
    made = PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token="<s>", eos_token=end, additional_special_tokens=MARKS[2:]
    )
    if template:
        made.chat_template = template
    return made


def spelled(tokens: Tokens, ids: tuple[int, ...]) -> str:
    return str(tokens.tokenizer.decode(list(ids)))


def test_a_prompt_is_the_users_turn_and_a_completion_ends_with_the_assistants() -> None:
    tokens = Tokens(tokenizer(CHATML), chat=True)
    (prompt,) = tokens.prompts(["What is f(3)?\n"])
    assert spelled(tokens, prompt) == "<|im_start|>user\nWhat is f(3)?<|im_end|>\n<|im_start|>assistant\n"
    mark = tokens.tokenizer.convert_tokens_to_ids("<|im_end|>")
    assert tokens.end_id == mark
    assert prompt.count(mark) == 1  # one token, not its letters
    (completion,) = tokens.completions(["9"])
    assert completion[-1] == mark
    assert tokens.decode(completion) == "9"


@pytest.mark.parametrize("chat", [False, True])
def test_tokens_within_spans_are_found_where_the_prompt_has_them(chat: bool) -> None:
    tokens = Tokens(tokenizer(CHATML, begins=True), chat=chat)
    texts = ["f(3)==é9\n", "nothing", " f(3)==9\n"]
    spans = [[(0, 1), (6, 9)], [], [(6, 9)]]
    prompts = tokens.prompts(texts)
    found = tokens.within(texts, spans)
    said = [
        tokens.tokenizer.decode([ids[i] for i in places]) for ids, places in zip(prompts, found, strict=True)
    ]
    # In a turn the text is without the white space around it.
    assert said == (["fé9", "", "=9"] if chat else ["fé9\n", "", "=9\n"])


def test_compact_texts_are_never_turns() -> None:
    tokens = Tokens(tokenizer(CHATML, begins=True))
    assert tokens.prompts(["f(3)\n"]) == tokens.encode(["f(3)\n"])
    assert spelled(tokens, tokens.prompts(["f(3)\n"])[0]) == "f(3)\n"
    assert tokens.end_id == tokens.tokenizer.eos_token_id


@pytest.mark.parametrize(("begins", "prompt"), [(False, "f(3)\n"), (True, "<s>f(3)\n")])
def test_without_a_template_prompts_are_plain_text_after_what_every_text_begins_with(begins, prompt) -> None:
    tokens = Tokens(tokenizer(begins=begins), chat=True)
    assert spelled(tokens, tokens.prompts(["f(3)\n"])[0]) == prompt
    assert tokens.end_id == tokens.tokenizer.eos_token_id
    assert spelled(tokens, tokens.completions(["9"])[0]) == "9</s>"


@pytest.mark.parametrize(
    ("after", "end"), [("</s>", "</s>"), (" <|im_end|>", "<|im_end|>"), ("\n", "</s>"), ("", "</s>")]
)
def test_the_end_of_a_turn_is_the_special_token_after_an_answer(after: str, end: str) -> None:
    template = f"{{% for m in messages %}}[{{{{ m.role }}}}] {{{{ m.content }}}}{after}{{% endfor %}}"
    tokens = Tokens(tokenizer(template), chat=True)
    assert tokens.tokenizer.convert_ids_to_tokens(tokens.end_id) == end


def test_a_template_that_fails_and_a_missing_end_token_are_one_clear_error() -> None:
    with pytest.raises(ModelError, match=r"fails on a user's turn: no users.*remove it"):
        Tokens(tokenizer("{{ raise_exception('no users') }}"), chat=True)
    with pytest.raises(ModelError, match="no end token"):
        Tokens(tokenizer(end=None))


def test_no_space_is_cleaned_out_of_code() -> None:
    tokens = Tokens(tokenizer())
    text = "x = [ 1 , 2 ] , y ."
    assert tokens.decode(tokens.encode([text])[0]) == text


SHOTS = [("What is f(1)?\n", "2"), ("What is f(2)?\n", "4")]


def test_shots_are_turns_that_came_before() -> None:
    tokens = Tokens(tokenizer(CHATML), chat=True).primed(SHOTS)
    (prompt,) = tokens.prompts(["What is f(3)?\n"])
    assert spelled(tokens, prompt) == (
        "<|im_start|>user\nWhat is f(1)?<|im_end|>\n<|im_start|>assistant\n2<|im_end|>\n"
        "<|im_start|>user\nWhat is f(2)?<|im_end|>\n<|im_start|>assistant\n4<|im_end|>\n"
        "<|im_start|>user\nWhat is f(3)?<|im_end|>\n<|im_start|>assistant\n"
    )
    assert tokens.primed([]).prompts(["f(3)\n"]) == Tokens(tokenizer(CHATML), chat=True).prompts(["f(3)\n"])


def test_without_turns_shots_are_texts_that_end_as_completions_do() -> None:
    tokens = Tokens(tokenizer(begins=True), chat=True).primed(SHOTS)
    (prompt,) = tokens.prompts(["f(3)\n"])
    assert spelled(tokens, prompt) == "<s>What is f(1)?\n2</s>What is f(2)?\n4</s>f(3)\n"
    assert prompt.count(tokens.end_id) == 2
    compact = Tokens(tokenizer()).primed(SHOTS[:1])
    assert spelled(compact, compact.prompts(["f(3)\n"])[0]) == "What is f(1)?\n2</s>f(3)\n"


# ── observations ─────────────────────────────────────────────────────────────────────────────────────────────


def test_parts_of_a_prompt_are_tokenized_one_by_one_and_ids_are_left_alone() -> None:
    tokens = Tokens(tokenizer())
    plain, parts = tokens.prompts(["ab", (Text(text="a"), Ids(ids=(7, 7)), Text(text="b"))])
    assert plain == tokens.encode(["ab"])[0]
    assert parts == (tokens.encode(["a"])[0] + (7, 7) + tokens.encode(["b"])[0])


def test_parts_stand_in_the_users_turn_where_there_is_one() -> None:
    tokens = Tokens(tokenizer(CHATML), chat=True)
    whole, parts = tokens.prompts(["What?", (Text(text="What?"),)])
    assert parts == whole


@pytest.mark.parametrize("chat", [False, True])
def test_a_picture_is_refused_in_one_line(chat: bool) -> None:
    tokens = Tokens(tokenizer(CHATML), chat=chat)
    with pytest.raises(ModelError, match="this model takes no pictures"):
        tokens.prompts([(Text(text="What is it?"), Image(digest="sha256:00"))])
    with pytest.raises(ModelError, match="this model takes no pictures"):
        tokens.reply_ids((Image(digest="sha256:00"),))


def test_a_reply_in_plain_text_is_the_text() -> None:
    tokens = Tokens(tokenizer())
    assert tokens.reply_ids("too high\n") == tokens.encode(["too high\n"])[0]
    assert tokens.reply_ids((Ids(ids=(3, 4)),)) == (3, 4)


def test_a_reply_in_a_chat_is_the_users_turn_and_begins_the_next() -> None:
    """An episode of two turns reads as the template would have it, whether the answer ended or was cut off."""
    tokens = Tokens(tokenizer(CHATML), chat=True)
    asked, answered = tokens.prompts(["Guess."])[0], tokens.completions(["5"])[0]
    turns = [("user", "Guess."), ("assistant", "5"), ("user", "too high")]
    said = [{"role": role, "content": text} for role, text in turns]
    whole = tokens.tokenizer.apply_chat_template(said, tokenize=False, add_generation_prompt=True)
    assert spelled(tokens, asked + answered + tokens.reply_ids("too high")) == whole
    cut = tokens.encode(["5"])[0]
    assert spelled(tokens, asked + cut + tokens.reply_ids("too high", ended=False)) == whole
    parts = (Text(text="too "), Text(text="high"))
    assert tokens.reply_ids(parts) == tokens.reply_ids("too high")
