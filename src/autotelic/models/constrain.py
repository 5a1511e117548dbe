"""Constrained decoding: completions that stay possible beginnings of a text of some form.

A `Form` is a pattern over whole completions. A token may follow while what is written with it can still
become a text that matches (`regex`'s partial matching), the end token only where it matches already.
`Constrained` is the decode loop under a form.

The question it answers is what a model knows that it does not say in the form asked for. What it samples is
another distribution than the model's, so it is for exams and not for learning: its turns have no
log-probabilities.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import regex

from autotelic.models.decode import Decoder
from autotelic.types import Request, Turn


class Form:
    """Which tokens may follow, that a completion may still match `pattern`. Implements `MayFollow`.

    `decode` gives the text of ids, `end_id` ends a completion.

    >>> form = Form("[0-9]{2}", decode=lambda ids: "".join(map(chr, ids)), end_id=0)
    >>> form([ord("4")], ord("2")), form([ord("4")], ord("x")), form([ord("4")], 0), form([ord("4"),
    ord("2")], 0) (True, False, False, True)
    """

    def __init__(self, pattern: str, *, decode: Callable[[Sequence[int]], str], end_id: int) -> None:
        self.pattern = regex.compile(pattern)
        self.decode = decode
        self.end_id = end_id

    def __call__(self, written: Sequence[int], token: int) -> bool:
        if token == self.end_id:
            return self.pattern.fullmatch(self.decode(written)) is not None
        text = self.decode([*written, token])
        # A token without text would never lead on.
        return text != self.decode(written) and self.pattern.fullmatch(text, partial=True) is not None


class Constrained:
    """The decode loop under a form. Implements the `Sampler` seam, for greedy requests."""

    def __init__(self, decoder: Decoder, form: Form) -> None:
        self.decoder = decoder
        self.form = form

    @property
    def tokens(self) -> int:
        """Completion tokens sampled so far."""
        return self.decoder.tokens

    @property
    def prefilled(self) -> int:
        """Prompt tokens run so far."""
        return self.decoder.prefilled

    @property
    def seconds(self) -> float:
        """Seconds spent sampling so far."""
        return self.decoder.seconds

    def sample(self, requests: Sequence[Request]) -> list[list[Turn]]:
        """As `Decoder.sample`; the likeliest token that may follow, each time."""
        return self.decoder.sample(requests, self.form)

    def sync(self) -> str:
        """As `Decoder.sync`."""
        return self.decoder.sync()
