"""The decode loop: many completions of many prompts, on any Hugging Face causal LM.

    requests ──► prefill (each prompt once) ──► slots ──► step ──► step ──► turns
                        ▲                         │  finished rows leave, waiting siblings take their place
                        └──────── refill ◄────────┘

Three things make it quicker than `generate` (bench/throughput.py): a prompt is prefilled once for all its
siblings, and what many prompts begin with once for all of them; a finished row's place goes to the next row
that waits, so no step is spent on rows that ended; and keys and values live in one preallocated buffer,
written in place. Sampling inverts the cumulative distribution at uniforms drawn beforehand from the request's
own seed, so an answer does not depend on what else is in the batch (up to the rounding of a matrix product,
which does depend on its shape).

Axes: N every completion asked for, S slots, A active rows (always slots 0 to A - 1), P prompts of one
prefill, T tokens of a completion, C columns of the buffer, K key heads, V vocabulary.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

from autotelic.errors import DivergedError, ModelError
from autotelic.models.buffer import Room
from autotelic.models.context import positions_of, sight_of, vocabulary_of
from autotelic.models.crew import ALONE, Crew
from autotelic.models.digest import digest_of
from autotelic.models.draw import draw, ranked, tempered, uniforms
from autotelic.models.families import Family, families
from autotelic.models.head import output_head
from autotelic.models.memory import ran_out
from autotelic.models.placement import advice, host, scope, where
from autotelic.models.shares import dealt, gathered, size_of
from autotelic.types import Request, Turn

MayFollow = Callable[[Sequence[int], int], bool]
"""Whether a token may come after what a completion has so far."""

_PREFILL = 8192
"""Prompt tokens, padding included, that one forward pass may hold: more is no faster and takes memory."""
_SHARED = 48
"""Tokens that prompts must begin with in common for these to be run once: below it costs what it saves."""


class Decoder:
    """Samples from a Hugging Face causal LM in this process. Implements the `Sampler` seam.

    `slots` is the most rows decoded at once, fewer where their keys and values would take more than `keep`
    bytes. A call is cut into `shares`, as many as the `crew` has threads where that is 0: as many give the same
    bits, whoever decodes them. `digest` is that of the weights, where it is known already. Not for use from
    several threads. Log-probabilities are of the distribution that was sampled
    from: at the request's temperature, or at 1 where it is greedy. Raises ModelError for a model that keeps
    more than attention's keys and values (`positions_of`), or whose logits are another function of the hidden
    state than `output_head` knows. Layers with a sliding window are given masks of it; all keys are kept.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        *,
        end_id: int,
        slots: int = 256,
        keep: int = 4 << 30,
        crew: Crew = ALONE,
        shares: int = 0,
        digest: str = "",
    ) -> None:
        if slots < 1:
            raise ValueError(f"slots = {slots} leaves no room to decode in; make it 1 or more")
        self.context = positions_of(model)
        self.sight = sight_of(model)
        self.vocabulary = vocabulary_of(model)
        self.head = output_head(model)
        self.model = model
        self.device = where(model)
        self.end_id = end_id
        self.slots = slots
        self.keep = keep
        self.crew = crew
        self.shares = shares or crew.size
        self.digest = digest or digest_of(model)
        self.room = Room()
        self.tokens = 0
        """Completion tokens sampled so far."""
        self.prefilled = 0
        """Prompt tokens run so far."""
        self.seconds = 0.0

    def sync(self) -> str:
        """Take up the model's weights as they are now; their digest."""
        self.digest = digest_of(self.model)
        return self.digest

    def sample(self, requests: Sequence[Request], may_follow: MayFollow | None = None) -> list[list[Turn]]:
        """`requests[i].n` turns for each request, in order.

        With `may_follow` each token is the likeliest of those that may follow, and the end token where none
        may; requests must be greedy, and the turns have NaN for log-probabilities: nothing can be learned
        from them.

        Raises ValueError for a request that cannot be met; DivergedError if the logits hold NaN or infinity,
        naming the request; ModelError where memory runs out, naming what to try.
        """
        began = time.perf_counter()
        for i, request in enumerate(requests):
            self._check(i, request)
            if may_follow is not None and request.temperature:
                raise ValueError(
                    f"request {i} has the temperature {request.temperature:g}; constrained decoding is greedy, so "
                    "make it 0"
                )
        shares = dealt(requests, self.shares)
        found = self.sample_shares([[requests[i] for i in share] for share in shares], may_follow)
        turns = gathered(shares, found, len(requests))
        self.seconds += time.perf_counter() - began
        return turns

    def sample_shares(
        self, shares: Sequence[Sequence[Request]], may_follow: MayFollow | None = None
    ) -> list[list[list[Turn]]]:
        """The turns of every request, for each of some shares of a call (`dealt`)."""
        self.model.train(False)
        found: list[list[list[Turn]]] = []
        for requests, run in zip(
            shares, self.crew.map(lambda share: self._decode(share, may_follow), shares), strict=True
        ):
            self.tokens += int(run.count_N.sum())
            self.prefilled += run.prefilled
            found.append([[run.turn(at, g) for g in range(r.n)] for at, r in enumerate(requests)])
        return found

    @torch.inference_mode()
    def _decode(self, requests: Sequence[Request], may_follow: MayFollow | None) -> _Run:
        try:
            with scope(self.device):
                run = _Run(self, requests, may_follow)
                run.finish()
            self.room.give_back(run.buffer)
        except (MemoryError, RuntimeError) as error:
            if not ran_out(error):
                raise
            rows = min(-(-self.slots // self.shares), sum(r.n for r in requests))
            longest = max(map(size_of, requests))
            raise ModelError(
                f"decoding {rows} rows of up to {longest} tokens at once ran out of memory",
                f"try slots = {max(1, rows // 2) * self.shares}, or roles.max_tokens = "
                f"{max(1, max(r.max_tokens for r in requests) // 2)} in a charter{advice(self.device)}",
            ) from error
        return run

    def _check(self, i: int, request: Request) -> None:
        if not request.prompt_ids or request.max_tokens < 1 or request.n < 1 or request.temperature < 0:
            raise ValueError(
                f"request {i} needs a prompt, max_tokens >= 1, n >= 1 and temperature >= 0; got {request!r:.200}"
            )
        if max(request.prompt_ids) >= self.vocabulary:
            raise ModelError(
                f"a prompt has the token {max(request.prompt_ids)}, and the model has {self.vocabulary} rows",
                "give the tokenizer that belongs to the model",
            )
        needed = len(request.prompt_ids) + request.max_tokens
        if needed > self.context:
            raise ValueError(
                f"request {i} needs {needed} positions ({len(request.prompt_ids)} of prompt and max_tokens = "
                f"{request.max_tokens}), the decode loop has {self.context} for this model; shorten one of them"
            )


@dataclass(slots=True)
class _Prompt:
    """A prefilled prompt, and which of its completions (`rows`, of N) still wait for a slot."""

    rows: range
    columns: Tensor
    """[layers, 2, K, C, width]"""
    logits: Tensor
    """[V], of the token after the prompt"""


class _Run:
    """One call of `sample`: the queue, the slots and the results."""

    def __init__(self, decoder: Decoder, requests: Sequence[Request], may_follow: MayFollow | None) -> None:
        self.decoder = decoder
        self.may_follow = may_follow
        self.model: Any = decoder.model  # transformers' own annotations are partial
        self.requests = requests
        self.first = np.cumsum([0] + [r.n for r in requests]).tolist()
        """Completion `g` of request `i` is row `first[i] + g` of N."""
        total, tokens = self.first[-1], max(r.max_tokens for r in requests)
        each_N = torch.tensor([r.n for r in requests])
        self.limit_N = torch.tensor([r.max_tokens for r in requests]).repeat_interleave(each_N)
        self.temperature_N = torch.tensor([r.temperature for r in requests]).repeat_interleave(each_N)
        self.uniform_NT = torch.zeros(total, tokens)
        self.ids_NT = torch.zeros(total, tokens, dtype=torch.long)
        self.logprob_NT = torch.zeros(total, tokens)
        self.count_N = torch.zeros(total, dtype=torch.long)
        ids = [np.array(r.prompt_ids) for r in requests]
        found = families(ids, [len(i) - 1 for i in ids], _SHARED)
        self.family = {i: f for f in found if f.shared for i in f.members}
        """Of the requests whose prompts begin alike."""
        self.begun: dict[Family, Any] = {}
        """Keys and values of what a family shares."""
        # Relatives side by side, and then the longest first: rows decoded together are then of similar
        # length, and what is left over at the end, when slots run empty, is short.
        kin = {i: at for at, f in enumerate(found) if f.shared for i in f.members}
        self.waiting = deque(
            sorted(range(len(requests)), key=lambda i: (-kin.get(i, -1), -size_of(requests[i])))
        )
        self.ready: deque[_Prompt] = deque()
        self.slots = min(-(-decoder.slots // decoder.shares), total)
        self.prefilled = 0
        self.active = 0
        self.row_S = torch.zeros(self.slots, dtype=torch.long)
        self.length_S = torch.zeros(self.slots, dtype=torch.long)
        self.token_S = torch.zeros(self.slots, dtype=torch.long)
        self.prefill()
        like = self.ready[0].columns
        columns = max(map(size_of, requests))
        row = like[..., :1, :].numel() * like.element_size() * columns
        self.slots = max(1, min(self.slots, decoder.keep // decoder.shares // row))
        self.buffer = decoder.room.borrow(self.slots, columns, like)

    def finish(self) -> None:
        """Decode until nothing waits and no row is active."""
        while self.waiting or self.ready or self.active:
            free = self.slots - self.active
            # Refilling a few slots at a time would run many small prefills.
            if (self.waiting or self.ready) and (free >= self.slots / 8 or not self.active):
                self.refill()
            if self.active:
                self.step()
        self.ids_NT, self.logprob_NT, self.count_N = map(host, (self.ids_NT, self.logprob_NT, self.count_N))

    def turn(self, i: int, sibling: int) -> Turn:
        row = self.first[i] + sibling
        count = int(self.count_N[row])
        ids = tuple(self.ids_NT[row, :count].tolist())
        return Turn(
            prompt_ids=self.requests[i].prompt_ids,
            completion_ids=ids,
            logprobs=tuple(self.logprob_NT[row, :count].tolist()),
            weights=self.decoder.digest,
            stop="eos" if ids[-1] == self.decoder.end_id else "length",
        )

    # ── filling ──────────────────────────────────────────────────────────────────────────────────────────

    def refill(self) -> None:
        """Give every free slot a row, prefilling prompts as needed."""
        while self.active < self.slots and (self.ready or self.waiting):
            if not self.ready:
                self.prefill()
            self.place()

    def prefill(self) -> None:
        """Run enough waiting prompts of one family to fill the free slots, each once for all its siblings."""
        chosen: list[int] = []
        free, width = self.slots - self.active, 0
        family = self.family.get(self.waiting[0])
        shared = family.shared if family else 0
        while self.waiting and free > 0:
            i = self.waiting[0]
            width = max(width, len(self.requests[i].prompt_ids) - shared)
            if chosen and (width * (len(chosen) + 1) > _PREFILL or self.family.get(i) is not family):
                break
            chosen.append(self.waiting.popleft())
            free -= self.requests[i].n
        prompts = [self.requests[i].prompt_ids for i in chosen]
        rest = [p[shared:] for p in prompts]
        width = max(map(len, rest))
        # Padding stands on the right, where a causal mask already hides it from every real token.
        ids_PC = torch.tensor([p + (0,) * (width - len(p)) for p in rest])
        last_P = torch.tensor([len(p) - 1 for p in rest])
        cache = DynamicCache()  # whole, for layers with a sliding window too
        if family:
            for at, layer in enumerate(self.beginning(family).layers):
                keys, values = (kept.expand(len(chosen), -1, -1, -1) for kept in (layer.keys, layer.values))
                cache.update(keys, values, at)
        hidden_PCD = self.model.base_model(input_ids=ids_PC, past_key_values=cache, use_cache=True)[0]
        logits_PV = self.decoder.head(hidden_PCD[torch.arange(len(chosen)), last_P]).float()
        layers: list[Any] = cache.layers
        # [layers, 2, P, K, C, width]
        whole = torch.stack([torch.stack([layer.keys, layer.values]) for layer in layers])
        for p, i in enumerate(chosen):
            rows = range(self.first[i], self.first[i + 1])
            self.ready.append(_Prompt(rows, whole[:, :, p, :, : len(prompts[p])], logits_PV[p]))
            self.uniform_NT[rows.start : rows.stop, : self.requests[i].max_tokens] = uniforms(
                self.requests[i]
            )
        self.prefilled += sum(map(len, rest))

    def beginning(self, family: Family) -> Any:
        """The keys and values of what a family's prompts begin with, run when first asked for."""
        if family not in self.begun:
            ids = self.requests[family.members[0]].prompt_ids[: family.shared]
            self.begun[family] = DynamicCache()
            self.model.base_model(
                input_ids=torch.tensor([ids]), past_key_values=self.begun[family], use_cache=True
            )
            self.prefilled += len(ids)
        return self.begun[family]

    def place(self) -> None:
        """Copy prompts' columns into free slots and sample each row's first token."""
        start, logits = self.active, []
        while self.ready and self.active < self.slots:
            prompt = self.ready[0]
            taken = prompt.rows[: self.slots - self.active]
            span, length = slice(self.active, self.active + len(taken)), prompt.columns.shape[-2]
            self.buffer.store[:, :, span, :, :length] = prompt.columns[:, :, None]
            self.length_S[span] = length
            self.row_S[span] = torch.arange(taken.start, taken.stop)
            logits.append(prompt.logits.expand(len(taken), -1))
            self.active += len(taken)
            prompt.rows = prompt.rows[len(taken) :]
            if not prompt.rows:
                self.ready.popleft()
        self.choose(torch.cat(logits), start)

    # ── stepping ─────────────────────────────────────────────────────────────────────────────────────────

    def step(self) -> None:
        """One token for every active row."""
        length_A = self.length_S[: self.active]
        hidden_A1D = self.model.base_model(
            attention_mask=self.buffer.aim(length_A, self.decoder.sight),
            input_ids=self.token_S[: self.active, None],
            position_ids=length_A[:, None],
            past_key_values=self.buffer.cache,
            use_cache=True,
        )[0]
        length_A += 1
        self.choose(self.decoder.head(hidden_A1D[:, 0]).float(), 0)

    def choose(self, logits_AV: Tensor, start: int) -> None:
        """Sample one token for the active rows from `start` on, and retire those that ended."""
        row_A = self.row_S[start : self.active]
        count_A = self.count_N[row_A]
        logprob_AV = torch.log_softmax(logits_AV, dim=-1)
        if self.may_follow is None:
            logprob_AV = tempered(logprob_AV, self.temperature_N[row_A])
            token_A = draw(logprob_AV, self.temperature_N[row_A] == 0, self.uniform_NT[row_A, count_A])
            picked_A = logprob_AV.gather(1, token_A[:, None])[:, 0]
            self.check_finite(picked_A, row_A)
        else:
            self.check_finite(logprob_AV.amax(dim=-1), row_A)
            token_A = self.likeliest(logprob_AV, self.may_follow)
            picked_A = torch.full((len(token_A),), torch.nan)
        self.ids_NT[row_A, count_A] = token_A
        self.logprob_NT[row_A, count_A] = picked_A
        count_A += 1
        self.count_N[row_A] = count_A
        self.token_S[start : self.active] = token_A
        ended_A = (token_A == self.decoder.end_id) | (count_A == self.limit_N[row_A])
        if bool(ended_A.any()):
            self.retire((ended_A.nonzero()[:, 0] + start).tolist())

    def likeliest(self, logprob_AV: Tensor, may_follow: MayFollow) -> Tensor:
        """The likeliest token that may follow, for each of the last rows; the end token where none may.
        [A]
        """
        found: list[int] = []
        row_A = self.row_S[self.active - len(logprob_AV) : self.active].tolist()
        for logprob_V, row in zip(logprob_AV, row_A, strict=True):
            written = self.ids_NT[row, : int(self.count_N[row])].tolist()
            fits = (token for token in ranked(logprob_V) if may_follow(written, token))
            found.append(next(fits, self.decoder.end_id))
        return torch.tensor(found)

    def check_finite(self, picked_A: Tensor, row_A: Tensor) -> None:
        wrong_A = ~picked_A.isfinite()
        if not bool(wrong_A.any()):
            return
        row = int(row_A[wrong_A][0])
        request = int(np.searchsorted(self.first, row, side="right")) - 1
        raise DivergedError(
            f"logits for request {request} hold NaN or infinity after {int(self.count_N[row])} tokens, with the "
            f"weights {self.decoder.digest}",
            "the weights have diverged: go back to the last checkpoint and lower the learning rate",
        )

    def retire(self, ended: list[int]) -> None:
        """Free the slots of ended rows; active rows from the end move into the gaps."""
        gone = set(ended)
        keep = self.active - len(ended)
        movers = [s for s in range(keep, self.active) if s not in gone]
        if movers:
            to, source = torch.tensor(ended[: len(movers)]), torch.tensor(movers)
            self.buffer.move(source, to, int(self.length_S[source].max()))
            for state_S in (self.row_S, self.length_S, self.token_S):
                state_S[to] = state_S[source]
        self.active = keep
