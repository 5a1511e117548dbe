"""The run's own tokenizer: nothing is lost, a digit is a token, a marker is one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from autotelic.models.tokenizer import END, PAD, UNKNOWN, train_tokenizer

MARKS = ["<|deduction|>", "<|induction|>"]
BODY = "<|deduction|>def f(x):\n    x = [v + {0} for v in x]  # [3,-{0}]\n    return x[{0}:]\n"
CORPUS = [BODY.format(i) + f"f([{i},{i},-{i},2{i},-{i}])\n[]\n" for i in range(10)] * 5
PRINTABLE = "".join(chr(c) for c in range(32, 127)) + "\n"


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return train_tokenizer(CORPUS, MARKS, 300)


# A module-wide tokenizer of its own: hypothesis wants no fixture that changes between examples.
SHARED = train_tokenizer(CORPUS, MARKS, 300)


def pieces(tokenizer: PreTrainedTokenizerFast, text: str) -> list[str]:
    return [tokenizer.decode([i]) for i in tokenizer(text).input_ids]


@given(st.text(alphabet=PRINTABLE, max_size=200))
@settings(deadline=None, max_examples=300)
def test_printable_text_comes_back(text: str) -> None:
    assert SHARED.decode(SHARED(text).input_ids) == text


@given(st.lists(st.integers(-999, 999), max_size=12), st.sampled_from([",", ", "]))
@settings(deadline=None)
def test_no_token_holds_two_digits(numbers: list[int], comma: str) -> None:
    text = f"[{comma.join(map(str, numbers))}]"
    found = pieces(SHARED, text)
    assert "".join(found) == text
    assert all(sum(c.isdigit() for c in piece) <= 1 for piece in found)


def test_no_entry_of_the_vocabulary_holds_two_digits(tokenizer: PreTrainedTokenizerFast) -> None:
    assert not [entry for entry in tokenizer.get_vocab() if re.search(r"\d.*\d", entry)]


def test_a_comma_rides_with_its_digit_and_a_bracket_stands_alone(tokenizer: PreTrainedTokenizerFast) -> None:
    assert pieces(tokenizer, "[3,1,-42]") == ["[", "3", ",1", ",-4", "2", "]"]
    assert pieces(tokenizer, "[]\n")[0] == "[]"


def test_what_always_occurs_together_is_one_token(tokenizer: PreTrainedTokenizerFast) -> None:
    assert pieces(tokenizer, "    x = [v + 7 for v in x]")[:2] == ["    x = [v + ", "7"]


@pytest.mark.parametrize("mark", [PAD, END, UNKNOWN, *MARKS])
def test_a_marker_is_one_token_wherever_it_stands(tokenizer: PreTrainedTokenizerFast, mark: str) -> None:
    (alone,) = tokenizer(mark).input_ids
    inside = tokenizer(f"x = [{mark}3,1]{mark}").input_ids
    assert inside.count(alone) == 2
    assert tokenizer.decode(inside) == f"x = [{mark}3,1]{mark}"
    assert tokenizer.convert_tokens_to_ids(mark) == alone


def test_the_size_is_an_upper_bound(tokenizer: PreTrainedTokenizerFast) -> None:
    assert len(train_tokenizer(CORPUS, MARKS, 130)) <= 130
    assert len(tokenizer) <= 300


def test_training_is_a_function_of_the_corpus(tokenizer: PreTrainedTokenizerFast) -> None:
    assert train_tokenizer(CORPUS, MARKS, 300).get_vocab() == tokenizer.get_vocab()


def test_it_reloads_as_any_tokenizer_does(tokenizer: PreTrainedTokenizerFast, tmp_path: Path) -> None:
    tokenizer.save_pretrained(tmp_path)
    again = AutoTokenizer.from_pretrained(tmp_path)
    text = CORPUS[3] + MARKS[1] + PRINTABLE + END
    assert again(text).input_ids == tokenizer(text).input_ids
    assert again.decode(again(text).input_ids) == text
    assert (again.eos_token_id, again.pad_token_id) == (tokenizer.eos_token_id, tokenizer.pad_token_id)
