"""What a tokenizer and a chat template do to a text, tried before anything is written.

A run judges what was decoded and learns what was encoded, so both must be the text that was meant. What is
wrong here makes no noise later: a lower-cased program, a prompt that was cut, a question that a template left
out, a token that the model has no row for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from transformers import PreTrainedTokenizerFast

from autotelic.models.problem import Problem
from autotelic.models.tokenizer import UNKNOWN

PLAIN = (
    "def f(x):\n    return [v + 3 for v in x[::-1]]  # [6,4]\n",
    "(3+4)*6-5 = 37; x^2 - 5x + 6 = 0 -> 2,3\n\n",
    'ABC abc: don\'t, `it`  {y} \\frac $z$ <a> & "b" ~ % @ ? ! | _ .',
    " one blank before,   three within , and one behind ",
)
"""What a run writes: code with its indentation, digits and signs, capitals, blanks, newlines at the end."""
WIDE = (
    "\tif x:\r\n\t\tpass\r\n",
    "Ünïcödé, 数学 and \U0001f600 too.",
    "x² + ½ is neither x2 nor 1/2, \ufb01 is no fi, \uff21 no A",
)
"""What others write: tabs and other ends of lines, other scripts, signs that some tokenizers replace."""
ASKED = "What  is f(3) < 4 & \"5\"?\n\n    {{ x }} 'y' {% z %} \\n\n\tLast line"
"""A question with all that a template might change: blanks, indentation, signs of HTML and of templates."""
SAID = "It  is\n    9 > 4"
"""An answer of the same kind."""
AGAIN = "And  now?\n    f(4)"
"""What is asked next."""

Render = Callable[[list[dict[str, str]], bool], str]
"""Turns to text; the last says whether the assistant's next turn is begun."""


def tokenizer_problems(tokenizer: Any, rows: int | None = None) -> list[Problem]:
    """What a tokenizer does to texts that it must not do. `rows` is how many tokens the model embeds."""
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        return [
            Problem(
                cause=f"the tokenizer is not of the fast kind (it is {type(tokenizer).__name__})",
                fix="give a tokenizer.json, which `tokenizers` reads",
            )
        ]
    found = _round_trip(tokenizer) + _marks(tokenizer)
    if getattr(tokenizer.backend_tokenizer.model, "dropout", None):
        fix = 'set "dropout": null in tokenizer.json'
        found.append(Problem(cause="the tokenizer splits texts at random (dropout)", fix=fix))
    return found + ([] if rows is None else _rows(tokenizer, rows))


def ids_of(tokenizer: PreTrainedTokenizerFast, text: str) -> list[int]:
    """The ids of a text as prompts have them: without any token that the text does not spell."""
    return list(tokenizer.backend_tokenizer.encode(text, add_special_tokens=False).ids)


def _round_trip(tokenizer: PreTrainedTokenizerFast) -> list[Problem]:
    """A problem where a text that is encoded and decoded is not the text it was.

    A tokenizer that a run made knows the letters of its rules, and shows what it does not know as a token.
    """
    own = tokenizer.unk_token == UNKNOWN
    for text in PLAIN + (() if own else WIDE):
        back = tokenizer.decode(
            ids_of(tokenizer, text), skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
        if back != text:
            return [
                Problem(
                    cause=f"the tokenizer does not round-trip: {text!r} came back as {back!r}",
                    fix="use a byte-level tokenizer, as every current causal model does",
                )
            ]
    return []


def _marks(tokenizer: PreTrainedTokenizerFast) -> list[Problem]:
    """Problems where the tokens that begin and end a text are not there, or are no tokens of their own."""
    if tokenizer.eos_token_id is None:
        return [Problem(cause="the tokenizer has no end token", fix="set eos_token in tokenizer_config.json")]
    return [
        Problem(
            cause=f"the tokenizer splits its own token {text!r} into {len(ids_of(tokenizer, text))}",
            fix="list it among the added_tokens of tokenizer.json",
        )
        for text, number in (
            (tokenizer.bos_token, tokenizer.bos_token_id),
            (tokenizer.eos_token, tokenizer.eos_token_id),
        )
        if text and number is not None and ids_of(tokenizer, text) != [number]
    ]


def _rows(tokenizer: PreTrainedTokenizerFast, rows: int) -> list[Problem]:
    """A problem where a text can be encoded as tokens that the model has no row for.

    Special tokens that no prompt spells are left alone: some models of text share a tokenizer with one of
    pictures.
    """
    used = {tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id}
    spare = {
        number
        for number, token in tokenizer.added_tokens_decoder.items()
        if token.special and number not in used
    }
    beyond = [number for number in tokenizer.get_vocab().values() if number >= rows and number not in spare]
    if not beyond:
        return []
    return [
        Problem(
            cause=f"the tokenizer has {len(beyond)} tokens more than the model's {rows} embeddings",
            fix="give the tokenizer that belongs to the model, or resize_token_embeddings and save it",
        )
    ]


def template_problems(tokenizer: PreTrainedTokenizerFast, render: Render) -> list[Problem]:
    """What a chat template does to turns that it must not do. `render` raises what is to be raised where the
    template fails on a question, and on a question with its answer.
    """
    fix = "correct chat_template.jinja, or remove it: prompts are then plain text"
    asked = render([turn("user", ASKED)], True)
    answered = render([turn("user", ASKED), turn("assistant", SAID)], False)
    for whole, texts in ((asked, [ASKED]), (answered, [ASKED, SAID])):
        if (changed := _changed(whole, texts)) is not None:
            cause = f"the chat template does not give a turn as it is: {changed!r} is not once in {whole!r}"
            return [Problem(cause=cause, fix=fix)]
    ids = ids_of(tokenizer, asked)
    begin = tokenizer.bos_token_id
    if begin is not None and ids[:2] == [begin, begin]:
        return [Problem(cause=f"the chat template begins a prompt with {tokenizer.bos_token} twice", fix=fix)]
    back = str(tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False))
    if ASKED not in back:
        cause = f"a question in the chat template's turn is not what was asked: {back!r}"
        return [Problem(cause=cause, fix=fix)]
    return []


def _changed(whole: str, texts: list[str]) -> str | None:
    """The first text that is not in the whole exactly once, in order; None where all are."""
    at = 0
    for text in texts:
        if whole.count(text) != 1 or (at := whole.find(text, at)) < 0:
            return text
    return None


def turn(role: str, text: str) -> dict[str, str]:
    """One turn of a conversation, without the blanks around it."""
    return {"role": role, "content": text.strip()}
