"""What changed between two sets of weights of one model: where they part on a prompt, in words and in layers.

    before, after ──► each token: KL(before || after), the likeliest token of both
                 ├──► each layer's hidden state through the output layer (logit lens): KL of both, at the last place
                 └──► each head of `before` replaced by that of `after`, alone: by how much it brings the two together

The logit lens is nostalgebraist's (2020, lesswrong.com/posts/AcKRB8wDpdaN6v6ru); a head is replaced where it enters
its layer's output projection (activation patching: Meng et al. 2022, arXiv:2202.05262). These are descriptions of
what differs, and no explanation of why. Heads are looked at in models whose layers have `self_attn.o_proj`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from autotelic.models.head import head_of
from autotelic.types import Turn

Decode = Callable[[Sequence[int]], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenChange:
    """A place of a prompt: its text, KL(before || after) of what may come next in nats, the likeliest next tokens."""

    text: str
    kl: float
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What changed on a prompt. `layers` are KLs of the logit lens at the last place, embeddings first, in nats;
    `heads` are (layer, head, share of the last place's KL that goes with this head alone), the largest first.
    """

    tokens: tuple[TokenChange, ...]
    layers: tuple[float, ...]
    heads: tuple[tuple[int, int, float], ...]

    @property
    def parts_at(self) -> int:
        """The layer whose lens first has half of the largest KL; 0 is the embeddings."""
        most = max(self.layers)
        return next(at for at, kl in enumerate(self.layers) if kl >= most / 2)


@torch.no_grad()
def changes(before: PreTrainedModel, after: PreTrainedModel, ids: Sequence[int], decode: Decode) -> Changes:
    """What changed on a prompt of token ids. Both models are of one kind, in this process."""
    for model in (before, after):
        model.train(False)
    ids_BT = torch.tensor([list(ids)])
    lens, logits = zip(*(_lens(model, ids_BT) for model in (before, after)), strict=True)
    kl_T = _kl(logits[0], logits[1])
    tokens = tuple(
        TokenChange(
            text=decode([token]),
            kl=float(kl),
            before=decode([int(first)]),
            after=decode([int(second)]),
        )
        for token, kl, first, second in zip(
            ids, kl_T, logits[0].argmax(-1), logits[1].argmax(-1), strict=True
        )
    )
    layers = tuple(float(_kl(a[None], b[None])[0]) for a, b in zip(*lens, strict=True))
    return Changes(tokens=tokens, layers=layers, heads=_heads(before, after, ids_BT, logits[1][-1]))


def _lens(model: PreTrainedModel, ids_BT: Tensor) -> tuple[list[Tensor], Tensor]:
    """The logits of each layer at the last place, and of the last layer at every place. [V] each, [T, V]"""
    body: Any = model.base_model
    found = body(input_ids=ids_BT, use_cache=False, output_hidden_states=True)
    head = head_of(model)
    norm = getattr(body, "norm", getattr(body, "ln_f", torch.nn.Identity()))
    # The last of the hidden states has been through the last norm already.
    inner = [norm(hidden_BTD[0, -1]) for hidden_BTD in found.hidden_states[:-1]]
    lens = [head(hidden_D).float() for hidden_D in [*inner, found.hidden_states[-1][0, -1]]]
    return lens, head(found.hidden_states[-1][0]).float()


def _kl(before_TV: Tensor, after_TV: Tensor) -> Tensor:
    """KL(before || after) of both distributions, in nats. [T]"""
    first, second = (torch.log_softmax(x, -1) for x in (before_TV, after_TV))
    return (first.exp() * (first - second)).sum(-1)


def _heads(
    before: PreTrainedModel, after: PreTrainedModel, ids_BT: Tensor, target_V: Tensor
) -> tuple[tuple[int, int, float], ...]:
    """For each head of `before`: the share of KL(after || before) at the last place that its replacement takes."""
    layers = [getattr(getattr(layer, "self_attn", None), "o_proj", None) for layer in _layers(before)]
    if not layers or any(layer is None for layer in layers):
        return ()
    count = before.config.get_text_config().num_attention_heads
    donors: list[Tensor] = []
    with _hooked([layer.self_attn.o_proj for layer in _layers(after)], lambda at, x: donors.append(x)):
        after(input_ids=ids_BT, use_cache=False)

    def distance(layer: int, head: int) -> float:
        def replaced(at: int, x: Tensor) -> Tensor | None:
            if at != layer:
                return None
            size = x.shape[-1] // count
            changed = x.clone()
            changed[..., head * size : (head + 1) * size] = donors[at][..., head * size : (head + 1) * size]
            return changed

        with _hooked(layers, replaced):
            logits = before(input_ids=ids_BT, use_cache=False).logits[0, -1].float()
        return float(_kl(target_V[None], logits[None])[0])

    whole = distance(-1, 0)
    found = [
        (layer, head, (whole - distance(layer, head)) / max(whole, 1e-12))
        for layer in range(len(layers))
        for head in range(count)
    ]
    return tuple(sorted(found, key=lambda one: -abs(one[2])))


def _layers(model: PreTrainedModel) -> Sequence[Any]:
    body: Any = model.base_model
    return list(getattr(body, "layers", ()))


@contextmanager
def _hooked(modules: Sequence[Any], look: Callable[[int, Tensor], Any]) -> Iterator[None]:
    """While entered, `look` sees the input of each module, and may give another in its place."""

    def hook(at: int) -> Any:
        def before(_: Any, given: tuple[Tensor, ...]) -> Any:
            found = look(at, given[0])
            return None if found is None else (found, *given[1:])

        return before

    handles = [module.register_forward_pre_hook(hook(at)) for at, module in enumerate(modules)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@torch.no_grad()
def moved(
    before: PreTrainedModel, after: PreTrainedModel, turns: Sequence[Turn]
) -> list[tuple[float, float]]:
    """The log-probability of each recorded completion by both, in nats at temperature 1."""
    found: list[list[float]] = []
    for model in (before, after):
        model.train(False)
        found.append([_logprob(model, turn) for turn in turns])
    return list(zip(*found, strict=True))


def _logprob(model: PreTrainedModel, turn: Turn) -> float:
    ids = torch.tensor([[*turn.prompt_ids, *turn.completion_ids]])
    logits: Tensor = model(input_ids=ids, use_cache=False).logits[0].float()
    begin = len(turn.prompt_ids)
    logprob_TV = torch.log_softmax(logits[begin - 1 : -1], -1)
    return float(logprob_TV.gather(1, ids[0, begin:, None]).sum())
