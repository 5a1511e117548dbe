"""`autotelic ask`: a text for a champion, put as it was trained to be asked."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from autotelic.commands import Json
from autotelic.commands.preflight import refuse_limits

if TYPE_CHECKING:
    from autotelic.commands.opening import Opened


def ask(
    run: Path,
    text: str,
    *,
    temperature: float = 0.0,
    max_tokens: int | None = None,
    seed: int = 0,
    as_json: Json = False,
) -> None:
    """Give a champion a text, and show what it writes.

    A compact text begins with the marker of its mode (`<|deduction|>`) and ends with a line break, which is
    added where it is missing. A language model is asked in a turn of its chat template.

    Parameters
    ----------
    run
        A run folder, or a model as model.name names it.
    text
        The text; `-` reads it from standard input.
    temperature
        0 is greedy.
    max_tokens
        Of the answer; the charter's roles.max_tokens without.
    seed
        Of the sample.
    """
    refuse_limits()
    from autotelic.models.registry import folder_of

    asked = sys.stdin.read() if text == "-" else text
    run = folder_of(run)
    from autotelic.commands.opening import opened

    with opened(run) as found:
        answer = answer_to(found, asked, temperature=temperature, max_tokens=max_tokens, seed=seed)
    print(json.dumps({"text": asked, "answer": answer}, indent=2) if as_json else answer)


def answer_to(
    found: Opened, text: str, *, temperature: float = 0.0, max_tokens: int | None = None, seed: int = 0
) -> str:
    """What the model writes after a text. Raises ModelError for a text that leaves no room, or asks for nothing."""
    from autotelic.errors import ModelError
    from autotelic.types import Request

    most = found.charter.roles.max_tokens if max_tokens is None else max_tokens
    if most < 1 or not 0 <= temperature <= 10:
        raise ModelError(
            f"max_tokens = {most} at temperature {temperature:g} asks for nothing that can be written",
            "give 1 or more, and a temperature from 0 to 10",
        )
    prompt = text if found.tokens.chat or text.endswith("\n") else text + "\n"
    (ids,) = found.tokens.prompts([prompt])
    room = found.policy.context - len(ids)
    if room < 1:
        raise ModelError(
            f"the text has {len(ids)} tokens, and the model reads {found.policy.context}", "shorten it"
        )
    request = Request(prompt_ids=ids, n=1, max_tokens=min(room, most), temperature=temperature, seed=seed)
    ((turn,),) = found.decoder.sample([request])
    return found.tokens.decode(turn.completion_ids)
