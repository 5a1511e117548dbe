"""The critic: a second, small model that learns from the executor what success looks like.

    task ──► P(success | task) ──► token ──► token ──► last token ──► P(success | task, attempt)
             the baseline, before                      the verdict, where no executor is asked
             anything was attempted

It reads an episode as the actor wrote it, in the actor's vocabulary, together with how likely the actor
thought each token. How sure the actor was goes straight to the answer as well: it is most of what can be
known at first (Kadavath et al. 2022, arXiv:2207.05221), so the critic begins as certainty, scaled to the
outcomes, and learns where certainty misleads.

One head answers everywhere: at every token it is the probability that an episode which began so will pass (a
value function, as in Cobbe et al. 2021, arXiv:2110.14168, who found that training a verifier on every token
makes it better at the last).

    said = critic.predict(groups)       what it believes; changes nothing
    critic.learn(groups, seed)          first recorded as held-out predictions, then learned from
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy
from transformers import GPTBigCodeConfig, GPTBigCodeModel

from autotelic.judge.calibration import Calibrator
from autotelic.judge.siblings import Rows, Siblings, families_of, is_cut, is_written, prompts_of, rows_of
from autotelic.judge.verifier import truth_of
from autotelic.streams import stream
from autotelic.types import YES_NO, Calibration, CriticReport, Episode, Group, Scale
from autotelic.weights.tensors import put_into

BATCH = 2048
"""Tokens of an update: fewer learn more from a token, more take less time for it."""
READ = 4096
"""Tokens of a forward pass."""
MEMORY = 4096
"""Attempts kept for replay."""
REPLAY = 2.0
"""Attempts replayed for each new one."""
_TASK, _TOKEN = 0.5, 0.3
"""Weights of the loss at the end of the prompt and over an attempt's tokens, beside 1 at its end."""
WIDTH = 64
"""Channels of the critic: two heads of 32, a small share of the actor's cost."""
LR = 1e-3
"""Learning rate: the usual one of AdamW for a model this small."""
LONGEST = 2048
"""Most tokens read of an attempt: attention over more costs more than judging is worth."""
_NORM = 1.0
"""Longer gradients are scaled down to this norm."""
NOTHING = -30.0
"""The logit of an episode in which nothing was written: it cannot succeed."""
_CERTAINTY = torch.tensor([1 / 8, 2.0, 1 / 2])
"""Scales of the sum, the mean and the least log-probability of an attempt that bring each to about one."""


