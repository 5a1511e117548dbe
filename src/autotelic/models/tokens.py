"""Text to token ids and back, once: what was sampled is never tokenized again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from transformers import PreTrainedTokenizerFast

from autotelic.errors import ModelError
from autotelic.models.eyes import Eyes, frame_of, picture_ids
from autotelic.models.fidelity import template_problems, turn
from autotelic.models.problem import first_line, refuse
from autotelic.types import Ids, Image, Observation, Text

Span = tuple[int, int]
"""Characters of a text, from the first to before the second."""
_MARK = "autotelic"
"""Stands for an answer where a template is asked what comes after one."""
_TODAY = datetime(2025, 1, 1)
"""What a template is told that asks for the date: with the real one, a resume would ask otherwise."""
_ASKS_DATE = re.compile(r"""strftime_now\(\s*(?P<quote>['"])(?P<format>[^'"]*)(?P=quote)\s*\)""")


class Tokens:
    """A model's tokenizer, as the loop needs it: text in, ids out.

    Nothing is added to a text. Only with `chat` is a prompt given as the model knows it: as the user's turn
    of its chat template, with the beginning of the assistant's, and then a completion ends with the end of
    that turn; or, where there is no template, as plain text after what the tokenizer begins every text with.
    `chat` is for prompts in words (`domain.style = "natural"`): compact texts are no turns of a conversation.

    `shots` are prompts with right completions, put before every prompt: as turns that came before it, or,
    where there are no turns, as texts, each with the end token after it.

    `eyes` are those of the model, if it sees: a picture is then one token a patch, named by its content.

    Raises ModelError for a tokenizer without an end token, or with a template that fails on a user's turn or
    gives it otherwise than it is (`fidelity.py`).
    """

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerFast,
        chat: bool = False,
        shots: Sequence[tuple[str, str]] = (),
        eyes: Eyes | None = None,
    ) -> None:
        if tokenizer.eos_token_id is None:
            raise ModelError("the tokenizer has no end token", "set eos_token in its tokenizer_config.json")
        self.tokenizer = tokenizer
        self.eyes = eyes
        self.chat = chat and bool(getattr(tokenizer, "chat_template", None))
        if self.chat:
            refuse(template_problems(tokenizer, self._render))
        self.end_id = self._end_of_turn() if self.chat else int(tokenizer.eos_token_id)
        self.shots = tuple(shots)
        self._frame = frame_of(tokenizer) if eyes is not None else ((), ())
        self._words = chat
        self._begin = tokenizer.bos_token if chat and not self.chat and _begins(tokenizer) else ""
        if not self.chat:
            self._begin += "".join(f"{asked}{said}{tokenizer.eos_token}" for asked, said in shots)

    def primed(self, shots: Sequence[tuple[str, str]]) -> Tokens:
        """The same tokenizer, with these prompts and completions before every prompt."""
        return Tokens(self.tokenizer, self._words, shots, self.eyes)

    def prompts(self, observations: Sequence[Observation]) -> list[tuple[int, ...]]:
        """Ids of each observation as a prompt: what a completion comes after.

        Tokens given as they are stay as they are; what is around them is tokenized by itself. Raises
        ModelError for a picture, where the model has no eyes.
        """
        if all(isinstance(observation, str) for observation in observations):
            return self.encode(self._whole([str(observation) for observation in observations]))
        return [self._joined(observation) for observation in observations]

    def reply_ids(self, observation: Observation, *, ended: bool = True) -> tuple[int, ...]:
        """Ids that follow a completion: they show what an environment replied, and ask for the next turn.

        As the next user's turn where there is a chat template, else as plain text. Where the completion has
        not `ended` (it was cut off), the end of the assistant's turn comes first. Raises ModelError for a
        picture.
        """
        if not self.chat:
            return self._parts(observation)
        turns = [turn("user", _MARK), turn("assistant", _MARK), turn("user", _MARK)]
        _, end, asks = self._render(turns, True).rsplit(_MARK, 2)
        before, after = self.encode([end, asks])
        if ended and before[:1] == (self.end_id,):
            before = before[1:]
        return before + self._parts(observation) + after

    def _joined(self, observation: Observation) -> tuple[int, ...]:
        if isinstance(observation, str):
            return self.prompts([observation])[0]
        (whole,) = self._whole([_MARK])
        before, _, after = whole.rpartition(_MARK)
        first, last = self.encode([before, after])
        return first + self._parts(observation) + last

    def _parts(self, observation: Observation) -> tuple[int, ...]:
        """The tokens of every part, one after another."""
        parts = (Text(text=observation),) if isinstance(observation, str) else observation
        found: tuple[int, ...] = ()
        for part in parts:
            if isinstance(part, Image):
                found += self._picture(part)
            else:
                found += part.ids if isinstance(part, Ids) else self.encode([part.text])[0]
        return found

    def _picture(self, part: Image) -> tuple[int, ...]:
        if self.eyes is None:
            raise ModelError(
                "this model takes no pictures", "give a model of pictures and text, or a task without"
            )
        before, after = self._frame
        return before + picture_ids(part.digest, self.eyes.patches) + after

    def within(self, texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> list[tuple[int, ...]]:
        """The places in each text's prompt of the tokens that lie wholly within one of its spans of
        characters.
        """
        found: list[tuple[int, ...]] = []
        for text, whole, wanted in zip(texts, self._whole(texts), spans, strict=True):
            if not wanted:
                found.append(())
                continue
            shift = whole.rindex(text.strip()) - (len(text) - len(text.lstrip()))
            encoding = self.tokenizer.backend_tokenizer.encode(whole, add_special_tokens=False)
            found.append(
                tuple(
                    place
                    for place, (start, end) in enumerate(encoding.offsets)
                    if any(a + shift <= start < end <= b + shift for a, b in wanted)
                )
            )
        return found

    def _whole(self, texts: Sequence[str]) -> list[str]:
        """Each text as a prompt, with all that stands before and after it."""
        if not self.chat:
            return [self._begin + text for text in texts]
        before = [
            each for asked, said in self.shots for each in (turn("user", asked), turn("assistant", said))
        ]
        turns = [[*before, turn("user", text)] for text in texts]
        return [self._render(each, True) for each in turns]

    def encode(self, texts: Sequence[str]) -> list[tuple[int, ...]]:
        """Ids of each text, without any token that the text does not spell."""
        if not texts:
            return []
        found = self.tokenizer.backend_tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [tuple(encoding.ids) for encoding in found]

    def completions(self, texts: Sequence[str]) -> list[tuple[int, ...]]:
        """Ids of each text as a whole completion: with the end token."""
        return [(*ids, self.end_id) for ids in self.encode(texts)]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of a completion, without its end token."""
        kept = list(ids[:-1] if ids and ids[-1] == self.end_id else ids)
        # The clean-up that some tokenizers ask for takes spaces out of code.
        return str(self.tokenizer.decode(kept, skip_special_tokens=False, clean_up_tokenization_spaces=False))

    def _end_of_turn(self) -> int:
        """The special token that the template puts after an answer; the end token where it puts none.

        The two differ in models that end a text in one way and a turn in another (Gemma).
        """
        turns = [turn("user", _MARK), turn("assistant", _MARK)]
        after = self._render(turns, False).rpartition(_MARK)[2].lstrip()
        (ids,) = self.encode([after])
        known = self.tokenizer.added_tokens_decoder
        if ids and ids[0] in known and known[ids[0]].special:
            return ids[0]
        return int(self.tokenizer.eos_token_id)

    def _render(self, turns: list[dict[str, str]], begins: bool) -> str:
        """Turns in the words of the template, with the beginning of the assistant's next one or without."""
        tokenizer: Any = self.tokenizer  # transformers' own annotations allow for batches and tensors
        asked: list[dict[str, Any]] = list(turns)
        if self.eyes is not None and "['type']" in _template_of(tokenizer).replace('"', "'"):
            # Templates of models that see take what is said as parts.
            asked = [{**each, "content": [{"type": "text", "text": each["content"]}]} for each in turns]
        try:
            return str(
                tokenizer.apply_chat_template(
                    asked,
                    chat_template=_template_of(tokenizer),
                    tokenize=False,
                    add_generation_prompt=begins,
                )
            )
        except ModelError:
            raise
        except Exception as error:  # a template is a program: what it raises is anybody's guess
            raise ModelError(
                f"the tokenizer's chat template fails on a user's turn: {first_line(error)}",
                "correct chat_template.jinja, or remove it: prompts are then plain text",
            ) from error


def _begins(tokenizer: PreTrainedTokenizerFast) -> bool:
    """Whether the tokenizer begins every text with its beginning token, as the model has seen in training."""
    ids = tokenizer(_MARK).input_ids
    return tokenizer.bos_token_id is not None and list(ids[:1]) == [tokenizer.bos_token_id]


def _template_of(tokenizer: Any) -> str:
    """The template of a plain conversation, with a fixed date. Raises ModelError where it has only others."""
    named = tokenizer.chat_template
    if isinstance(named, dict) and "default" not in named:
        raise ModelError(
            f"the tokenizer has chat templates for {', '.join(sorted(named))} only",
            "name the one for a plain conversation `default` in tokenizer_config.json",
        )
    template = str(named["default"] if isinstance(named, dict) else named)
    return _ASKS_DATE.sub(lambda asked: repr(_TODAY.strftime(asked["format"])), template)
