"""The decode loop: many completions of many prompts, on any Hugging Face causal LM.

    requests ──► prefill (each prompt once) ──► slots ──► step ──► step ──► turns
                        ▲                         │  finished rows leave, waiting siblings take their place
                        └──────── refill ◄────────┘

Three things make it quicker than `generate` (bench/throughput.py): a prompt is prefilled once for all its
siblings; a finished row's place goes to the next row that waits, so no step is spent on rows that ended; and
keys and values live in one preallocated buffer, written in place. Sampling inverts the cumulative
distribution at uniforms drawn beforehand from the request's own seed, so an answer does not depend on what
else is in the batch (up to the rounding of a matrix product, which does depend on its shape).
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import Cache, DynamicCache, PreTrainedModel
from transformers.cache_utils import CacheLayerMixin

from autotelic.models.weights import digest_of
from autotelic.types import Request, Turn

_GROW = 32
"""Columns by which the buffer grows: steps at a time for which attention's length stays the same."""


class _SlotLayer(CacheLayerMixin):  # type: ignore[misc]
    """One layer's keys and values, [S slots, heads, columns, head width], written in place."""

    def __init__(self, state: _SlotState) -> None:
        super().__init__()
        self.state = state
        self.keys: Tensor | None = None
        self.values: Tensor | None = None

    def reserve(self, like: Tensor, slots: int, columns: int) -> None:
        _, heads, _, width = like.shape
        old_k, old_v = self.keys, self.values
        # Zeros, not empty: a masked column still enters the product, and NaN times zero is NaN.
        self.keys = like.new_zeros(slots, heads, columns, width)
        self.values = like.new_zeros(slots, heads, columns, width)
        if old_k is not None and old_v is not None:
            kept = min(old_k.shape[2], columns)
            self.keys[:, :, :kept] = old_k[:, :, :kept]
            self.values[:, :, :kept] = old_v[:, :, :kept]

    def update(self, key: Tensor, value: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        """One new column a row, each at its own row's length; returns the columns in use."""
        assert self.keys is not None and self.values is not None
        s = self.state
        self.keys[s.row_A, :, s.length_A] = key[:, :, 0]
        self.values[s.row_A, :, s.length_A] = value[:, :, 0]
        rows = len(s.row_A)
        return self.keys[:rows, :, : s.columns], self.values[:rows, :, : s.columns]

    def lazy_initialization(self, *args: Any, **kwargs: Any) -> None: ...
    def get_seq_length(self) -> int:
        return self.state.columns - 1

    def get_max_length(self) -> int:
        return -1

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self.state.columns, 0


@dataclass(slots=True)
class _SlotState:
    """Which rows are active this step and how long each is. [A] active rows, always slots 0..A-1."""

    row_A: Tensor
    length_A: Tensor
    columns: int


@dataclass(slots=True)
class _Row:
    """One completion being sampled."""

    request: int
    sibling: int
    uniforms: np.ndarray[Any, np.dtype[np.float64]]
    ids: list[int]
    logprobs: list[float]


class Decoder:
    """Samples from a Hugging Face causal LM in this process. Implements the `Sampler` seam.

    `slots` is the most rows decoded at once. Not for use from several threads.
    """

    def __init__(self, model: PreTrainedModel, *, end_id: int, slots: int = 256) -> None:
        self.model = model
        self.end_id = end_id
        self.slots = slots
        self.digest = digest_of(model)
        self.tokens = 0
        """Completion tokens sampled so far."""
        self.prefilled = 0
        """Prompt tokens run so far."""
        self.seconds = 0.0

    def load(self, weights: object) -> str:
        """Take a state dict; returns the digest of what is now in the sampler's model."""
        self.model.load_state_dict(weights)  # type: ignore[arg-type]
        self.digest = digest_of(self.model)
        return self.digest

    @torch.inference_mode()
    def sample(self, requests: Sequence[Request]) -> list[list[Turn]]:
        """`requests[i].n` turns for each request, in order.

        Raises ValueError for an empty prompt; FloatingPointError if the logits hold NaN or infinity, naming
        the request.
        """
        if not requests:
            return []
        began = time.perf_counter()
        for i, request in enumerate(requests):
            if not request.prompt_ids or request.max_tokens < 1 or request.n < 1:
                raise ValueError(f"request {i} needs a prompt, max_tokens >= 1 and n >= 1; got {request!r:.200}")
        self.model.eval()
        turns = _Run(self, requests).finish()
        self.seconds += time.perf_counter() - began
        return turns


class _Run:
    """One call of `sample`: the queue, the slots and the results."""

    def __init__(self, decoder: Decoder, requests: Sequence[Request]) -> None:
        self.decoder = decoder
        self.model = decoder.model
        self.requests = requests
        self.layers = self.model.config.get_text_config().num_hidden_layers
        # Longest first: what is left over at the end, when slots run empty, is then short.
        order = sorted(range(len(requests)), key=lambda i: -len(requests[i].prompt_ids))
        self.waiting: deque[int] = deque(order)
        total = sum(r.n for r in requests)
        self.slots = min(decoder.slots, total)
        self.active: list[_Row] = []
        self.ready: deque[tuple[_Row, int]] = deque()
        """Rows whose prompt is prefilled, with the index of its keys and values in the stash."""
        self.stash: dict[int, tuple[list[tuple[Tensor, Tensor]], int, Tensor]] = {}
        self.results: list[list[Turn | None]] = [[None] * r.n for r in requests]
        empty = torch.zeros(0, dtype=torch.long)
        self.state = _SlotState(row_A=empty, length_A=empty, columns=0)
        self.cache = Cache(layers=[_SlotLayer(self.state) for _ in range(self.layers)])
        self.width = 0
        self.length = torch.zeros(self.slots, dtype=torch.long)
        self.next_id = torch.zeros(self.slots, dtype=torch.long)

    def finish(self) -> list[list[Turn]]:
        while self.waiting or self.ready or self.active:
            free = self.slots - len(self.active)
            # Refilling a few slots at a time would run many small prefills.
            if free and (self.waiting or self.ready) and (free >= self.slots // 8 or not self.active):
                self.refill(free)
            if self.active:
                self.step()
        return [[t for t in turns if t is not None] for turns in self.results]

    # ── filling ──────────────────────────────────────────────────────────────────────────────────────────

    def refill(self, free: int) -> None:
        """Give every free slot a row, prefilling prompts as needed."""
        while free and (self.ready or self.waiting):
            if not self.ready:
                self.prefill(free)
            arrivals = [self.ready.popleft() for _ in range(min(free, len(self.ready)))]
            self.place(arrivals)
            free = self.slots - len(self.active)

    def prefill(self, rows: int) -> None:
        """Run enough waiting prompts to fill `rows` slots, each once for all its siblings."""
        chosen: list[int] = []
        filled = 0
        while self.waiting and filled < rows:
            chosen.append(self.waiting.popleft())
            filled += self.requests[chosen[-1]].n
        lengths = [len(self.requests[i].prompt_ids) for i in chosen]
        ids_PL = torch.zeros(len(chosen), max(lengths), dtype=torch.long)
        for p, i in enumerate(chosen):
            ids_PL[p, : lengths[p]] = torch.tensor(self.requests[i].prompt_ids)
        cache = DynamicCache(config=self.model.config)
        # Padding stands on the right, where a causal mask already hides it from every real token.
        hidden_PLD = self.model.base_model(input_ids=ids_PL, past_key_values=cache, use_cache=True)[0]
        last_PD = hidden_PLD[torch.arange(len(chosen)), torch.tensor(lengths) - 1]
        logits_PV = self.model.get_output_embeddings()(last_PD).float()
        self.decoder.prefilled += sum(lengths)
        for p, i in enumerate(chosen):
            request = self.requests[i]
            columns = [
                (layer.keys[p, :, : lengths[p]], layer.values[p, :, : lengths[p]]) for layer in cache.layers
            ]
            self.stash[i] = (columns, request.n, logits_PV[p])
            rng = np.random.Generator(np.random.Philox(key=request.seed % 2**64))
            uniforms_GT = rng.random((request.n, request.max_tokens))
            for g in range(request.n):
                self.ready.append((_Row(i, g, uniforms_GT[g], [], []), i))

    def place(self, arrivals: list[tuple[_Row, int]]) -> None:
        """Copy each arrival's prompt columns into a free slot and sample its first token."""
        start = len(self.active)
        lengths = [len(self.requests[i].prompt_ids) for _, i in arrivals]
        first = next(iter(self.stash.values()))[0][0][0]
        self.reserve(max(lengths) + 1, first)
        # Siblings arrive side by side, so each prompt is one broadcast copy into a run of slots.
        at = 0
        while at < len(arrivals):
            i = arrivals[at][1]
            run = at
            while run < len(arrivals) and arrivals[run][1] == i:
                run += 1
            columns, left, _ = self.stash[i]
            span, length = slice(start + at, start + run), lengths[at]
            for layer, (key, value) in zip(self.cache.layers, columns, strict=True):
                layer.keys[span, :, :length] = key
                layer.values[span, :, :length] = value
            self.length[span] = length
            at = run
        logits_AV = torch.stack([self.stash[i][2] for _, i in arrivals])
        self.active += [row for row, _ in arrivals]
        for _, i in arrivals:
            columns, left, logits = self.stash[i]
            self.stash[i] = (columns, left - 1, logits)
            if left == 1:
                del self.stash[i]
        self.choose(logits_AV, start)

    def reserve(self, columns: int, like: Tensor) -> None:
        """Make the buffer at least `columns` wide."""
        if columns <= self.width:
            return
        self.width = -(-columns // _GROW) * _GROW
        for layer in self.cache.layers:
            layer.reserve(like[None], self.slots, self.width)

    # ── stepping ─────────────────────────────────────────────────────────────────────────────────────────

    def step(self) -> None:
        """One token for every active row."""
        rows = len(self.active)
        length_A = self.length[:rows]
        columns = int(length_A.max()) + 1
        self.reserve(columns, self.cache.layers[0].keys[0])
        self.state.row_A = torch.arange(rows)
        self.state.length_A = length_A
        self.state.columns = columns
        # [A, 1, 1, columns]: a row sees its own columns and the one being written.
        hidden_A11C = (torch.arange(columns)[None] > length_A[:, None])[:, None, None]
        mask = torch.zeros(hidden_A11C.shape, dtype=self.model.dtype).masked_fill_(
            hidden_A11C, torch.finfo(self.model.dtype).min
        )
        hidden = self.model.base_model(
            input_ids=self.next_id[:rows, None],
            position_ids=length_A[:, None],
            attention_mask=mask,
            past_key_values=self.cache,
            use_cache=True,
        )[0]
        self.length[:rows] += 1
        self.choose(self.model.get_output_embeddings()(hidden[:, 0]).float(), 0)

    def choose(self, logits_AV: Tensor, start: int) -> None:
        """Sample one token for the rows from `start` on, and retire those that ended."""
        rows = self.active[start:]
        logprob_AV = torch.log_softmax(logits_AV, dim=-1)
        temperature = [self.requests[r.request].temperature for r in rows]
        uniform_A = torch.tensor([float(r.uniforms[len(r.ids)]) for r in rows], dtype=torch.float64)
        chosen_A = _draw(logits_AV, temperature, uniform_A)
        picked = logprob_AV.gather(1, chosen_A[:, None])[:, 0].tolist()
        self.next_id[start : start + len(rows)] = chosen_A
        finished: list[int] = []
        for offset, (row, token, logprob) in enumerate(zip(rows, chosen_A.tolist(), picked, strict=True)):
            if not logprob > -1e9:
                raise FloatingPointError(
                    f"logits for request {row.request} hold NaN or infinity after {len(row.ids)} tokens; "
                    "the weights have diverged: go back to the last checkpoint and lower the learning rate"
                )
            row.ids.append(token)
            row.logprobs.append(logprob)
            if token == self.decoder.end_id or len(row.ids) == self.requests[row.request].max_tokens:
                finished.append(start + offset)
        self.decoder.tokens += len(rows)
        if finished:
            self.retire(finished)

    def retire(self, finished: list[int]) -> None:
        """Turn finished rows into turns; active rows from the end move into the gaps."""
        for slot in finished:
            row = self.active[slot]
            request = self.requests[row.request]
            self.results[row.request][row.sibling] = Turn(
                prompt_ids=request.prompt_ids,
                completion_ids=tuple(row.ids),
                logprobs=tuple(row.logprobs),
                weights=self.decoder.digest,
                stop="eos" if row.ids[-1] == self.decoder.end_id else "length",
            )
        gone = set(finished)
        keep = len(self.active) - len(finished)
        gaps = [s for s in finished if s < keep]
        movers = [s for s in range(keep, len(self.active)) if s not in gone]
        if gaps:
            to, source = torch.tensor(gaps), torch.tensor(movers)
            used = int(self.length[source].max())
            for layer in self.cache.layers:
                layer.keys[to, :, :used] = layer.keys[source, :, :used]
                layer.values[to, :, :used] = layer.values[source, :, :used]
            self.length[to] = self.length[source]
            self.next_id[to] = self.next_id[source]
            for gap, mover in zip(gaps, movers, strict=True):
                self.active[gap] = self.active[mover]
        del self.active[keep:]


def _draw(logits_AV: Tensor, temperature: list[float], uniform_A: Tensor) -> Tensor:
    """One id a row: the argmax at temperature 0, else the inverse of the cumulative distribution."""
    t_A = torch.tensor(temperature)
    greedy_A = t_A == 0
    chosen_A = logits_AV.argmax(dim=-1)
    if bool(greedy_A.all()):
        return chosen_A
    scaled_AV = logits_AV / t_A.clamp(min=1e-6)[:, None]
    total_AV = torch.softmax(scaled_AV, dim=-1).double().cumsum(dim=-1)
    # Times the row's own total, which rounding leaves a hair off 1: no id past the last is ever drawn.
    drawn_A = torch.searchsorted(total_AV, (uniform_A * total_AV[:, -1])[:, None], right=True)[:, 0]
    return torch.where(greedy_A, chosen_A, drawn_A.clamp(max=logits_AV.shape[1] - 1))