class CriticModel(nn.Module):
    """GPT-BigCode, as the actor, with a head of one logit.

    Wide heads and a narrow middle, because at this size a CPU's time goes to attention and to memory.
    """

    def __init__(self, *, vocabulary: int, width: int, depth: int, context: int) -> None:
        super().__init__()
        heads = width // 32 if width % 32 == 0 else 1
        config = GPTBigCodeConfig(
            vocab_size=vocabulary,
            n_positions=context,
            n_embd=width,
            n_layer=depth,
            n_head=heads,
            n_inner=2 * width,
            activation_function="relu",
            resid_pdrop=0.0,
            embd_pdrop=0.0,
            attn_pdrop=0.0,
            # Four times the usual: at this width a critic learns from half the attempts so.
            initializer_range=0.08,
            bos_token_id=None,
            eos_token_id=None,
        )
        self.transformer = GPTBigCodeModel(config)
        # Its bias is the flag that says: this token was sampled, not given.
        self.surprise = nn.Linear(1, width)
        # As small as an embedding at first, or it would drown out the token.
        nn.init.normal_(self.surprise.weight, std=config.initializer_range)
        nn.init.zeros_(self.surprise.bias)
        self.head = nn.Linear(width, 1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        # Before it has learned anything it goes by certainty, and ranks as certainty does.
        self.trust = nn.Linear(3, 1, bias=False)
        nn.init.ones_(self.trust.weight)

    def forward(self, rows: Rows) -> Tensor:
        """The logit of success, given all that its place sees. -> [B, T]."""
        # Below e^-12 a token is as good as impossible, and one such must not drown out the rest.
        surprise_BT1 = (rows.logprob_BT.clamp(min=-12.0) / 4)[..., None]
        # A critic does not see: tokens of pictures are below zero, and all alike to it.
        embedded_BTD = self.transformer.wte(rows.ids_BT.clamp(min=0))
        embedded_BTD = embedded_BTD + self.surprise(surprise_BT1) * rows.sampled_BT[..., None]
        hidden_BTD = self.transformer(
            inputs_embeds=embedded_BTD,
            position_ids=rows.position_BT,
            attention_mask=rows.mask(),
            use_cache=False,
        )[0]
        sure_BT1 = self.trust(rows.certainty_BT3.clamp(min=-48.0) * _CERTAINTY)
        logit_BT: Tensor = (self.head(hidden_BTD) + sure_BT1)[..., 0]
        return logit_BT


class Critic:
    """Predicts P(success | task, attempt) and P(success | task), and learns from what the executor said.

    `vocabulary` and `context` are the actor's; of an attempt longer than the context, or than `LONGEST`, it
    reads the end. `scale` is that of the domain's rewards, `trust` the ranking from which on it is believed.
    `seed` draws the first weights. Deterministic: the same calls on the same number of threads give the same
    bits.
    """

    def __init__(
        self,
        *,
        vocabulary: int,
        context: int,
        seed: int,
        width: int = WIDTH,
        depth: int = 2,
        lr: float = LR,
        scale: Scale = YES_NO,
        trust: float = 0.7,
        memory: int = MEMORY,
        batch_tokens: int = BATCH,
    ) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.context = min(context, LONGEST)
            self.model = CriticModel(vocabulary=vocabulary, width=width, depth=depth, context=self.context)
        self.scale = scale
        self.memory = memory
        self.batch_tokens = batch_tokens
        self._calibrator = Calibrator(trust=trust)
        self._past: deque[Siblings] = deque()
        self._optimiser = torch.optim.AdamW(
            self.model.parameters(), lr=lr, betas=(0.9, 0.95), weight_decay=0.01, fused=True
        )

    # ── judging ──────────────────────────────────────────────────────────────────────────────────────────

    def predict(self, groups: Sequence[Group]) -> list[tuple[float, ...]]:
        """P(success) of every attempt, calibrated. Verdicts are not read; nothing changes."""
        return [tuple(self._calibrator.probability(logits).tolist()) for logits in self._logits(groups)]

    def baseline(self, groups: Sequence[Group]) -> list[float]:
        """P(success) of each group's task before anything was attempted.

        Not calibrated: as a baseline its errors cost variance and never bias.
        """
        asked = [
            logit
            for rows, logit_BT in self._read(prompts_of(groups, self.context))
            for logit in logit_BT[rows.asked_F]
        ]
        return torch.sigmoid(torch.tensor(asked, dtype=torch.float64)).tolist()

    def values(self, groups: Sequence[Group]) -> list[list[tuple[float, ...]]]:
        """P(success) before each token that an attempt sampled, for each attempt of each group.

        Not calibrated, as `baseline`. Tokens before the part that is read have the first value that is known.
        """
        known = [replace(g, episodes=tuple(filter(is_written, g.episodes)), verdicts=()) for g in groups]
        families = families_of(known, [[math.nan] * len(g.episodes) for g in known], self.context)
        value_N: list[Tensor] = []
        given = iter(families)
        for rows, logit_N in self._read(families):
            for asked in rows.asked_F.tolist():
                family = next(given)
                start = asked - (family.prompt - 1)
                value_N += [torch.sigmoid(logit_N[start + torch.from_numpy(at)]) for at in family.before()]
        read = iter(value_N)
        return [
            [_whole(e, next(read).tolist()) if is_written(e) else () for e in group.episodes]
            for group in groups
        ]

    @property
    def quality(self) -> Calibration:
        """How good the predictions made before learning from their outcomes have been of late."""
        return self._calibrator.quality

    def _logits(self, groups: Sequence[Group]) -> list[list[float]]:
        readable = [replace(g, episodes=tuple(filter(is_written, g.episodes)), verdicts=()) for g in groups]
        unknown = [[math.nan] * len(group.episodes) for group in readable]
        read = self._read(families_of(readable, unknown, self.context))
        ended = iter([logit for rows, logit_BT in read for logit in logit_BT[rows.ended_A].tolist()])
        return [[next(ended) if is_written(e) else NOTHING for e in group.episodes] for group in groups]

    def cut(self, groups: Sequence[Group]) -> int:
        """How many attempts are longer than what is read: of those the end is."""
        return sum(is_cut(e, self.context) for group in groups for e in group.episodes if is_written(e))

    @torch.no_grad()
    def _read(self, families: Sequence[Siblings]) -> list[tuple[Rows, Tensor]]:
        """Rows of families in order, with the logit at every flat place."""
        batches = (rows_of(batch) for batch in _cut(families, READ))
        return [(rows, self.model(rows).flatten()) for rows in batches]

    # ── learning ─────────────────────────────────────────────────────────────────────────────────────────

    def learn(self, groups: Sequence[Group], seed: int) -> CriticReport:
        """One pass over these attempts and about twice as many earlier ones, in an order drawn from `seed`.

        First what it predicts for them is recorded as held out, and the scaling refitted. Only solvers'
        attempts that the executor judged are learned from: its own opinion would teach it nothing but itself.
        """
        began = time.perf_counter()
        taught = [group for group in groups if _by_executor(group)]
        outcomes = [[truth_of(v, self.scale) for v in group.verdicts] for group in taught]
        self._calibrator.observe(self._logits(taught), outcomes)
        fresh = families_of(taught, outcomes, self.context)
        rng = stream(seed, "critic")
        n = sum(len(f.ends) for f in fresh)
        replayed = self._recall(round(REPLAY * n), rng)
        whole = fresh + replayed
        batches = _cut([whole[i] for i in rng.permutation(len(whole))], self.batch_tokens)
        steps = [self._step(batch) for batch in batches]
        self._remember(fresh)
        bad = [loss for loss, _ in steps if not math.isfinite(loss)]
        good = [(loss, count) for loss, count in steps if math.isfinite(loss)]
        total = sum(count for _, count in good)
        return CriticReport(
            loss=sum(loss * count for loss, count in good) / total if total else math.nan,
            n=n,
            replayed=sum(len(f.ends) for f in replayed),
            updates=len(good),
            tokens=sum(map(len, whole)),
            seconds=time.perf_counter() - began,
            skipped=f"{len(bad)} of {len(steps)} updates had a loss or gradient that is not finite"
            if bad
            else "",
        )

    def _step(self, families: Sequence[Siblings]) -> tuple[float, int]:
        """One update. -> (mean loss at the last tokens, attempts); the loss is nan where none was made."""
        rows = rows_of(families)
        target_BT, weight_BT = _targets(families, rows)
        logit_BT = self.model(rows)
        error_BT = cross_entropy(logit_BT, target_BT, reduction="none")
        self._optimiser.zero_grad(set_to_none=True)
        loss: Tensor = (error_BT * weight_BT).sum()
        loss.backward()
        norm = float(nn.utils.clip_grad_norm_(self.model.parameters(), _NORM))
        if math.isfinite(norm):
            self._optimiser.step()
        last = float(error_BT.detach().flatten()[rows.ended_A].mean())
        return last if math.isfinite(norm) else math.nan, len(rows.ended_A)

    def _recall(self, attempts: int, rng: np.random.Generator) -> list[Siblings]:
        """About so many attempts from memory, none twice."""
        found: list[Siblings] = []
        for i in rng.permutation(len(self._past)):
            if attempts <= 0:
                break
            found.append(self._past[i])
            attempts -= len(found[-1].ends)
        return found

    def _remember(self, families: Sequence[Siblings]) -> None:
        self._past.extend(families)
        total = sum(len(f.ends) for f in self._past)
        while total > self.memory:
            total -= len(self._past.popleft().ends)

    # ── state, for checkpoints ───────────────────────────────────────────────────────────────────────────

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Flat named tensors (weights, optimiser, memory) and plain JSON (calibration)."""
        tensors = {f"model.{name}": value.clone() for name, value in self.model.state_dict().items()}
        for index, p in enumerate(self.model.parameters()):
            for name, value in self._optimiser.state[p].items():
                tensors[f"adamw.{index}.{name}"] = value.clone()
        tensors |= {
            f"memory.{name}": torch.from_numpy(array) for name, array in _flattened(self._past).items()
        }
        return tensors, {"calibration": self._calibrator.state()}

    def restore(self, tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> None:
        """The inverse of `state`."""

        def within(prefix: str) -> dict[str, Tensor]:
            return {k.removeprefix(prefix): v.clone() for k, v in tensors.items() if k.startswith(prefix)}

        put_into(self.model, within("model."))
        self._optimiser.state.clear()
        for index, p in enumerate(self.model.parameters()):
            if found := within(f"adamw.{index}."):
                self._optimiser.state[p] = found
        self._past = deque(_restored({name: tensor.numpy() for name, tensor in within("memory.").items()}))
        self._calibrator.restore(state["calibration"])


def _whole(episode: Episode, read: Sequence[float]) -> tuple[float, ...]:
    """The values of all sampled tokens, from those of the part at the end that was read."""
    sampled = sum(len(turn.completion_ids) for turn in episode.turns)
    return (*[read[0]] * (sampled - len(read)), *read) if read else ()


def _by_executor(group: Group) -> bool:
    return (
        group.role == "solver"
        and bool(group.episodes)
        and all(map(is_written, group.episodes))
        and len(group.verdicts) == len(group.episodes)
        and all(v.source == "verifier" for v in group.verdicts)
    )


def _cut(families: Sequence[Siblings], tokens: int) -> list[list[Siblings]]:
    """Batches of about so many tokens, in order and about equally full."""
    total = sum(map(len, families))
    count = max(1, round(total / tokens))
    batches: list[list[Siblings]] = [[] for _ in range(count)]
    filled = 0
    for family in families:
        batches[min(count - 1, filled * count // total)].append(family)
        filled += len(family)
    return [batch for batch in batches if batch]


def _targets(families: Sequence[Siblings], rows: Rows) -> tuple[Tensor, Tensor]:
    """What to predict at each place, and how much it counts. Both [B, T]; last tokens' weights sum to 1."""
    target_N, weight_N = np.zeros(rows.ids_BT.numel(), np.float32), np.zeros(rows.ids_BT.numel(), np.float32)
    attempts = len(rows.ended_A)
    for family, asked in zip(families, rows.asked_F.tolist(), strict=True):
        target_N[asked] = family.outcome.mean()
        weight_N[asked] = _TASK * len(family.outcome)
        span = slice(asked + 1, asked + 1 + len(family) - family.prompt)
        target_N[span] = np.repeat(family.outcome, family.lengths)
        weight_N[span] = np.repeat((_TOKEN / family.lengths).astype(np.float32), family.lengths)
    weight_N[rows.ended_A.numpy()] = 1.0
    shape = rows.ids_BT.shape
    return torch.from_numpy(target_N).view(shape), torch.from_numpy(weight_N / attempts).view(shape)


def _flattened(families: Sequence[Siblings] | deque[Siblings]) -> dict[str, np.ndarray[Any, Any]]:
    """Families end to end, with their sizes [F, 3]: tokens, attempts, prompt."""
    empty = np.zeros(0, np.float32)
    sizes = [(len(f), len(f.ends), f.prompt) for f in families]
    return {
        "sizes": np.array(sizes, np.int64).reshape(-1, 3),
        "ids": np.concatenate([np.zeros(0, np.int64), *(f.ids for f in families)]),
        "ends": np.concatenate([np.zeros(0, np.int64), *(f.ends for f in families)]),
        "logprob": np.concatenate([empty, *(f.logprob for f in families)]),
        "sampled": np.concatenate([empty, *(f.sampled for f in families)]),
        "outcome": np.concatenate([empty, *(f.outcome for f in families)]),
    }


def _restored(arrays: Mapping[str, np.ndarray[Any, Any]]) -> list[Siblings]:
    """The inverse of `_flattened`."""
    families, t, a = [], 0, 0
    for tokens, attempts, prompt in arrays["sizes"].tolist():
        of_tokens, of_attempts = slice(t, t + tokens), slice(a, a + attempts)
        families.append(
            Siblings(
                ids=arrays["ids"][of_tokens],
                logprob=arrays["logprob"][of_tokens],
                sampled=arrays["sampled"][of_tokens],
                prompt=prompt,
                ends=arrays["ends"][of_attempts],
                outcome=arrays["outcome"][of_attempts],
            )
        )
        t, a = t + tokens, a + attempts
    return families
