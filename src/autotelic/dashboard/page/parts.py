"""Parts that several views show: tokens by surprise, verdicts, what was earned, the updates that used a thing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from autotelic.dashboard.links import Use
from autotelic.dashboard.markup import para, safe
from autotelic.dashboard.page import shell
from autotelic.dashboard.page.runs import RunView
from autotelic.dashboard.wording import decimal, short
from autotelic.messages import Earned
from autotelic.types import Entry, Turn, Verdict

LISTED = 50
"""Attempts, uses or entries of one thing that are shown before a list is cut."""
_SHADES = 6
"""Steps of the shading of tokens, from certain to surprising."""
_NATS_A_SHADE = 0.7
"""Nats of surprise that make a shade darker: a token of half the probability is one shade on."""


def secret(values: Mapping[str, Any]) -> str:
    """What the judge knows, a block a name."""
    blocks = [
        f"<h3>{safe(name)}</h3>{shell.text_block(_spelled(value), name)}" for name, value in values.items()
    ]
    return "".join(blocks) or para("Nothing is kept from the solver.", style="quiet")


def _spelled(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "\n".join(json.dumps(item, ensure_ascii=False, default=str) for item in value)
    return json.dumps(value, ensure_ascii=False, default=str, indent=1)


def tokens_block(run: RunView, turn: Turn, text: str) -> str:
    """The tokens of a turn, the darker the less likely the sampler found them."""
    if not turn.logprobs:
        return shell.text_block(text, "what it wrote")
    spelled = _spelling(run.path / "start" / "tokenizer.json", turn.completion_ids)
    made = []
    for piece, logprob in zip(spelled, turn.logprobs, strict=True):
        surprise = -logprob if logprob == logprob else 0.0
        shade = min(_SHADES, int(surprise / _NATS_A_SHADE))
        words = "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in piece)
        made.append(f'<span class="token t{shade}" title="{logprob:.2f} nats">{safe(words)}</span>')
    legend = para(
        "The darker a token, the less likely it was. Its log-probability is in nats.", style="quiet"
    )
    return f'<pre tabindex="0" role="group" aria-label="tokens">{"".join(made)}</pre>{legend}'


def _spelling(path: Path, ids: Sequence[int]) -> list[str]:
    """Tokens as text, by the tokenizer that the run began with; by their numbers where there is none."""
    try:
        tokenizer = _tokenizer(path, path.stat().st_mtime_ns)
        return [tokenizer.decode([id_], skip_special_tokens=False) for id_ in ids]
    except Exception:  # a file that is missing or damaged; the library raises bare exceptions
        return [f"[{id_}] " for id_ in ids]


@lru_cache(maxsize=8)
def _tokenizer(path: Path, modified: int) -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(path))


def turn_line(run: RunView, turn: Turn | None) -> str:
    if turn is None:
        return ""
    ended = "ended by itself" if turn.stop == "eos" else "was cut off at the longest length"
    mean = sum(turn.logprobs) / len(turn.logprobs) if turn.logprobs else None
    return (
        f'<span class="quiet">{len(turn.prompt_ids)} tokens in, {len(turn.completion_ids)} out, {ended}; mean '
        f"log-probability {decimal(mean)}; weights <code>{safe(short(turn.weights))}</code></span>"
    )


def verdict_line(verdicts: Sequence[Verdict]) -> str:
    said = []
    for verdict in verdicts:
        reason = f" ({safe(verdict.reason)})" if verdict.reason else ""
        sign = shell.mark(verdict.passed) if verdict.passed is not None else ""
        said.append(f"{sign} by the {safe(verdict.source)}{reason}, reward {verdict.reward:g}")
    return "; ".join(said) or "Not judged."


def earned_line(earned: Earned | None) -> str:
    if earned is None:
        return ""
    if earned.advantage is None:
        return para(f"Reward {earned.reward:g}; no advantage, because its siblings earned the same.")
    return para(f"Reward {earned.reward:g}, advantage <b>{earned.advantage:+.3f}</b>.")


def entry_link(run: RunView, entry: Entry) -> str:
    if entry.kind in ("demonstration", "practice", "form"):
        return shell.task_link(run, entry.ref)
    return (
        shell.proposal_link(run, entry.ref)
        if entry.kind == "proposal"
        else shell.attempt_link(run, entry.ref)
    )


def uses_table(run: RunView, found: Iterable[Use]) -> str:
    used = list(found)
    rows = [
        [
            shell.message_link(run, use.update.id, f"update {use.update.step}"),
            shell.generation_link(run, use.update.generation) + (" (superseded)" if use.superseded else ""),
            safe(use.entry.kind),
            entry_link(run, use.entry),
            f"{use.entry.weight:+.4f}",
        ]
        for use in used[:LISTED]
    ]
    if not rows:
        return "<h2>Updates that used it</h2>" + para("No update used it.", style="quiet")
    head = ["update", "in", "as", "of", "weight or advantage"]
    return (
        "<h2>Updates that used it</h2>"
        + shell.listing(head, rows, "updates that used it")
        + cut_line(len(used))
    )


def cut_line(number: int) -> str:
    return para(f"and {number - LISTED} more", style="quiet") if number > LISTED else ""
